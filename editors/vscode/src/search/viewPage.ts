/**
 * The page of the search view.
 *
 * Invariant: it runs one script of our own and nothing else; no text of a person or a file is put
 * into the markup.
 */
import * as vscode from "vscode";

export function viewPage(webview: vscode.Webview, extensionUri: vscode.Uri, nonce: string): string {
  const at = (...parts: string[]): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, ...parts)).toString();
  const policy = [
    "default-src 'none'",
    `style-src ${webview.cspSource}`,
    `font-src ${webview.cspSource}`,
    `script-src 'nonce-${nonce}'`,
    // Enter before the script runs must not load another page.
    "form-action 'none'",
  ].join("; ");
  const t = (text: string): string => escaped(text);
  const field = (id: string, label: string, hint: string): string =>
    `<label for="${id}">${t(label)}</label><input id="${id}" type="text" placeholder="${t(hint)}" spellcheck="false" autocomplete="off">`;
  return `<!DOCTYPE html>
<html lang="${escaped(vscode.env.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${at("dist", "codicon.css")}">
<link rel="stylesheet" href="${at("media", "searchView.css")}">
<title>${t(vscode.l10n.t("Search by Meaning"))}</title>
</head>
<body data-stale="${t(vscode.l10n.t("changed since it was indexed"))}" data-similar="${t(vscode.l10n.t("Code like {0}"))}"
  data-line="${t(vscode.l10n.t("line {0}"))}" data-count="${t(vscode.l10n.t("{0} results"))}" data-one="${t(vscode.l10n.t("1 result"))}"
  data-empty="${t(vscode.l10n.t("Ask what the code does, in your own words. The results stay here, grouped by file; F4 goes through them."))}">
<form id="form" role="search" aria-label="${t(vscode.l10n.t("Search by Meaning"))}">
<div class="box">
<input id="text" type="text" spellcheck="false" autocomplete="off" aria-label="${t(vscode.l10n.t("What does the code do?"))}"
  placeholder="${t(vscode.l10n.t("What does the code do?"))}" aria-controls="results" aria-describedby="summary">
<button id="toggle" type="button" class="codicon codicon-filter" aria-expanded="false" aria-controls="filters"
  title="${t(vscode.l10n.t("Filters"))}" aria-label="${t(vscode.l10n.t("Filters"))}"></button>
</div>
<div id="filters" hidden>
${field("languages", vscode.l10n.t("Languages"), "py, ts")}
${field("paths", vscode.l10n.t("Paths"), "src/**, !test/**")}
${field("author", vscode.l10n.t("Last changed by"), vscode.l10n.t("name or e-mail"))}
${field("since", vscode.l10n.t("Changed since"), "2w, 2026-01-31")}
${field("until", vscode.l10n.t("Changed before"), "3d, 2026-01-31")}
<label for="mode">${t(vscode.l10n.t("Search by"))}</label>
<select id="mode">
<option value="">${t(vscode.l10n.t("meaning and words"))}</option>
<option value="semantic">${t(vscode.l10n.t("meaning"))}</option>
<option value="lexical">${t(vscode.l10n.t("words"))}</option>
</select>
</div>
</form>
<div id="progress" hidden role="presentation"></div>
<p id="summary" role="status" aria-live="polite"></p>
<ul id="warnings"></ul>
<div id="results" role="tree" aria-label="${t(vscode.l10n.t("Results"))}" hidden></div>
<script nonce="${nonce}" src="${at("dist", "searchView.js")}"></script>
</body>
</html>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
