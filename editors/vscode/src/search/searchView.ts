/** The search view in the side bar: a page of our own, which only shows and asks. */
import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Server } from "../server/server";
import { onDidChangeSetting, setting } from "../settings";
import type { ResultList } from "./resultList";
import { shownResults } from "./shownResults";
import { viewPage } from "./viewPage";
import { type FromView, NO_FILTERS, type ToView } from "./viewMessages";

export const SEARCH_VIEW = "codeintel-ls.searchView";
/** What was saved is searchable within a tenth of a second. */
const AFTER_SAVE_MILLISECONDS = 300;

export class SearchView implements vscode.WebviewViewProvider, vscode.Disposable {
  private view: vscode.WebviewView | undefined;
  private ready = false;
  private wanted: ToView | undefined;
  private saved: NodeJS.Timeout | undefined;
  private refreshOnSave = true;
  /** What the box is known to hold. */
  private lastBox: string | undefined;
  /** The number of the page's last question. */
  private asked = 0;
  private readonly listening: vscode.Disposable;

  constructor(
    private readonly server: Server,
    private readonly list: ResultList,
    private readonly extensionUri: vscode.Uri,
  ) {
    const readSetting = (): void => {
      this.refreshOnSave = setting("searchView.refreshOnSave", true);
    };
    readSetting();
    this.listening = vscode.Disposable.from(
      vscode.window.registerWebviewViewProvider(SEARCH_VIEW, this),
      onDidChangeSetting(["searchView.refreshOnSave"], readSetting),
      list.onDidChange(() => {
        this.tellResults();
      }),
      list.onDidMove((id) => {
        this.tell({ type: "current", id });
      }),
      server.onDidChangeState(({ state }) => {
        if (state === "running") {
          this.catchUp();
        }
      }),
      vscode.workspace.onDidSaveTextDocument((document) => {
        if (this.refreshOnSave && document.uri.scheme === "file") {
          this.refreshSoon();
        }
      }),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.ready = false;
    const roots = ["dist", "media"].map((folder) => vscode.Uri.joinPath(this.extensionUri, folder));
    view.webview.options = { enableScripts: true, localResourceRoots: roots };
    view.webview.html = viewPage(view.webview, this.extensionUri, randomBytes(16).toString("base64url"));
    const listening = vscode.Disposable.from(
      view.webview.onDidReceiveMessage((message: FromView) => {
        this.heard(message);
      }),
      view.onDidDispose(() => {
        listening.dispose();
        this.view = undefined;
        this.ready = false;
      }),
    );
  }

  /** Shows the view with its box ready to type in; a text replaces what stands there. */
  async focus(text: string | undefined): Promise<void> {
    if (text !== undefined && text !== "") {
      void this.list.ask(text, NO_FILTERS);
      this.tellBox();
    }
    await vscode.commands.executeCommand(`${SEARCH_VIEW}.focus`);
    this.tell({ type: "focusBox", select: true });
  }

  dispose(): void {
    clearTimeout(this.saved);
    this.listening.dispose();
  }

  private heard(message: FromView): void {
    switch (message.type) {
      case "ready":
        // The script runs anew whenever the view is shown again.
        this.ready = true;
        this.lastBox = undefined;
        this.asked = message.asked;
        this.catchUp();
        this.tellResults();
        if (this.wanted !== undefined) {
          this.tell(this.wanted);
          this.wanted = undefined;
        }
        break;
      case "search":
        this.lastBox = message.text;
        this.asked = message.number;
        void this.list.ask(message.text, message.filters);
        break;
      case "open":
        void this.list.open(message.id, message.how);
        break;
    }
  }

  /** After a reload the query is known, but not its results. */
  private catchUp(): void {
    const { list } = this;
    const hasQuery = list.source !== undefined && (list.source.kind === "similar" || list.source.text !== "");
    if (this.ready && hasQuery && list.answer === undefined && this.server.state === "running") {
      void list.refresh();
    }
  }

  private refreshSoon(): void {
    clearTimeout(this.saved);
    this.saved = setTimeout(() => {
      if (this.view?.visible === true && this.list.answer !== undefined && this.server.state === "running") {
        void this.list.refresh();
      }
    }, AFTER_SAVE_MILLISECONDS);
  }

  private tellBox(): void {
    const { source } = this.list;
    if (source?.kind === "query") {
      this.tell({ type: "box", text: source.text, filters: source.filters, heard: this.asked });
    }
  }

  private tellResults(): void {
    const { source } = this.list;
    // The box follows results that were found elsewhere, and is left alone while one types in it.
    const box = source?.kind === "query" ? source.text : source === undefined ? "" : undefined;
    if (box !== undefined && box !== this.lastBox) {
      this.lastBox = box;
      if (source?.kind === "query") {
        this.tellBox();
      } else {
        this.tell({ type: "box", text: "", filters: NO_FILTERS, heard: this.asked });
      }
    }
    // After a reload the page shows what it remembers until there is an answer.
    const { answer, failure, busy } = this.list;
    if (source === undefined || answer !== undefined || failure !== undefined || busy) {
      this.tell({ type: "results", results: shownResults(this.list) });
    }
  }

  private tell(message: ToView): void {
    if (this.view !== undefined && this.ready) {
      void this.view.webview.postMessage(message);
    } else if (message.type === "focusBox") {
      this.wanted = message;
    }
  }
}
