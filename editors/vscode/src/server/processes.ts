/** Programs that are run once and end: their output, with a limit of time. */
import { execFile, type ExecFileException } from "node:child_process";
import type * as vscode from "vscode";

export interface Outcome {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Why it could not be run or was ended, where that happened. */
  readonly failure: string | undefined;
}

export interface RunOptions {
  readonly timeoutMilliseconds: number;
  readonly token?: vscode.CancellationToken;
  readonly environment?: NodeJS.ProcessEnv;
  readonly onOutput?: (text: string) => void;
}

/** Runs a program without a shell, outside the workspace. Never rejects. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  options: RunOptions,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      {
        cwd,
        timeout: options.timeoutMilliseconds,
        maxBuffer: 16 * 1024 * 1024,
        windowsHide: true,
        env: options.environment ?? process.env,
      },
      (error, stdout, stderr) => {
        listening?.dispose();
        resolve({ code: codeOf(error), stdout, stderr, failure: failureOf(error) });
      },
    );
    const listening = options.token?.onCancellationRequested(() => child.kill());
    child.stdin?.end();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (data: string | Buffer) => options.onOutput?.(data.toString()));
    }
  });
}

function codeOf(error: ExecFileException | null): number | undefined {
  if (error === null) {
    return 0;
  }
  return typeof error.code === "number" ? error.code : undefined;
}

function failureOf(error: ExecFileException | null): string | undefined {
  if (error === null || typeof error.code === "number") {
    return undefined;
  }
  return error.killed === true ? "it was ended" : error.message;
}
