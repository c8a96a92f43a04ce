/** Blame as a whole: of the cursor's line, of the whole file, and in hovers. */
import * as vscode from "vscode";
import type { Revision } from "../history/revisions";
import type { Server } from "../server/server";
import { changeSetting, setting } from "../settings";
import { BlameHover } from "./blameHover";
import { BlameSource } from "./blameSource";
import { BlameStatusBar } from "./blameStatusBar";
import { CurrentLineBlame } from "./currentLine";
import { FileBlame } from "./fileBlame";
import { LineAnnotation } from "./lineAnnotation";
import { registerLineActions, revisionOfLine } from "./lineActions";

export class BlameFeature implements vscode.Disposable {
  readonly annotation: LineAnnotation;
  readonly statusBar: BlameStatusBar;
  readonly file: FileBlame;
  readonly hover: BlameHover;
  private readonly source: BlameSource;
  private readonly current: CurrentLineBlame;
  private readonly disposables: vscode.Disposable;

  constructor(server: Server) {
    this.source = new BlameSource(server);
    const current = new CurrentLineBlame(this.source, server);
    this.current = current;
    this.annotation = new LineAnnotation(current);
    this.statusBar = new BlameStatusBar(current);
    this.file = new FileBlame(this.source);
    this.hover = new BlameHover(this.source, this.file);
    this.disposables = vscode.Disposable.from(
      registerLineActions(current),
      vscode.commands.registerCommand("codeintel-ls.toggleCodeLens", () =>
        changeSetting("blame.codeLens", !setting("blame.codeLens", false)),
      ),
      this.annotation,
      this.statusBar,
      this.file,
      current,
      this.source,
    );
  }

  /** The commit of the cursor's line, in the file that it belongs to. */
  ofCursor(): Revision | undefined {
    const { current } = this.current;
    return current === undefined ? undefined : revisionOfLine(current);
  }

  /** HEAD has moved, or blame is worded in another way. */
  refresh(): void {
    this.source.forget();
  }

  dispose(): void {
    this.disposables.dispose();
  }
}
