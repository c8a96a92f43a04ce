/** The state of the server and its indexes, in words. */
import * as vscode from "vscode";
import type { FolderStatus } from "../protocol";
import type { Described } from "../server/server";
import { setting } from "../settings";

const COMMANDS = [
  "codeintel-ls.updateIndex",
  "codeintel-ls.rebuildIndex",
  "codeintel-ls.mergeIndexes",
  "codeintel-ls.pauseIndexing",
  "codeintel-ls.showLog",
  "codeintel-ls.restartServer",
  "codeintel-ls.installServer",
  "workbench.trust.manage",
  "workbench.action.openSettings",
];

/** All about it, as the status bar's hover shows it. */
export function reportMarkdown(
  server: Described,
  folders: readonly FolderStatus[],
  working: boolean,
): vscode.MarkdownString {
  const text = new vscode.MarkdownString(undefined, true);
  text.isTrusted = { enabledCommands: COMMANDS };
  text.appendMarkdown(`**CodeIntel** · ${plain(stateOf(server))}\n\n`);
  if (server.problem !== undefined) {
    text.appendMarkdown(`$(warning) ${plain(server.problem)}\n\n`);
  }
  if (!vscode.workspace.isTrusted) {
    const how = vscode.l10n.t(
      "Restricted mode: the folder's own Python environment and its setting of the server are not used.",
    );
    text.appendMarkdown(`$(shield) ${plain(how)} [${vscode.l10n.t("Manage")}](command:workbench.trust.manage)\n\n`);
  }
  for (const folder of folders) {
    appendFolder(text, folder, folders.length > 1);
  }
  text.appendMarkdown(`---\n\n${linksOf(server, working).join(" &nbsp; ")}`);
  return text;
}

export function stateOf({ state, found }: Described): string {
  switch (state) {
    case "running":
      return found === undefined
        ? vscode.l10n.t("running")
        : vscode.l10n.t("server {0}, {1}", found.version, originOf(found.origin));
    case "starting":
      return vscode.l10n.t("the server is starting…");
    case "stopped":
      return vscode.l10n.t("the server is stopped");
    case "missing":
      return vscode.l10n.t("the server was not found");
    case "failed":
      return vscode.l10n.t("the server failed");
    case "noFolder":
      return vscode.l10n.t("no folder is open");
  }
}

/** A line or two about a folder, without markup. */
export function summaryOf(folder: FolderStatus): string {
  const counts = vscode.l10n.t("{0} files, {1} places", count(folder.files), count(folder.chunks));
  return folder.pending > 0 ? vscode.l10n.t("{0}, {1} files to come", counts, count(folder.pending)) : counts;
}

export function count(number: number): string {
  return number.toLocaleString(vscode.env.language);
}

