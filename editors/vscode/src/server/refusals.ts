/** What the server's errors are to a person: nothing, where a request was cancelled. */
import * as vscode from "vscode";

/** RequestCancelled and ServerCancelled of LSP. */
const CANCELLED: ReadonlySet<unknown> = new Set([-32800, -32802]);
/** RequestFailed of LSP: the request was right and cannot be served. */
const FAILED = -32803;

/** Whether a request was cancelled, or a newer one took its place. */
export function isCancelled(error: unknown): boolean {
  return error instanceof vscode.CancellationError || CANCELLED.has(codeOf(error));
}

/** Whether there is no such thing as was asked for: no repository, no such commit, no such file in it. */
export function isRefused(error: unknown): boolean {
  return codeOf(error) === FAILED;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** One or two sentences; the server writes them for people. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs what somebody asked for, and shows why it could not be done. */
export async function told(work: () => Thenable<void> | Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isCancelled(error)) {
      void vscode.window.showWarningMessage(sentenceOf(error));
    }
  }
}
