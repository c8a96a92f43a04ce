/** The search as a whole: its commands, the quick pick, the kept results and their view. */
import { basename } from "node:path";
import * as vscode from "vscode";
import type { Range } from "vscode-languageclient/node";
import { told } from "../server/refusals";
import type { Server } from "../server/server";
import { ResultMark } from "./preview";
import { QuickSearch } from "./quickSearch";
import { ResultList } from "./resultList";
import { SearchView } from "./searchView";

export class SearchFeature implements vscode.Disposable {
  readonly quick: QuickSearch;
  readonly results: ResultList;
  private readonly view: SearchView;
  private readonly disposables: vscode.Disposable;

  constructor(
    private readonly server: Server,
    context: vscode.ExtensionContext,
  ) {
    const mark = new ResultMark();
    this.results = new ResultList(server, context.workspaceState);
    this.quick = new QuickSearch(server, mark, this.results);
    this.view = new SearchView(server, this.results, context.extensionUri);
    const register = (name: string, work: (given: unknown) => Promise<void> | void): vscode.Disposable =>
      vscode.commands.registerCommand(`codeintel-ls.${name}`, (given: unknown) => told(async () => work(given)));
    this.disposables = vscode.Disposable.from(
      // Key bindings may pass a query, such as `author:me since:1w `.
      register("search", (given) => {
        this.quick.show(typeof given === "string" ? given : selectedWords());
      }),
      register("searchOpenBeside", () => {
        this.quick.openBeside();
      }),
      register("searchKeepResults", () => {
        this.quick.keep();
      }),
      register("searchInView", (given) => this.view.focus(typeof given === "string" ? given : selectedWords())),
      register("findSimilar", () => this.similarToSelection()),
      register("nextResult", () => this.results.go(1)),
      register("previousResult", () => this.results.go(-1)),
      register("refreshResults", () => this.results.refresh()),
      register("clearResults", () => {
        this.results.clear();
      }),
      this.quick,
      this.view,
      this.results,
      mark,
    );
  }

  /** Shows code like that of a place. */
  async similarTo(uri: vscode.Uri, range: vscode.Range): Promise<void> {
    await this.server.whenRunning();
    const lines = range.isSingleLine ? `${range.start.line + 1}` : `${range.start.line + 1}–${range.end.line + 1}`;
    const asked = this.results.similar({ uri, range }, `${basename(uri.path)}:${lines}`);
    await this.view.focus(undefined);
    await asked;
  }

  async similarToRange(uri: string, { start, end }: Range): Promise<void> {
    await this.similarTo(vscode.Uri.parse(uri), new vscode.Range(start.line, start.character, end.line, end.character));
  }

  dispose(): void {
    this.disposables.dispose();
  }

  private async similarToSelection(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    if (editor?.document.uri.scheme !== "file") {
      throw new Error(vscode.l10n.t("Select some code of a file first."));
    }
    const { selection, document } = editor;
    await this.similarTo(document.uri, selection.isEmpty ? document.lineAt(selection.active.line).range : selection);
  }
}

/** What is selected, where it is a few words of one line. */
function selectedWords(): string {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined || editor.selection.isEmpty || !editor.selection.isSingleLine) {
    return "";
  }
  return editor.document.getText(editor.selection).trim();
}
