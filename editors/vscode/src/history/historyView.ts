/** The history view: what it shows, and how it follows the editor. */
import { stat } from "node:fs/promises";
import * as vscode from "vscode";
import { told } from "../server/refusals";
import type { Server } from "../server/server";
import type { HistoryModel } from "./historyModel";
import type { HistoryTarget } from "./historySource";
import type { HistoryNode, HistoryTree } from "./historyTree";

export const HISTORY_VIEW = "codeintel-ls.historyView";
const FOLLOW_MILLISECONDS = 150;

export class HistoryView implements vscode.Disposable {
  private readonly view: vscode.TreeView<HistoryNode>;
  private readonly listening: vscode.Disposable;
  private timer: NodeJS.Timeout | undefined;
  private pinned = false;

  constructor(
    private readonly server: Server,
    private readonly model: HistoryModel,
    tree: HistoryTree,
  ) {
    this.view = vscode.window.createTreeView(HISTORY_VIEW, { treeDataProvider: tree, showCollapseAll: false });
    this.listening = vscode.Disposable.from(
      this.view,
      this.view.onDidChangeVisibility(() => {
        this.followSoon();
      }),
      vscode.window.onDidChangeActiveTextEditor(() => {
        this.followSoon();
      }),
      vscode.workspace.onDidSaveTextDocument((document) => {
        // A commit is made between two saves, if ever: what is listed is looked at again.
        if (
          this.view.visible &&
          document.uri.toString() === model.target?.uri.toString() &&
          model.failure !== undefined
        ) {
          void model.reload();
        }
      }),
      server.onDidChangeState(({ state }) => {
        if (state === "running") {
          void model.reload();
          this.followSoon();
        }
      }),
      model.onDidChange(() => {
        this.describe();
      }),
    );
    this.followSoon();
  }

  /** What is not the open file keeps its place, too: the view would follow the editor away from it. */
  async showFile(uri: vscode.Uri): Promise<void> {
    this.pin(uri.toString() !== vscode.window.activeTextEditor?.document.uri.toString());
    await this.show({ uri, lines: undefined, isFolder: await isFolder(uri) });
  }

  /** Lines keep their place in the view until somebody lets it follow the editor again. */
  async showLines(uri: vscode.Uri, first: number, last: number): Promise<void> {
    this.pin(true);
    await this.show({ uri, lines: { first, last }, isFolder: false });
  }

  pin(pinned: boolean): void {
    this.pinned = pinned;
    void vscode.commands.executeCommand("setContext", "codeintel-ls.historyPinned", pinned);
    if (!pinned) {
      this.followSoon();
    }
  }

  get visible(): boolean {
    return this.view.visible;
  }

  async focus(): Promise<void> {
    await vscode.commands.executeCommand(`${HISTORY_VIEW}.focus`);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listening.dispose();
  }

  private async show(target: HistoryTarget): Promise<void> {
    clearTimeout(this.timer);
    const shown = this.model.show(target);
    await this.focus();
    await shown;
  }

  private followSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      void told(() => this.follow());
    }, FOLLOW_MILLISECONDS);
  }

  private async follow(): Promise<void> {
    const uri = vscode.window.activeTextEditor?.document.uri;
    const { model } = this;
    if (!this.view.visible || this.pinned || model.question !== undefined || this.server.state !== "running") {
      return;
    }
    // Comparisons and earlier revisions are opened from here: they change nothing.
    if (uri?.scheme !== "file" || vscode.workspace.getWorkspaceFolder(uri) === undefined) {
      return;
    }
    const { target } = model;
    if (target?.uri.toString() !== uri.toString() || target.lines !== undefined) {
      await model.show({ uri, lines: undefined, isFolder: false });
    }
  }

  /** What stands above the list. */
  private describe(): void {
    const { model, view } = this;
    const { target, question } = model;
    const filtered = question !== undefined || model.filter !== "";
    void vscode.commands.executeCommand("setContext", "codeintel-ls.historyFiltered", filtered);
    view.description = question === undefined ? describeTarget(target) : `“${question}”`;
    view.message = messageOf(model) ?? "";
  }
}

function describeTarget(target: HistoryTarget | undefined): string {
  if (target === undefined) {
    return "";
  }
  const name = target.uri.path.split("/").at(-1) ?? "";
  const { lines } = target;
  if (lines === undefined) {
    return name;
  }
  return lines.first === lines.last
    ? vscode.l10n.t("{0}, line {1}", name, lines.first + 1)
    : vscode.l10n.t("{0}, lines {1} to {2}", name, lines.first + 1, lines.last + 1);
}

function messageOf(model: HistoryModel): string | undefined {
  const { found, target } = model;
  if (model.failure !== undefined) {
    return model.failure;
  }
  if (model.question !== undefined) {
    if (found === undefined) {
      return vscode.l10n.t("Searching…");
    }
    if (!found.complete) {
      return vscode.l10n.t("Commits are still being indexed: there may be more.");
    }
    return found.commits.length === 0 ? vscode.l10n.t("No commit was found.") : undefined;
  }
  if (target === undefined) {
    return undefined;
  }
  if (model.filter !== "") {
    return vscode.l10n.t("“{0}”: {1} of {2} commits looked at", model.filter, model.entries.length, model.looked);
  }
  if (model.busy) {
    return model.looked === 0 ? vscode.l10n.t("Loading…") : undefined;
  }
  switch (model.boundary) {
    case "shallow":
      return vscode.l10n.t("This is a shallow clone: there may be older commits.");
    case "partial":
      return vscode.l10n.t("This is a partial clone: renames may be missing.");
    case undefined:
      return model.looked === 0 ? vscode.l10n.t("No commit has changed it.") : undefined;
  }
}

async function isFolder(uri: vscode.Uri): Promise<boolean> {
  try {
    return (await stat(uri.fsPath)).isDirectory();
  } catch {
    return false;
  }
}
