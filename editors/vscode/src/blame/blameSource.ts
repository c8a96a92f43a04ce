/**
 * Blame of lines, asked of the server and kept for a moment.
 *
 * Invariant: an answer is about the very version of the document that it is given for.
 */
import * as vscode from "vscode";
import { type BlameHunk, BlameRange, type BlameResult, type Commit } from "../protocol";
import type { Server } from "../server/server";

export interface LineBlame {
  readonly hunk: BlameHunk;
  /** Undefined: not committed yet. */
  readonly commit: Commit | undefined;
}

interface Kept {
  readonly version: number;
  readonly at: number;
  readonly result: BlameResult;
}

/** Lines that are asked for around the one that is needed: the cursor goes there next. */
const AROUND = 40;
const KEPT_MILLISECONDS = 30_000;

export class BlameSource implements vscode.Disposable {
  private readonly kept = new Map<string, Kept>();
  private readonly forgotten = new vscode.EventEmitter<void>();
  private readonly listening: vscode.Disposable;
  /** Commits may have changed: what was drawn may be wrong. */
  readonly onDidForget = this.forgotten.event;

  constructor(private readonly server: Server) {
    this.listening = vscode.Disposable.from(
      server.onDidChangeState(() => {
        this.forget();
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.kept.delete(document.uri.toString());
      }),
      vscode.window.onDidChangeWindowState(({ focused }) => {
        // Somebody may have committed in a terminal elsewhere.
        if (focused) {
          this.kept.clear();
        }
      }),
    );
  }

  forget(): void {
    this.kept.clear();
    this.forgotten.fire();
  }

  /** The blame of a line where it is known without asking. */
  known(document: vscode.TextDocument, line: number): LineBlame | undefined {
    const kept = this.kept.get(document.uri.toString());
    if (kept?.version !== document.version || Date.now() - kept.at > KEPT_MILLISECONDS) {
      return undefined;
    }
    return blameIn(kept.result, line);
  }

  /** The blame of a line; undefined where there is none, or where the document changed meanwhile. */
  async ofLine(
    document: vscode.TextDocument,
    line: number,
    token: vscode.CancellationToken,
  ): Promise<LineBlame | undefined> {
    const known = this.known(document, line);
    if (known !== undefined) {
      return known;
    }
    const result = await this.ofRange(document, Math.max(0, line - AROUND), line + AROUND, token);
    return result === undefined ? undefined : blameIn(result, line);
  }

  async ofRange(
    document: vscode.TextDocument,
    startLine: number,
    endLine: number,
    token: vscode.CancellationToken,
  ): Promise<BlameResult | undefined> {
    if (this.server.state !== "running" || document.uri.scheme !== "file") {
      return undefined;
    }
    const { version } = document;
    const uri = document.uri.toString();
    try {
      const last = Math.min(endLine, document.lineCount - 1);
      const result = await this.server.request(BlameRange, { uri, startLine, endLine: last }, token);
      if (document.version !== version || (result.version !== null && result.version !== version)) {
        return undefined;
      }
      this.kept.set(uri, { version, at: Date.now(), result });
      return result;
    } catch {
      // Outside git, not tracked, or overtaken: there is no blame.
      return undefined;
    }
  }

  dispose(): void {
    this.listening.dispose();
    this.forgotten.dispose();
  }
}

export function blameIn(result: BlameResult, line: number): LineBlame | undefined {
  const hunk = result.hunks.find(({ startLine, endLine }) => startLine <= line && line <= endLine);
  return hunk === undefined
    ? undefined
    : { hunk, commit: hunk.commit === null ? undefined : result.commits[hunk.commit] };
}
