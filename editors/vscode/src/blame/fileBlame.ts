/**
 * The blame of a whole file beside its lines, with the age of each as a colour.
 *
 * Invariant: what is drawn moves with the text while one types, and is asked for anew when the
 * typing pauses: it is never taken away in between.
 */
import * as vscode from "vscode";
import type { BlameResult } from "../protocol";
import { told } from "../server/refusals";
import { setting } from "../settings";
import type { BlameSource } from "./blameSource";
import { dateText } from "./blameText";
import { HEATS, heats } from "./heat";

const WIDTH = 30;
const DATE_WIDTH = 14;
const PAUSE_MILLISECONDS = 400;
const CONTEXT = "codeintel-ls.fileBlame";

interface Shown {
  readonly texts: readonly string[];
}

export class FileBlame implements vscode.Disposable {
  /** One type for what is not committed (0), and one for each heat. */
  private types: vscode.TextEditorDecorationType[] | undefined;
  private readonly shown = new Map<string, Shown>();
  private readonly listening: vscode.Disposable;
  private readonly asking = new Map<string, vscode.CancellationTokenSource>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly source: BlameSource) {
    this.listening = vscode.Disposable.from(
      vscode.commands.registerCommand("codeintel-ls.toggleFileBlame", () => told(() => this.toggle())),
      vscode.window.onDidChangeVisibleTextEditors(() => {
        this.refreshSoon(0);
      }),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        this.tellContext(editor);
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (this.isShownFor(document)) {
          this.refreshSoon(PAUSE_MILLISECONDS);
        }
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.shown.delete(document.uri.toString());
      }),
      source.onDidForget(() => {
        this.refreshSoon(PAUSE_MILLISECONDS);
      }),
    );
  }

  isShownFor(document: vscode.TextDocument): boolean {
    return this.shown.has(document.uri.toString());
  }

  /** The texts beside the lines of the active editor where a commit begins. */
  get texts(): readonly string[] | undefined {
    const document = vscode.window.activeTextEditor?.document;
    return document === undefined ? undefined : this.shown.get(document.uri.toString())?.texts;
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const asking of this.asking.values()) {
      asking.cancel();
      asking.dispose();
    }
    this.listening.dispose();
    vscode.Disposable.from(...(this.types ?? [])).dispose();
  }

  private async toggle(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) {
      return;
    }
    const uri = editor.document.uri.toString();
    if (this.shown.delete(uri)) {
      for (const other of editorsOf(uri)) {
        this.clear(other);
      }
    } else if (!(await this.draw(editor.document))) {
      throw new Error(
        vscode.l10n.t("There is no blame of this file: git does not know it, or the server is not ready."),
      );
    }
    this.tellContext(editor);
  }

  private refreshSoon(milliseconds: number): void {
    clearTimeout(this.timer);
    if (this.shown.size === 0) {
      return;
    }
    this.timer = setTimeout(() => {
      const documents = new Set(vscode.window.visibleTextEditors.map((editor) => editor.document));
      for (const document of documents) {
        if (this.isShownFor(document)) {
          void this.draw(document);
        }
      }
    }, milliseconds);
  }

  private async draw(document: vscode.TextDocument): Promise<boolean> {
    const uri = document.uri.toString();
    this.asking.get(uri)?.cancel();
    const asking = new vscode.CancellationTokenSource();
    this.asking.set(uri, asking);
    const result = await this.source.ofRange(document, 0, document.lineCount - 1, asking.token);
    if (this.asking.get(uri) === asking) {
      this.asking.delete(uri);
    }
    asking.dispose();
    if (result === undefined) {
      return false;
    }
    const { lines, texts } = drawing(result, document);
    this.shown.set(uri, { texts });
    for (const editor of editorsOf(uri)) {
      for (const [heat, type] of this.decorations().entries()) {
        editor.setDecorations(type, lines[heat] ?? []);
      }
    }
    return true;
  }

  private clear(editor: vscode.TextEditor): void {
    for (const type of this.types ?? []) {
      editor.setDecorations(type, []);
    }
  }

  private decorations(): vscode.TextEditorDecorationType[] {
    this.types ??= Array.from({ length: HEATS + 1 }, (_, heat) =>
      vscode.window.createTextEditorDecorationType({
        rangeBehavior: vscode.DecorationRangeBehavior.ClosedClosed,
        before: {
          contentText: "\u00a0",
          width: `${WIDTH + 1}ch`,
          margin: "0 1.5ch 0 0",
          color: new vscode.ThemeColor("codeintelLs.fileBlame"),
          borderColor: heat === 0 ? "transparent" : new vscode.ThemeColor(`codeintelLs.heat${heat}`),
          // The API has no side of a border: the property's value ends, and others follow.
          textDecoration:
            "none; box-sizing: border-box; display: inline-block; overflow: hidden; white-space: pre; vertical-align: top; padding-left: 1ch; border-style: solid; border-width: 0 0 0 4px",
        },
      }),
    );
    return this.types;
  }

  private tellContext(editor: vscode.TextEditor | undefined): void {
    const shown = editor !== undefined && this.isShownFor(editor.document);
    void vscode.commands.executeCommand("setContext", CONTEXT, shown);
  }
}

/** The decorations of each heat, and their texts. */
function drawing(
  result: BlameResult,
  document: vscode.TextDocument,
): { lines: vscode.DecorationOptions[][]; texts: string[] } {
  const lines = Array.from({ length: HEATS + 1 }, (): vscode.DecorationOptions[] => []);
  const texts: string[] = [];
  const heatOf = heats(Object.values(result.commits).map((commit) => commit.author.time));
  const format = setting("blame.dateFormat", "relative");
  const now = Date.now() / 1000;
  for (const hunk of result.hunks) {
    const commit = hunk.commit === null ? undefined : result.commits[hunk.commit];
    const heat = commit === undefined ? 0 : (heatOf.get(commit.author.time) ?? HEATS);
    const who = commit?.author.name ?? vscode.l10n.t("Not committed yet");
    const when = commit === undefined ? "" : dateText(commit.author, format, now, vscode.env.language);
    const text = columns(who, when);
    texts.push(text);
    for (let line = hunk.startLine; line <= Math.min(hunk.endLine, document.lineCount - 1); line++) {
      const range = new vscode.Range(line, 0, line, 0);
      lines[heat]?.push(
        line === hunk.startLine ? { range, renderOptions: { before: { contentText: text } } } : { range },
      );
    }
  }
  return { lines, texts };
}

/** Two columns of one width; spaces that the page may not fold. */
function columns(who: string, when: string): string {
  const nameWidth = WIDTH - DATE_WIDTH - 2;
  const name = who.length > nameWidth && when !== "" ? `${who.slice(0, nameWidth - 1)}…` : who.padEnd(nameWidth);
  return `${name} ${when.slice(0, DATE_WIDTH).padStart(DATE_WIDTH)}`.replace(/ /g, "\u00a0");
}

function editorsOf(uri: string): vscode.TextEditor[] {
  return vscode.window.visibleTextEditors.filter((editor) => editor.document.uri.toString() === uri);
}