export function bytes(number: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = number;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString(vscode.env.language, { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${units[unit] ?? ""}`;
}

function appendFolder(text: vscode.MarkdownString, folder: FolderStatus, named: boolean): void {
  if (named) {
    text.appendMarkdown(`**${plain(folder.uri.split("/").at(-1) ?? folder.uri)}**\n\n`);
  }
  const rows: [string, string][] = [
    [vscode.l10n.t("State"), freshnessOf(folder)],
    [vscode.l10n.t("Indexed"), summaryOf(folder)],
    [vscode.l10n.t("Vectors"), vectorsOf(folder)],
    [vscode.l10n.t("Left out"), skippedOf(folder)],
    [vscode.l10n.t("Model"), modelOf(folder.embedder)],
    [
      vscode.l10n.t("Size"),
      vscode.l10n.t("{0} in memory, {1} on disk", bytes(folder.memoryBytes), bytes(folder.diskBytes)),
    ],
  ];
  text.appendMarkdown("| | |\n|:---|:---|\n");
  text.appendMarkdown(rows.map(([name, value]) => `| ${plain(name)} &nbsp; | ${plain(value)} |\n`).join(""));
  text.appendMarkdown("\n");
  for (const notice of [...folder.notices, ...(folder.lastError === undefined ? [] : [folder.lastError])]) {
    text.appendMarkdown(`$(warning) ${plain(notice)}\n\n`);
  }
}

function freshnessOf(folder: FolderStatus): string {
  switch (folder.state) {
    case "ready":
      return folder.pending === 0
        ? vscode.l10n.t("up to date")
        : vscode.l10n.t("{0} changed files to come", count(folder.pending));
    case "scanning":
      return vscode.l10n.t("looking for files…");
    case "indexing":
      return vscode.l10n.t("indexing, {0} files to come", count(folder.pending));
    case "merging":
      return vscode.l10n.t("up to date; indexes are being merged");
    case "failed":
      return vscode.l10n.t("failed");
  }
}

function vectorsOf({ primary, secondary, tombstones }: FolderStatus): string {
  const parts = [vscode.l10n.t("{0} in the main index ({1})", count(primary.vectors), primary.kind)];
  if (primary.recall !== undefined && primary.recall < 1) {
    const share = primary.recall.toLocaleString(vscode.env.language, { style: "percent", maximumFractionDigits: 1 });
    parts.push(vscode.l10n.t("which finds {0} of the nearest", share));
  }
  if (secondary.vectors > 0) {
    parts.push(vscode.l10n.t("{0} newer", count(secondary.vectors)));
  }
  if (tombstones > 0) {
    parts.push(vscode.l10n.t("{0} outdated", count(tombstones)));
  }
  return parts.join(", ");
}

function skippedOf(folder: FolderStatus): string {
  const reasons: Readonly<Record<string, string>> = {
    secret: vscode.l10n.t("secrets"),
    binary: vscode.l10n.t("binary"),
    minified: vscode.l10n.t("minified"),
    generated: vscode.l10n.t("generated"),
    "too-large": vscode.l10n.t("too large"),
    "long-line": vscode.l10n.t("with very long lines"),
    symlink: vscode.l10n.t("links that lead outside"),
    unreadable: vscode.l10n.t("not readable"),
    "not-a-file": vscode.l10n.t("not files"),
    ignored: vscode.l10n.t("ignored"),
    "over-cap": vscode.l10n.t("over the cap of places"),
    "over-limit": vscode.l10n.t("over the limit of files"),
  };
  const parts = Object.entries(folder.skipped)
    .filter(([, number]) => number > 0)
    .map(([reason, number]) => `${count(number)} ${reasons[reason] ?? reason}`);
  return parts.length === 0 ? vscode.l10n.t("nothing") : parts.join(", ");
}

/** Identities of models hold hashes of their contents. */
function modelOf(embedder: string): string {
  const short = embedder.replace(/[0-9a-f]{9,}/g, (hash) => hash.slice(0, 8));
  const contents = /^static:([0-9a-f]{8})[^+]*$/.exec(short)?.[1];
  return contents === undefined ? short : vscode.l10n.t("static, on this machine ({0})", contents);
}

function linksOf({ state }: Described, working: boolean): string[] {
  const link = (icon: string, label: string, command: string): string =>
    `[$(${icon}) ${plain(label)}](command:${command})`;
  const log = link("output", vscode.l10n.t("Log"), "codeintel-ls.showLog");
  const restart = link("debug-restart", vscode.l10n.t("Restart"), "codeintel-ls.restartServer");
  const settings = `workbench.action.openSettings?${encodeURIComponent(JSON.stringify(["codeintel.server.path"]))}`;
  // What the setting names is used or complained of: another server would not help.
  const remedy =
    setting("server.path", "") === ""
      ? link("cloud-download", vscode.l10n.t("Install"), "codeintel-ls.installServer")
      : link("settings-gear", vscode.l10n.t("Change the Setting"), settings);
  switch (state) {
    case "running":
      return [
        working
          ? link("debug-pause", vscode.l10n.t("Pause"), "codeintel-ls.pauseIndexing")
          : link("sync", vscode.l10n.t("Update"), "codeintel-ls.updateIndex"),
        link("debug-rerun", vscode.l10n.t("Rebuild"), "codeintel-ls.rebuildIndex"),
        link("git-merge", vscode.l10n.t("Merge"), "codeintel-ls.mergeIndexes"),
        log,
      ];
    case "missing":
      return [remedy, restart, log];
    case "starting":
    case "stopped":
    case "failed":
    case "noFolder":
      return [restart, log];
  }
}

function originOf(origin: string): string {
  switch (origin) {
    case "setting":
      return vscode.l10n.t("from the settings");
    case "workspace":
      return vscode.l10n.t("from the workspace's Python environment");
    case "private":
      return vscode.l10n.t("from the extension's own environment");
    default:
      return vscode.l10n.t("from PATH");
  }
}

function plain(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|~$]/g, "\\$&").replace(/\n/g, "  \n");
}
