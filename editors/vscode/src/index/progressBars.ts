/**
 * The progress bars that the server has begun, and how to stop what is behind them.
 *
 * The language client would show each as a notification or in a corner of its own: the status bar's
 * one item shows them all.
 */
import * as vscode from "vscode";
import type { ProgressToken } from "vscode-languageclient/node";
import type { WorkDone } from "../server/client";

export interface Bar {
  readonly title: string;
  readonly message: string | undefined;
  readonly percentage: number | undefined;
}

export class ProgressBars implements vscode.Disposable {
  private readonly bars = new Map<ProgressToken, Bar>();
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;

  get shown(): readonly Bar[] {
    return [...this.bars.values()];
  }

  get tokens(): readonly ProgressToken[] {
    return [...this.bars.keys()];
  }

  /** Takes in what the server says of a progress. */
  heard(token: ProgressToken, value: WorkDone): void {
    const before = this.bars.get(token);
    if (value.kind === "begin") {
      this.bars.set(token, { title: value.title, message: value.message, percentage: value.percentage });
    } else if (value.kind === "report" && before !== undefined) {
      this.bars.set(token, {
        title: before.title,
        message: value.message ?? before.message,
        percentage: value.percentage ?? before.percentage,
      });
    } else {
      this.bars.delete(token);
    }
    this.changed.fire();
  }

  /** The server is gone, and its bars with it. */
  clear(): void {
    if (this.bars.size > 0) {
      this.bars.clear();
      this.changed.fire();
    }
  }

  dispose(): void {
    this.changed.dispose();
  }
}
