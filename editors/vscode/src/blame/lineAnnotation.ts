/** The commit at the end of the cursor's line. */
import * as vscode from "vscode";
import { changeSetting, onDidChangeSetting, setting, shownBeside } from "../settings";
import { oneLine } from "./blameText";
import { dateOf } from "./commitMarkdown";
import type { CurrentLine, CurrentLineBlame } from "./currentLine";

interface Drawn {
  readonly editor: vscode.TextEditor;
  readonly line: number;
  readonly text: string;
  /** Where the line ended when it was drawn. */
  readonly end: number;
}

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
  private drawn: Drawn | undefined;

  constructor(source: CurrentLineBlame) {
    this.listening = vscode.Disposable.from(
      source.onDidChange((current) => {
        this.draw(current);
      }),
      onDidChangeSetting(
        [
          "annotation.enabled",
          "blame.format",
          "blame.dateFormat",
          "blame.inlayHints",
          "git.blame.editorDecoration.enabled",
        ],
        () => {
          this.draw(source.current);
        },
      ),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        const { drawn } = this;
        if (document === drawn?.editor.document && drawn.line < document.lineCount) {
          this.put(drawn.editor, drawn.line, drawn.text);
        }
      }),
      vscode.commands.registerCommand("codeintel-ls.toggleLineBlame", () =>
        changeSetting("annotation.enabled", !this.wanted()),
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
    const doubled = setting("blame.inlayHints", "off") === "visible";
    if (current === undefined || doubled || !this.wanted()) {
      this.clear();
      return;
    }
    const { editor, line, blame } = current;
    const { commit } = blame;
    const format = setting("blame.format", "{author}, {date} · {summary}");
    const text = commit === undefined ? vscode.l10n.t("Not committed yet") : oneLine(commit, format, dateOf(commit));
    if (this.drawn !== undefined && this.drawn.editor !== editor) {
      this.clear();
    }
    this.put(editor, line, text);
  }

  private wanted(): boolean {
    return shownBeside("annotation.enabled", "git.blame.editorDecoration.enabled");
  }

  /** Draws, unless the same stands there. */
  private put(editor: vscode.TextEditor, line: number, text: string): void {
    const { drawn } = this;
    const { range } = editor.document.lineAt(line);
    const end = range.end.character;
    if (drawn?.editor === editor && drawn.line === line && drawn.text === text && drawn.end === end) {
      return;
    }
    this.drawn = { editor, line, text, end };
    // The whole line, so that it grows with what is typed at its end.
    editor.setDecorations(this.type, [{ range, renderOptions: { after: { contentText: text } } }]);
  }

  private clear(): void {
    this.drawn?.editor.setDecorations(this.type, []);
    this.drawn = undefined;
  }
}
