/**
 * Places shown while somebody looks through results, and the way back to where they were.
 *
 * Invariant: after `restore` the editors are as they were before the first `show`.
 */
import * as vscode from "vscode";
import { isCancelled } from "../server/refusals";
import { spansIn } from "./matching";
import type { Place } from "./searching";

interface Before {
  readonly editor: vscode.TextEditor | undefined;
  readonly selections: readonly vscode.Selection[];
  readonly visible: vscode.Range | undefined;
  readonly wasPreview: boolean;
  readonly open: ReadonlySet<string>;
}

/** How the lines of a result are marked while it is previewed. */
export class ResultMark implements vscode.Disposable {
  private readonly type = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor("codeintelLs.matchBackground"),
    overviewRulerColor: new vscode.ThemeColor("editorOverviewRuler.findMatchForeground"),
    overviewRulerLane: vscode.OverviewRulerLane.Center,
  });
  private readonly words = vscode.window.createTextEditorDecorationType({
    backgroundColor: new vscode.ThemeColor("codeintelLs.wordBackground"),
  });
  private marked: vscode.TextEditor | undefined;

  show(editor: vscode.TextEditor, range: vscode.Range, terms: RegExp | undefined): void {
    this.clear();
    this.marked = editor;
    const lines = editor.document.validateRange(range);
    editor.setDecorations(this.type, [lines]);
    const start = editor.document.offsetAt(lines.start);
    const spans = spansIn(editor.document.getText(lines), terms);
    editor.setDecorations(
      this.words,
      spans.map(
        ([from, to]) =>
          new vscode.Range(editor.document.positionAt(start + from), editor.document.positionAt(start + to)),
      ),
    );
  }

  clear(): void {
    this.marked?.setDecorations(this.type, []);
    this.marked?.setDecorations(this.words, []);
    this.marked = undefined;
  }

  dispose(): void {
    this.clear();
    this.type.dispose();
    this.words.dispose();
  }
}

export class PreviewSession {
  private readonly before: Before;
  private latest = 0;
  private shown = false;
  /** The document that was open was itself scrolled to a place. */
  private moved = false;

  constructor(private readonly mark: ResultMark) {
    const editor = vscode.window.activeTextEditor;
    this.before = {
      editor,
      selections: editor?.selections ?? [],
      visible: editor?.visibleRanges[0],
      wasPreview: vscode.window.tabGroups.activeTabGroup.activeTab?.isPreview === true,
      open: new Set(textTabs().map(([uri]) => uri)),
    };
  }

  get column(): vscode.ViewColumn | undefined {
    return this.before.editor?.viewColumn;
  }

  /** Shows a place beside the list that is looked through; a later call takes its place. */
  async show(place: Place, terms: RegExp | undefined): Promise<void> {
    const mine = ++this.latest;
    try {
      const document = await vscode.workspace.openTextDocument(place.uri);
      if (mine !== this.latest) {
        return;
      }
      const editor = await vscode.window.showTextDocument(document, {
        preview: true,
        preserveFocus: true,
        viewColumn: this.column ?? vscode.ViewColumn.Active,
      });
      this.shown = true;
      this.moved ||= document === this.before.editor?.document;
      if (mine === this.latest) {
        reveal(editor, place);
        this.mark.show(editor, place.range, terms);
      }
    } catch (error) {
      // A file that is gone or is not text: opening it will say so.
      if (!isCancelled(error)) {
        this.mark.clear();
      }
    }
  }

  /** Puts everything back. */
  async restore(): Promise<void> {
    this.latest++;
    this.mark.clear();
    if (!this.shown) {
      return;
    }
    const { editor, selections, visible, wasPreview } = this.before;
    await this.closeShown();
    if (editor === undefined) {
      return;
    }
    const restored = await vscode.window.showTextDocument(editor.document, {
      preview: wasPreview,
      ...(editor.viewColumn !== undefined && { viewColumn: editor.viewColumn }),
    });
    if (selections.length > 0 && !sameSelections(restored.selections, selections)) {
      restored.selections = selections;
    }
    // Otherwise the editor remembers by itself how far it was scrolled.
    if ((this.moved || wasPreview) && visible !== undefined) {
      restored.revealRange(visible, vscode.TextEditorRevealType.AtTop);
    }
  }

  /** Leaves what is shown, and opens a place for good. */
  async open(place: Place, beside: boolean): Promise<void> {
    this.latest++;
    this.mark.clear();
    if (beside) {
      await this.restore();
    }
    await openPlace(place, { beside, preview: false });
  }

  private async closeShown(): Promise<void> {
    const mine = textTabs().filter(([uri, tab]) => tab.isPreview && !this.before.open.has(uri));
    await vscode.window.tabGroups.close(
      mine.map(([, tab]) => tab),
      true,
    );
  }
}

/** Opens a place with the cursor in it. */
export async function openPlace(
  place: Place,
  { beside, preview, preserveFocus = false }: { beside: boolean; preview: boolean; preserveFocus?: boolean },
): Promise<vscode.TextEditor> {
  const editor = await vscode.window.showTextDocument(place.uri, {
    preview,
    preserveFocus,
    viewColumn: beside ? vscode.ViewColumn.Beside : vscode.ViewColumn.Active,
  });
  reveal(editor, place);
  return editor;
}

function reveal(editor: vscode.TextEditor, place: Place): void {
  const line = editor.document.validatePosition(new vscode.Position(place.line, 0)).line;
  const start = new vscode.Position(line, editor.document.lineAt(line).firstNonWhitespaceCharacterIndex);
  editor.selection = new vscode.Selection(start, start);
  editor.revealRange(new vscode.Range(start, start), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}

function sameSelections(ones: readonly vscode.Selection[], others: readonly vscode.Selection[]): boolean {
  return ones.length === others.length && ones.every((one, at) => others[at]?.isEqual(one) === true);
}

function textTabs(): [string, vscode.Tab][] {
  return vscode.window.tabGroups.all
    .flatMap((group) => group.tabs)
    .flatMap((tab): [string, vscode.Tab][] =>
      tab.input instanceof vscode.TabInputText ? [[tab.input.uri.toString(), tab]] : [],
    );
}
