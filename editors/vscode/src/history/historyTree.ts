/** The history as items of a tree: commits, the paths of found commits, and what else there is to load. */
import * as vscode from "vscode";
import type { ShownItem } from "../api";
import { commitMarkdown, dateOf } from "../blame/commitMarkdown";
import type { CommitHit, HistoryEntry } from "../protocol";
import type { HistoryModel } from "./historyModel";
import type { HistorySource } from "./historySource";
import { type Revision, revisionOf } from "./revisions";

export type HistoryNode =
  | { readonly kind: "entry"; readonly entry: HistoryEntry; readonly file: vscode.Uri; readonly isFolder: boolean }
  | { readonly kind: "commit"; readonly commit: CommitHit }
  | { readonly kind: "path"; readonly commit: CommitHit; readonly path: string; readonly file: vscode.Uri }
  | { readonly kind: "more" };

const STATUS_ICONS: Readonly<Record<string, readonly [icon: string, color: string]>> = {
  A: ["diff-added", "gitDecoration.addedResourceForeground"],
  M: ["git-commit", "foreground"],
  D: ["diff-removed", "gitDecoration.deletedResourceForeground"],
  R: ["diff-renamed", "gitDecoration.renamedResourceForeground"],
  C: ["diff-added", "gitDecoration.addedResourceForeground"],
};

/** The commit that a node of the tree is about. */
export function revisionOfNode(node: HistoryNode): Revision | undefined {
  switch (node.kind) {
    case "entry": {
      const { entry, file } = node;
      return {
        ...revisionOf(entry, file, entry.path),
        status: entry.status,
        previousPath: entry.previousPath,
        message: entry.message,
      };
    }
    case "path":
      return { ...revisionOf(node.commit, node.file, node.path), message: node.commit.message };
    case "commit": {
      const file = (vscode.workspace.workspaceFolders ?? [])[0]?.uri;
      return file === undefined ? undefined : { ...revisionOf(node.commit, file, "."), message: node.commit.message };
    }
    case "more":
      return undefined;
  }
}

export class HistoryTree implements vscode.TreeDataProvider<HistoryNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly listening: vscode.Disposable;
  readonly onDidChangeTreeData = this.changed.event;

  constructor(
    private readonly model: HistoryModel,
    private readonly source: HistorySource,
  ) {
    this.listening = model.onDidChange(() => {
      this.changed.fire();
    });
  }

  async getChildren(node?: HistoryNode): Promise<HistoryNode[]> {
    if (node?.kind === "commit") {
      return this.paths(node.commit);
    }
    if (node !== undefined) {
      return [];
    }
    return this.roots();
  }

  getTreeItem(node: HistoryNode): vscode.TreeItem {
    switch (node.kind) {
      case "entry":
        return entryItem(node.entry, node);
      case "commit":
        return commitItem(node.commit);
      case "path":
        return pathItem(node);
      case "more":
        return moreItem(this.model);
    }
  }

  resolveTreeItem(item: vscode.TreeItem, node: HistoryNode): vscode.TreeItem {
    const revision = revisionOfNode(node);
    if (node.kind === "entry" || node.kind === "commit") {
      const commit = node.kind === "entry" ? node.entry : node.commit;
      item.tooltip = commitMarkdown(commit, revision, undefined);
    }
    return item;
  }

  /** What is listed at the top. */
  shown(): ShownItem[] {
    return this.roots().map((node) => {
      const item = this.getTreeItem(node);
      return {
        label: typeof item.label === "string" ? item.label : (item.label?.label ?? ""),
        description: typeof item.description === "string" ? item.description : undefined,
        detail: item.contextValue,
      };
    });
  }

  dispose(): void {
    this.listening.dispose();
    this.changed.dispose();
  }

  private roots(): HistoryNode[] {
    const { model } = this;
    if (model.question !== undefined) {
      return (model.found?.commits ?? []).map((commit) => ({ kind: "commit", commit }));
    }
    const { target } = model;
    if (target === undefined) {
      return [];
    }
    const { uri: file, isFolder } = target;
    const nodes = model.entries.map((entry): HistoryNode => ({ kind: "entry", entry, file, isFolder }));
    return model.hasMore ? [...nodes, { kind: "more" }] : nodes;
  }

  private async paths(commit: CommitHit): Promise<HistoryNode[]> {
    const [first] = commit.paths;
    const root = first === undefined ? undefined : await this.source.repositoryWith(commit.id, first);
    return root === undefined
      ? []
      : commit.paths.map((path) => ({ kind: "path", commit, path, file: vscode.Uri.joinPath(root, path) }));
  }
}

function entryItem(entry: HistoryEntry, node: HistoryNode & { kind: "entry" }): vscode.TreeItem {
  const item = new vscode.TreeItem(entry.summary);
  const [icon, color] = STATUS_ICONS[entry.status] ?? STATUS_ICONS["M"] ?? ["git-commit", "foreground"];
  item.iconPath = new vscode.ThemeIcon(icon, new vscode.ThemeColor(color));
  item.description = [`${entry.author.name}, ${dateOf(entry)}`, countsOf(entry)]
    .filter((part) => part !== "")
    .join("  ");
  const page = entry.url === undefined ? "" : ":page";
  item.contextValue = node.isFolder ? `codeintel-ls.commit${page}` : `codeintel-ls.change${page}`;
  item.accessibilityInformation = {
    label: `${entry.summary}, ${entry.author.name}, ${dateOf(entry)}, ${entry.shortId}`,
  };
  if (!node.isFolder) {
    item.command = { command: "codeintel-ls.openChanges", title: vscode.l10n.t("Open Changes"), arguments: [node] };
  }
  return item;
}

function commitItem(commit: CommitHit): vscode.TreeItem {
  const state =
    commit.paths.length > 0 ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None;
  const item = new vscode.TreeItem(commit.summary, state);
  item.id = commit.id;
  item.iconPath = new vscode.ThemeIcon("git-commit");
  item.description = `${commit.author.name}, ${dateOf(commit)}`;
  item.contextValue = `codeintel-ls.commit${commit.url === undefined ? "" : ":page"}`;
  return item;
}

function pathItem(node: HistoryNode & { kind: "path" }): vscode.TreeItem {
  const item = new vscode.TreeItem(node.path.split("/").at(-1) ?? node.path);
  item.resourceUri = node.file;
  item.iconPath = vscode.ThemeIcon.File;
  item.description = node.path.includes("/") ? node.path.slice(0, node.path.lastIndexOf("/")) : "";
  item.contextValue = "codeintel-ls.change";
  item.command = { command: "codeintel-ls.openChanges", title: vscode.l10n.t("Open Changes"), arguments: [node] };
  return item;
}

function moreItem(model: HistoryModel): vscode.TreeItem {
  const item = new vscode.TreeItem(model.busy ? vscode.l10n.t("Loading…") : vscode.l10n.t("Load More"));
  item.iconPath = new vscode.ThemeIcon(model.busy ? "loading~spin" : "ellipsis");
  item.command = { command: "codeintel-ls.loadMoreHistory", title: vscode.l10n.t("Load More") };
  return item;
}

function countsOf({ additions, deletions }: HistoryEntry): string {
  return additions === null || deletions === null ? "" : `+${additions} −${deletions}`;
}
