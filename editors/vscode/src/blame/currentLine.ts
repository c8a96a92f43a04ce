/**
 * The blame of the cursor's line, known for whoever shows it.
 *
 * Invariant: what is told belongs to the line that the cursor is on. While one types on a line its
 * blame stays until the new one is known, so that nothing flickers; when the cursor leaves the line
 * it goes at once.
 */
import * as vscode from "vscode";
import type { Server } from "../server/server";
import type { BlameSource, LineBlame } from "./blameSource";

export interface CurrentLine {
  readonly editor: vscode.TextEditor;
  readonly line: number;
  readonly blame: LineBlame;
}

/** Moves within so short a time count as one: a key that is held down asks once, at its end. */
const PAUSE_MILLISECONDS = 60;
const TYPING_MILLISECONDS = 120;

export class CurrentLineBlame implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<CurrentLine | undefined>();
  private readonly listening: vscode.Disposable;
  private shown: CurrentLine | undefined;
  private asking: vscode.CancellationTokenSource | undefined;
  private timer: NodeJS.Timeout | undefined;
  private lastMove = 0;
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly source: BlameSource,
    server: Server,
  ) {
    this.listening = vscode.Disposable.from(
      vscode.window.onDidChangeActiveTextEditor(() => {
        this.moved();
      }),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (textEditor === vscode.window.activeTextEditor) {
          this.moved();
        }
      }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (document === vscode.window.activeTextEditor?.document && contentChanges.length > 0) {
          this.askSoon(TYPING_MILLISECONDS);
        }
      }),
      vscode.workspace.onDidSaveTextDocument((document) => {
        if (document === vscode.window.activeTextEditor?.document) {
          this.askSoon(0);
        }
      }),
      source.onDidForget(() => {
        if (server.state === "running") {
          this.askSoon(0);
        } else {
          this.show(undefined);
        }
      }),
    );
    this.moved();
  }

  get current(): CurrentLine | undefined {
    return this.shown;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.asking?.cancel();
    this.asking?.dispose();
    this.listening.dispose();
    this.changed.dispose();
  }

  private moved(): void {
    const editor = vscode.window.activeTextEditor;
    const line = editor?.selection.active.line;
    if (editor === this.shown?.editor && line === this.shown?.line && editor !== undefined) {
      return;
    }
    if (editor === undefined || line === undefined || editor.document.uri.scheme !== "file") {
      this.cancel();
      this.show(undefined);
      return;
    }
    const known = this.source.known(editor.document, line);
    if (known !== undefined) {
      this.cancel();
      this.show({ editor, line, blame: known });
      return;
    }
    this.show(undefined);
    const now = Date.now();
    this.askSoon(now - this.lastMove > PAUSE_MILLISECONDS ? 0 : PAUSE_MILLISECONDS);
    this.lastMove = now;
  }

  private askSoon(milliseconds: number): void {
    this.cancel();
    if (milliseconds === 0) {
      void this.ask();
    } else {
      this.timer = setTimeout(() => {
        void this.ask();
      }, milliseconds);
    }
  }

  private async ask(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.uri.scheme !== "file") {
      this.show(undefined);
      return;
    }
    this.cancel();
    const asking = new vscode.CancellationTokenSource();
    this.asking = asking;
    const { line } = editor.selection.active;
    const { version } = editor.document;
    const blame = await this.source.ofLine(editor.document, line, asking.token);
    const holds = editor === vscode.window.activeTextEditor && editor.selection.active.line === line;
    if (this.asking === asking && holds && editor.document.version === version) {
      this.show(blame === undefined ? undefined : { editor, line, blame });
    }
  }

  private show(current: CurrentLine | undefined): void {
    if (current === undefined && this.shown === undefined) {
      return;
    }
    this.shown = current;
    this.changed.fire(current);
  }

  private cancel(): void {
    clearTimeout(this.timer);
    this.asking?.cancel();
    this.asking?.dispose();
    this.asking = undefined;
  }
}
