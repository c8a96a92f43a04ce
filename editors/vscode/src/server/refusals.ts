/** What the server's errors are to a person: nothing, where a request was cancelled. */
import * as vscode from "vscode";
import { LSPErrorCodes, ResponseError } from "vscode-languageclient/node";

const CANCELLED: ReadonlySet<number> = new Set([LSPErrorCodes.RequestCancelled, LSPErrorCodes.ServerCancelled]);

/** Whether a request was cancelled, or a newer one took its place. */
export function isCancelled(error: unknown): boolean {
  return error instanceof vscode.CancellationError || (error instanceof ResponseError && CANCELLED.has(error.code));
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
