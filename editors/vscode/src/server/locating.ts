/**
 * Which `codeintel-ls` is started: that of the setting, of the workspace's Python environment, of
 * PATH, or of the extension's own environment.
 *
 * Invariant: in a workspace that is not trusted nothing within it is run, whatever PATH says.
 */
import { isAbsolute, join } from "node:path";
import * as vscode from "vscode";
import { setting } from "../settings";
import { run } from "./processes";
import { environmentFolders } from "./pythonEnvironment";
import { pathFolders, runnable } from "./pythonPrograms";
import { versionIn } from "./version";

export type Origin = "setting" | "workspace" | "path" | "private";

export interface Found {
  readonly command: string;
  readonly version: string;
  readonly origin: Origin;
}

export interface NotFound {
  /** What was tried and did not work, in sentences. */
  readonly problems: readonly string[];
}

const PROGRAM = process.platform === "win32" ? "codeintel-ls.exe" : "codeintel-ls";
const ANSWER_MILLISECONDS = 15_000;

/** Finds a server that answers. `privateFolder` holds the programs of the extension's environment. */
export async function locate(privateFolder: string, cwd: string): Promise<Found | NotFound> {
  const chosen = setting("server.path", "").trim();
  if (chosen !== "") {
    // What somebody has chosen is used or complained of, never replaced.
    return asked(chosen, "setting", cwd);
  }
  const problems: string[] = [];
  for (const [folders, origin] of await places(privateFolder)) {
    for (const folder of folders) {
      const command = join(folder, PROGRAM);
      if (!(await runnable(command))) {
        continue;
      }
      const answer = await asked(command, origin, cwd);
      if ("command" in answer) {
        return answer;
      }
      problems.push(...answer.problems);
    }
  }
  return { problems };
}

async function places(privateFolder: string): Promise<[readonly string[], Origin][]> {
  return [
    [await environmentFolders(), "workspace"],
    [pathFolders(), "path"],
    [[privateFolder], "private"],
  ];
}

async function asked(command: string, origin: Origin, cwd: string): Promise<Found | NotFound> {
  if (!isAbsolute(command)) {
    return { problems: [vscode.l10n.t("The setting codeintel.server.path must be an absolute path.")] };
  }
  const outcome = await run(command, ["--version"], cwd, { timeoutMilliseconds: ANSWER_MILLISECONDS });
  const version = outcome.code === 0 ? versionIn(outcome.stdout) : undefined;
  if (version !== undefined) {
    return { command, version, origin };
  }
  const said = outcome.stderr.trim().split("\n").at(-1) ?? "";
  const why = outcome.failure ?? (said === "" ? vscode.l10n.t("it does not tell its version") : said);
  return { problems: [vscode.l10n.t("{0} could not be run: {1}", command, why)] };
}
