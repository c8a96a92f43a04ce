/** The commit at the end of the cursor's line. */
import * as vscode from "vscode";
import { changeSetting, onDidChangeSetting, setting } from "../settings";
import { oneLine } from "./blameText";
import { dateOf } from "./commitMarkdown";
import type { CurrentLine, CurrentLineBlame } from "./currentLine";

export class LineAnnotation implements vscode.Disposable {
  private readonly type = vscode.window.createTextEditorDecorationType({
    // What is typed at the line's end goes before the annotation.
    rangeBehavior: vscode.DecorationRangeBehavior.OpenOpen,
    after: {
      margin: "0 0 0 3em",
      color: new vscode.ThemeColor("codeintelLs.annotation"),
      fontStyle: "normal",
      textDecoration: "none; white-space: pre",
    },
  });
  private readonly listening: vscode.Disposable;
  private drawn: { readonly editor: vscode.TextEditor; readonly line: number; readonly text: string } | undefined;

  constructor(source: CurrentLineBlame) {
    this.listening = vscode.Disposable.from(
      source.onDidChange((current) => {
        this.draw(current);
      }),
      onDidChangeSetting(["annotation.enabled", "blame.format", "blame.dateFormat", "blame.inlayHints"], () => {
        this.draw(source.current);
      }),
      vscode.commands.registerCommand("codeintel-ls.toggleLineBlame", () =>
        changeSetting("annotation.enabled", !setting("annotation.enabled", true)),
      ),
    );
  }

  /** What is drawn now. */
  get text(): string | undefined {
    return this.drawn?.text;
  }

  dispose(): void {
    this.listening.dispose();
    this.type.dispose();
  }

  private draw(current: CurrentLine | undefined): void {
    // Inlay hints show the same for every line, where somebody has asked for them.
    const wanted = setting("annotation.enabled", true) && setting("blame.inlayHints", "off") !== "visible";
    if (current === undefined || !wanted) {
      this.clear();
      return;
    }
    const { editor, line, blame } = current;
    const { commit } = blame;
    const format = setting("blame.format", "{author}, {date} · {summary}");
    const text = commit === undefined ? vscode.l10n.t("Not committed yet") : oneLine(commit, format, dateOf(commit));
    const { drawn } = this;
    if (drawn?.editor === editor && drawn.line === line && drawn.text === text) {
      return;
    }
    if (drawn !== undefined && drawn.editor !== editor) {
      this.clear();
    }
    this.drawn = { editor, line, text };
    const { end } = editor.document.lineAt(line).range;
    editor.setDecorations(this.type, [{ range: new vscode.Range(end, end), renderOptions: { after: { contentText: text } } }]);
  }

  private clear(): void {
    this.drawn?.editor.setDecorations(this.type, []);
    this.drawn = undefined;
  }
}
