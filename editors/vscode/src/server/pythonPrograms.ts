/**
 * Programs on PATH that can make a Python environment.
 *
 * Invariant: in a workspace that is not trusted, what lies within it is not taken, whatever PATH says.
 */
import { access, constants } from "node:fs/promises";
import { delimiter, isAbsolute, join, relative } from "node:path";
import * as vscode from "vscode";
import { run } from "./processes";

/** Versions that the server runs on, the best first. */
const VERSIONS = ["3.13", "3.12", "3.11"];
const WINDOWS = process.platform === "win32";
const ANSWER_MILLISECONDS = 15_000;

/** The folders of PATH from which programs may be run. */
export function pathFolders(): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  if (vscode.workspace.isTrusted) {
    return folders;
  }
  const open = (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  return folders.filter((folder) => !open.some((root) => isWithin(folder, root)));
}

export async function runnable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The program `uv`, where it is on PATH. */
export async function findUv(): Promise<string | undefined> {
  return onPath(WINDOWS ? "uv.exe" : "uv");
}

/** A Python that the server runs on, where there is one on PATH. */
export async function findPython(cwd: string): Promise<string | undefined> {
  const names = WINDOWS ? ["python.exe"] : [...VERSIONS.map((version) => `python${version}`), "python3", "python"];
  for (const name of names) {
    const command = await onPath(name);
    if (command === undefined) {
      continue;
    }
    const script = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])";
    const outcome = await run(command, ["-I", "-c", script], cwd, { timeoutMilliseconds: ANSWER_MILLISECONDS });
    if (outcome.code === 0 && VERSIONS.includes(outcome.stdout.trim())) {
      return command;
    }
  }
  return undefined;
}

async function onPath(name: string): Promise<string | undefined> {
  for (const folder of pathFolders()) {
    const path = join(folder, name);
    if (await runnable(path)) {
      return path;
    }
  }
  return undefined;
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === "" || (!way.startsWith("..") && !isAbsolute(way));
}
