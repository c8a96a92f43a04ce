/** What can be done about the commit of the cursor's line, as a list: for the status bar and the keyboard. */
import * as vscode from "vscode";
import { type Revision, revisionOf } from "../history/revisions";
import { told } from "../server/refusals";
import { dateOf } from "./commitMarkdown";
import type { CurrentLine, CurrentLineBlame } from "./currentLine";

interface Action extends vscode.QuickPickItem {
  readonly command: string;
  readonly argument?: object;
}

export function registerLineActions(source: CurrentLineBlame): vscode.Disposable {
  return vscode.commands.registerCommand("codeintel-ls.showLineActions", () => told(() => choose(source.current)));
}

async function choose(current: CurrentLine | undefined): Promise<void> {
  if (current === undefined) {
    throw new Error(vscode.l10n.t("There is no blame of this line."));
  }
  const { commit } = current.blame;
  const chosen = await vscode.window.showQuickPick(actionsOf(current), {
    title:
      commit === undefined
        ? vscode.l10n.t("Not committed yet")
        : `${commit.shortId} · ${commit.author.name}, ${dateOf(commit)}`,
    placeHolder: commit?.summary ?? "",
  });
  if (chosen !== undefined) {
    await vscode.commands.executeCommand(chosen.command, ...(chosen.argument === undefined ? [] : [chosen.argument]));
  }
}

/** The commit of a line; undefined where it is not committed. */
export function revisionOfLine({ editor, line, blame }: CurrentLine): Revision | undefined {
  const { commit, hunk } = blame;
  const then = hunk.originalLine + line - hunk.startLine;
  return commit === undefined
    ? undefined
    : { ...revisionOf(commit, editor.document.uri, hunk.originalPath, then), message: commit.message };
}

function actionsOf(current: CurrentLine): Action[] {
  const { editor, line, blame } = current;
  const { commit } = blame;
  const { uri } = editor.document;
  const argument = revisionOfLine(current);
  const general: Action[] = [
    {
      label: `$(history) ${vscode.l10n.t("Show History of This Line")}`,
      command: "codeintel-ls.showLineHistory",
      argument: { uri: uri.toString(), line },
    },
    { label: `$(history) ${vscode.l10n.t("Show File History")}`, command: "codeintel-ls.showFileHistory" },
    {
      label: `$(list-flat) ${vscode.l10n.t("Toggle Blame of the Whole File")}`,
      command: "codeintel-ls.toggleFileBlame",
    },
  ];
  if (commit === undefined || argument === undefined) {
    return general;
  }
  const page: Action[] =
    commit.url === undefined
      ? []
      : [
          {
            label: `$(link-external) ${vscode.l10n.t("Open Commit in Browser")}`,
            command: "codeintel-ls.openCommitPage",
            argument,
          },
        ];
  return [
    {
      label: `$(compare-changes) ${vscode.l10n.t("Open Changes")}`,
      description: commit.summary,
      command: "codeintel-ls.openChanges",
      argument,
    },
    {
      label: `$(diff) ${vscode.l10n.t("Compare with Working File")}`,
      command: "codeintel-ls.compareWithWorking",
      argument,
    },
    {
      label: `$(go-to-file) ${vscode.l10n.t("Open File at This Commit")}`,
      command: "codeintel-ls.openAtCommit",
      argument,
    },
    ...page,
    { label: `$(copy) ${vscode.l10n.t("Copy Commit Id")}`, command: "codeintel-ls.copyCommitId", argument },
    { label: `$(copy) ${vscode.l10n.t("Copy Commit Message")}`, command: "codeintel-ls.copyCommitMessage", argument },
    ...general,
  ];
}
