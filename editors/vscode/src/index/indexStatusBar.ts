/** How the server and its indexes are: one item of the status bar, with all about it in its hover. */
import * as vscode from "vscode";
import { type FolderStatus, IndexStatus, type ServerStatus } from "../protocol";
import type { Server } from "../server/server";
import { reportMarkdown } from "./indexReport";
import type { ProgressBars } from "./progressBars";

/** While it indexes the server tells its status five times a second: the hover needs less. */
const LOOK_MILLISECONDS = 1_000;
const PRIORITY = 49;
const CONTEXT = "codeintel-ls.indexing";

export class IndexStatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "codeintel-ls.index",
    vscode.StatusBarAlignment.Right,
    PRIORITY,
  );
  private readonly listening: vscode.Disposable;
  private status: ServerStatus | undefined;
  private known: readonly FolderStatus[] = [];
  private timer: NodeJS.Timeout | undefined;
  private lastLook = 0;
  private indexing = false;

  constructor(
    private readonly server: Server,
    private readonly bars: ProgressBars,
  ) {
    this.item.name = vscode.l10n.t("CodeIntel: Index");
    this.item.command = "codeintel-ls.showIndexStatus";
    this.listening = vscode.Disposable.from(
      server.onDidChangeState(() => {
        this.known = server.state === "running" ? this.known : [];
        this.draw();
        this.lookSoon();
      }),
      server.onDidTellStatus((status) => {
        this.status = status;
        if (status === undefined) {
          bars.clear();
        }
        this.draw();
        this.lookSoon();
      }),
      bars.onDidChange(() => {
        this.draw();
      }),
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        this.draw();
      }),
    );
    this.draw();
  }

  get folders(): readonly FolderStatus[] {
    return this.known;
  }

  get message(): string | undefined {
    // The server names its own command, which no palette shows.
    return this.status?.message.replace(
      "the command codeintel.updateIndex",
      vscode.l10n.t("“Bring the Index Up to Date”"),
    );
  }

  /** What is shown now. */
  get shown(): { readonly text: string; readonly tooltip: string } {
    const { text, tooltip } = this.item;
    return { text, tooltip: typeof tooltip === "string" ? tooltip : (tooltip?.value ?? "") };
  }

  /** Asks how the indexes are. */
  async look(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.server.state !== "running") {
      return;
    }
    this.lastLook = Date.now();
    try {
      this.known = (await this.server.request(IndexStatus, {})).folders;
    } catch {
      // It has gone meanwhile: its state says so.
    }
    this.draw();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listening.dispose();
    this.item.dispose();
  }

  private lookSoon(): void {
    this.timer ??= setTimeout(
      () => {
        void this.look();
      },
      Math.max(0, this.lastLook + LOOK_MILLISECONDS - Date.now()),
    );
  }

  private draw(): void {
    const { item, server, status } = this;
    if (server.state === "noFolder") {
      item.hide();
      return;
    }
    const working = this.bars.shown.length > 0 || status?.state === "indexing" || status?.state === "scanning";
    this.tellContext(working);
    item.text = this.text(working);
    const severity = this.severity();
    item.backgroundColor =
      severity === undefined ? undefined : new vscode.ThemeColor(`statusBarItem.${severity}Background`);
    item.tooltip = reportMarkdown(server.description, this.known, working);
    item.accessibilityInformation = {
      label: `CodeIntel: ${this.message ?? server.description.problem ?? server.state}`,
      role: "button",
    };
    item.show();
  }

  private text(working: boolean): string {
    const { activity } = this.server.description;
    if (activity !== undefined) {
      return `$(loading~spin) CodeIntel: ${activity}`;
    }
    switch (this.server.state) {
      case "starting":
        return "$(loading~spin) CodeIntel";
      case "missing":
        return `$(cloud-download) ${vscode.l10n.t("CodeIntel: no server")}`;
      case "failed":
      case "stopped":
        return `$(error) ${vscode.l10n.t("CodeIntel: not running")}`;
      case "running":
      case "noFolder":
        break;
    }
    if (working) {
      const percentage = Math.min(...this.bars.shown.map((bar) => bar.percentage ?? 100));
      return `$(sync~spin) CodeIntel${Number.isFinite(percentage) ? ` ${percentage}%` : ""}`;
    }
    return this.severity() === undefined ? "$(search-fuzzy) CodeIntel" : "$(warning) CodeIntel";
  }

  private severity(): "warning" | "error" | undefined {
    const { server, status } = this;
    if (server.state === "failed" || status?.health === "error") {
      return "error";
    }
    const troubled = server.state === "missing" || status?.health === "warning";
    return troubled || (server.state === "running" && server.description.problem !== undefined) ? "warning" : undefined;
  }

  private tellContext(indexing: boolean): void {
    if (indexing !== this.indexing) {
      this.indexing = indexing;
      void vscode.commands.executeCommand("setContext", CONTEXT, indexing);
    }
  }
}
