/** The author of the cursor's line in the status bar. */
import * as vscode from "vscode";
import { revisionOf } from "../history/revisions";
import { onDidChangeSetting, shownBeside } from "../settings";
import { commitMarkdown, dateOf } from "./commitMarkdown";
import type { CurrentLine, CurrentLineBlame } from "./currentLine";

/** The item goes only when there is nothing to show for so long: it would flicker with every move. */
const GONE_MILLISECONDS = 250;
const PRIORITY = 50;

export class BlameStatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "codeintel-ls.blame",
    vscode.StatusBarAlignment.Right,
    PRIORITY,
  );
  private readonly listening: vscode.Disposable;
  private timer: NodeJS.Timeout | undefined;
  private visible = false;

  constructor(source: CurrentLineBlame) {
    this.item.name = vscode.l10n.t("CodeIntel: Blame of the Line");
    this.item.command = "codeintel-ls.showLineActions";
    this.listening = vscode.Disposable.from(
      source.onDidChange((current) => {
        this.show(current);
      }),
      onDidChangeSetting(["statusBar.blame", "blame.dateFormat", "git.blame.statusBarItem.enabled"], () => {
        this.show(source.current);
      }),
    );
  }

  /** What is shown now. */
  get shown(): { readonly text: string; readonly tooltip: string } | undefined {
    const { text, tooltip } = this.item;
    return this.visible ? { text, tooltip: typeof tooltip === "string" ? tooltip : (tooltip?.value ?? "") } : undefined;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.listening.dispose();
    this.item.dispose();
  }

  private show(current: CurrentLine | undefined): void {
    clearTimeout(this.timer);
    if (!shownBeside("statusBar.blame", "git.blame.statusBarItem.enabled")) {
      this.hide();
      return;
    }
    if (current === undefined) {
      this.timer = setTimeout(() => {
        this.hide();
      }, GONE_MILLISECONDS);
      return;
    }
    const { commit, hunk } = current.blame;
    const uri = current.editor.document.uri;
    if (commit === undefined) {
      this.item.text = `$(git-commit) ${vscode.l10n.t("Not committed yet")}`;
      this.item.tooltip = vscode.l10n.t("This line is not committed yet.");
    } else {
      this.item.text = `$(git-commit) ${commit.author.name}, ${dateOf(commit)}`;
      this.item.tooltip = commitMarkdown(commit, revisionOf(commit, uri, hunk.originalPath), {
        uri,
        line: current.line,
      });
    }
    this.visible = true;
    this.item.show();
  }

  private hide(): void {
    this.visible = false;
    this.item.hide();
  }
}
