/**
 * The commit of a line in a hover, instead of the server's: with actions that only an extension has.
 *
 * Invariant: a hover never fails before a person: where there is no blame there is no hover.
 */
import * as vscode from "vscode";
import { revisionOf } from "../history/revisions";
import { setting } from "../settings";
import type { BlameSource } from "./blameSource";
import { commitMarkdown } from "./commitMarkdown";
import type { FileBlame } from "./fileBlame";

export class BlameHover {
  constructor(
    private readonly source: BlameSource,
    private readonly fileBlame: FileBlame,
  ) {}

  async provide(
    document: vscode.TextDocument,
    position: vscode.Position,
    token: vscode.CancellationToken,
  ): Promise<vscode.Hover | undefined> {
    const chosen = setting("blame.hover", "lineEnd");
    // Who shows the blame of all lines wants to know of any of them.
    const where = chosen === "lineEnd" && this.fileBlame.isShownFor(document) ? "everywhere" : chosen;
    const { end } = document.lineAt(position.line).range;
    const atEnd = position.character >= Math.max(end.character - 1, 0);
    if (where === "off" || (where === "lineEnd" && !atEnd)) {
      return undefined;
    }
    const blame = await this.source.ofLine(document, position.line, token);
    if (blame === undefined) {
      return undefined;
    }
    const range = where === "everywhere" ? undefined : new vscode.Range(position, end);
    const { commit, hunk } = blame;
    if (commit === undefined) {
      return new vscode.Hover(new vscode.MarkdownString(vscode.l10n.t("Not committed yet")), range);
    }
    const revision = revisionOf(
      commit,
      document.uri,
      hunk.originalPath,
      hunk.originalLine + position.line - hunk.startLine,
    );
    return new vscode.Hover(commitMarkdown(commit, revision, { uri: document.uri, line: position.line }), range);
  }
}
