/**
 * A commit as a hover shows it, with what can be done about it.
 *
 * Invariant: nothing that a commit holds is taken for markup, and only the commands that stand
 * here can be run from it.
 */
import * as vscode from "vscode";
import type { Revision } from "../history/revisions";
import type { Commit } from "../protocol";
import { setting } from "../settings";
import { bodyOf, cut, dateText, isoDate, relativeDate } from "./blameText";

const COMMANDS = [
  "codeintel-ls.openChanges",
  "codeintel-ls.compareWithWorking",
  "codeintel-ls.openAtCommit",
  "codeintel-ls.openCommitPage",
  "codeintel-ls.copyCommitId",
  "codeintel-ls.showLineHistory",
];
const LONGEST_BODY = 1_500;

/** Where the hovered line is, for the actions about it. */
export interface HoveredLine {
  readonly uri: vscode.Uri;
  readonly line: number;
}

export function dateOf(commit: Commit): string {
  return dateText(commit.author, setting("blame.dateFormat", "relative"), Date.now() / 1000, vscode.env.language);
}

export function commitMarkdown(
  commit: Commit,
  revision: Revision | undefined,
  line: HoveredLine | undefined,
): vscode.MarkdownString {
  const text = new vscode.MarkdownString(undefined, true);
  text.isTrusted = { enabledCommands: COMMANDS };
  const age = relativeDate(commit.author.time, Date.now() / 1000, vscode.env.language);
  const id = `\`${commit.shortId}\``;
  const page = revision?.page;
  text.appendMarkdown(
    `$(account) **${escaped(commit.author.name)}** · ${escaped(age)} (${isoDate(commit.author)}) · $(git-commit) ${page === undefined ? id : `[${id}](${target(page)})`}\n\n`,
  );
  text.appendMarkdown(`${escaped(commit.summary)}\n\n`);
  const actions = actionsOf(revision, line, page !== undefined);
  if (actions.length > 0) {
    text.appendMarkdown(`${actions.join(" &nbsp; ")}\n\n`);
  }
  const body = cut(bodyOf(commit), LONGEST_BODY);
  if (body !== "") {
    // Two spaces keep the line breaks that the message has.
    text.appendMarkdown(`---\n\n${body.split(/\r?\n/).map(escaped).join("  \n")}`);
  }
  return text;
}

function actionsOf(revision: Revision | undefined, line: HoveredLine | undefined, hasPage: boolean): string[] {
  const actions: string[] = [];
  if (revision !== undefined) {
    actions.push(
      action(
        "compare-changes",
        vscode.l10n.t("Changes"),
        "codeintel-ls.openChanges",
        vscode.l10n.t("Compare this commit with the one before"),
        revision,
      ),
      action(
        "diff",
        vscode.l10n.t("Compare with File"),
        "codeintel-ls.compareWithWorking",
        vscode.l10n.t("Compare this commit with the working file"),
        revision,
      ),
      action(
        "go-to-file",
        vscode.l10n.t("File at Commit"),
        "codeintel-ls.openAtCommit",
        vscode.l10n.t("Open the file as it was at this commit"),
        revision,
      ),
    );
  }
  if (line !== undefined) {
    const place = { uri: line.uri.toString(), line: line.line };
    actions.push(
      action(
        "history",
        vscode.l10n.t("Line History"),
        "codeintel-ls.showLineHistory",
        vscode.l10n.t("Show the history of this line"),
        place,
      ),
    );
  }
  if (revision !== undefined) {
    if (hasPage) {
      actions.push(
        action(
          "link-external",
          vscode.l10n.t("Open in Browser"),
          "codeintel-ls.openCommitPage",
          vscode.l10n.t("Open the commit in a browser"),
          revision,
        ),
      );
    }
    actions.push(
      action(
        "copy",
        vscode.l10n.t("Copy Id"),
        "codeintel-ls.copyCommitId",
        vscode.l10n.t("Copy the commit's id"),
        revision,
      ),
    );
  }
  return actions;
}

function action(icon: string, label: string, command: string, title: string, argument: object): string {
  const link = `command:${command}?${encodeURIComponent(JSON.stringify([argument])).replace(/[()]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)}`;
  return `[$(${icon}) ${escaped(label)}](${link} "${escaped(title)}")`;
}

function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()<>#+\-.!|~&$:@]/g, "\\$&");
}

function target(url: string): string {
  return url
    .replace(/[()\s"<>\\]/g, encodeURIComponent)
    .replace(/\(/g, "%28")
    .replace(/\)/g, "%29");
}
