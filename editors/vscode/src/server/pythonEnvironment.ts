/**
 * The Python environment of the workspace: what the Python extension has active, the environment
 * that the editor was started in, or a `.venv` of a folder.
 *
 * Invariant: it is only looked at where the workspace is trusted, since what lies there is run.
 */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as vscode from "vscode";

interface PythonApi {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string } | undefined;
  };
}

/** Folders that may hold programs of the workspace's environments, the likeliest first. */
export async function environmentFolders(): Promise<string[]> {
  if (!vscode.workspace.isTrusted) {
    return [];
  }
  const folders = (vscode.workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === "file");
  const found = [...(await activeEnvironments(folders))];
  const active = process.env["VIRTUAL_ENV"] ?? process.env["CONDA_PREFIX"];
  if (active !== undefined) {
    found.push(programsOf(active));
  }
  for (const folder of folders) {
    found.push(programsOf(join(folder.uri.fsPath, ".venv")), programsOf(join(folder.uri.fsPath, "venv")));
  }
  return [...new Set(found)];
}

/** Where an environment keeps its programs. */
export function programsOf(environment: string): string {
  return join(environment, process.platform === "win32" ? "Scripts" : "bin");
}

async function activeEnvironments(folders: readonly vscode.WorkspaceFolder[]): Promise<string[]> {
  const extension = vscode.extensions.getExtension<PythonApi>("ms-python.python");
  // It is not activated for our sake: where nobody uses it, it knows nothing.
  if (extension?.isActive !== true) {
    return [];
  }
  const found: string[] = [];
  for (const folder of folders) {
    const path = extension.exports.environments?.getActiveEnvironmentPath(folder.uri)?.path;
    if (path !== undefined && path !== "") {
      found.push((await isFolder(path)) ? programsOf(path) : dirname(path));
    }
  }
  return found;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
