/** What one can do about the index: bring it up to date, rebuild, merge, pause. */
import * as vscode from "vscode";
import { type IndexStatusResult, MergeIndexes, type Operation, RebuildIndex, UpdateIndex } from "../protocol";
import { isCancelled, sentenceOf, told } from "../server/refusals";
import type { Server } from "../server/server";
import { stateOf, summaryOf } from "./indexReport";
import type { IndexStatusBar } from "./indexStatusBar";
import type { ProgressBars } from "./progressBars";

interface Action extends vscode.QuickPickItem {
  readonly command?: string;
}

type Work = Operation<{ readonly workDoneToken?: string }, IndexStatusResult>;

export class IndexCommands implements vscode.Disposable {
  private readonly listening: vscode.Disposable;
  /** Work that was asked for here, by the token of its progress. */
  private readonly running = new Map<string, vscode.CancellationTokenSource>();
  private made = 0;

  constructor(
    private readonly server: Server,
    private readonly bars: ProgressBars,
    private readonly bar: IndexStatusBar,
  ) {
    const register = (name: string, work: () => Promise<void>): vscode.Disposable =>
      vscode.commands.registerCommand(`codeintel-ls.${name}`, () => told(work));
    this.listening = vscode.Disposable.from(
      register("updateIndex", () => this.perform(UpdateIndex)),
      register("rebuildIndex", () => this.perform(RebuildIndex)),
      register("mergeIndexes", () => this.perform(MergeIndexes)),
      register("pauseIndexing", () => this.pause()),
      register("showIndexStatus", () => this.choose()),
    );
  }

  dispose(): void {
    this.listening.dispose();
    for (const source of this.running.values()) {
      source.cancel();
      source.dispose();
    }
  }

  /** The status bar shows how far it is; only what went wrong is said aloud. */
  private async perform(type: Work): Promise<void> {
    await this.server.whenRunning();
    const workDoneToken = `codeintel-ls-${++this.made}`;
    const source = new vscode.CancellationTokenSource();
    this.running.set(workDoneToken, source);
    const listening = this.server.onProgress(workDoneToken);
    try {
      const { folders } = await this.server.request(type, { workDoneToken }, source.token);
      vscode.window.setStatusBarMessage(`$(check) CodeIntel: ${folders.map(summaryOf).join("; ")}`, 4_000);
    } catch (error) {
      if (!isCancelled(error)) {
        throw new Error(sentenceOf(error));
      }
    } finally {
      listening.dispose();
      source.dispose();
      this.running.delete(workDoneToken);
      await this.bar.look();
    }
  }

  /** Stops what is being indexed. What was found so far stays; bringing it up to date goes on. */
  private async pause(): Promise<void> {
    for (const token of this.bars.tokens) {
      const mine = this.running.get(String(token));
      if (mine === undefined) {
        await this.server.cancelProgress(token);
      } else {
        mine.cancel();
      }
    }
  }

  private async choose(): Promise<void> {
    await this.bar.look();
    const pick = await vscode.window.showQuickPick<Action>(this.actions(), {
      title: vscode.l10n.t("CodeIntel: Index"),
      placeHolder: this.bar.message ?? this.server.description.problem ?? stateOf(this.server.description),
    });
    if (pick?.command !== undefined) {
      await vscode.commands.executeCommand(pick.command);
    }
  }

  private actions(): Action[] {
    const running = this.server.state === "running";
    const folders = this.bar.folders.map((folder): Action => ({
      label: `$(folder) ${folder.uri.split("/").at(-1) ?? folder.uri}`,
      description: summaryOf(folder),
    }));
    const action = (icon: string, label: string, command: string): Action => ({
      label: `$(${icon}) ${label}`,
      command,
    });
    const work =
      this.bars.tokens.length > 0
        ? action("debug-pause", vscode.l10n.t("Pause Indexing"), "codeintel-ls.pauseIndexing")
        : action("sync", vscode.l10n.t("Bring the Index Up to Date"), "codeintel-ls.updateIndex");
    const separator = { label: "", kind: vscode.QuickPickItemKind.Separator };
    return [
      ...(folders.length > 0 ? [...folders, separator] : []),
      ...(running
        ? [
            work,
            action("debug-rerun", vscode.l10n.t("Rebuild the Index"), "codeintel-ls.rebuildIndex"),
            action("git-merge", vscode.l10n.t("Merge the Indexes"), "codeintel-ls.mergeIndexes"),
            separator,
          ]
        : []),
      ...(this.server.state === "missing"
        ? [action("cloud-download", vscode.l10n.t("Install the Server…"), "codeintel-ls.installServer")]
        : []),
      action("debug-restart", vscode.l10n.t("Restart the Server"), "codeintel-ls.restartServer"),
      action("output", vscode.l10n.t("Show Log"), "codeintel-ls.showLog"),
      ...(running ? [action("bug", vscode.l10n.t("Show Debug Information"), "codeintel-ls.showDebugInformation")] : []),
      action("book", vscode.l10n.t("Open Walkthrough"), "codeintel-ls.openWalkthrough"),
    ];
  }
}
