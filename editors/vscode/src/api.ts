/**
 * What the extension tells to other extensions and to its tests: reading only.
 *
 * Decorations, quick picks and tree items cannot be seen from outside; these doors show what was
 * handed to VS Code.
 */
import type * as vscode from "vscode";

export type ServerState = "noFolder" | "starting" | "running" | "stopped" | "missing" | "failed";

export interface ShownItem {
  readonly label: string;
  readonly description: string | undefined;
  readonly detail: string | undefined;
}

/** An answer that the quick pick of the search was given: `final` unless a better order follows. */
export interface ListedAnswer {
  readonly text: string;
  readonly final: boolean;
  /** `path:line` of each result. */
  readonly results: readonly string[];
}

export interface CodeIntelApi {
  readonly state: ServerState;
  /** Process id of what was started (`codeintel-ls connect`). */
  readonly serverProcess: number | undefined;
  /** Settles when the server runs; rejects where it is missing or failed. */
  whenRunning(): Promise<void>;
  /** The text that is drawn at the end of the cursor's line. */
  annotation(): string | undefined;
  /** Whether the whole file's blame is shown in the active editor, and its lines' texts. */
  fileBlame(): readonly string[] | undefined;
  statusBar(): { readonly text: string; readonly tooltip: string };
  blameStatusBar(): { readonly text: string; readonly tooltip: string } | undefined;
  /** What the open quick pick of the search lists. */
  searchItems(): readonly ShownItem[] | undefined;
  readonly onDidAnswerSearch: vscode.Event<ListedAnswer>;
  /** What the history view lists. */
  history(): readonly ShownItem[];
  /**
   * What the search view shows: the query, `path:line` of each result, and the identifiers that each
   * has in common with the code it is similar to.
   */
  searchView(): {
    readonly query: string;
    readonly results: readonly string[];
    readonly shared: readonly (readonly string[])[];
  };
}
