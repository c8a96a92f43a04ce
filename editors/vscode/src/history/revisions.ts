/**
 * A file as it was at a commit: which one is meant, and its virtual document.
 *
 * Invariant: a virtual document's URI is spelt in one way only, so that an editor opens it once.
 */
import { stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import * as vscode from "vscode";
import type { Commit } from "../protocol";

export const SCHEME = "codeintel-git";
export const EMPTY_SCHEME = "codeintel-ls-empty";

/** A commit of a file. It is passed in links, so that it holds plain values only. */
export interface Revision {
  /** The URI of the file as it is now, or of any file of the repository. */
  readonly file: string;
  /** Relative to the repository, as of the commit. */
  readonly path: string;
  readonly commit: string;
  readonly shortId: string;
  readonly parent: string | undefined;
  /** What became of the file; undefined where nobody has asked yet. */
  readonly status: string | undefined;
  readonly previousPath: string | undefined;
  readonly message: string | undefined;
  readonly line: number | undefined;
  /** The commit's page, where the server knows one. */
  readonly page: string | undefined;
}

export function revisionOf(commit: Commit, file: vscode.Uri, path: string, line?: number): Revision {
  return {
    file: file.toString(),
    path,
    commit: commit.id,
    shortId: commit.shortId,
    parent: commit.parents[0],
    status: undefined,
    previousPath: undefined,
    message: undefined,
    line,
    page: commit.url?.startsWith("https://") === true ? commit.url : undefined,
  };
}

/** The text that a virtual document shows. */
export interface Shown {
  readonly folder: vscode.Uri;
  readonly commit: string;
  /** The file that has this path now, whether there is one or not. */
  readonly file: vscode.Uri;
}

export function virtualUri(file: vscode.Uri, commit: string): vscode.Uri | undefined {
  const folder = vscode.workspace.getWorkspaceFolder(file);
  if (folder === undefined) {
    return undefined;
  }
  const path = relative(folder.uri.fsPath, file.fsPath).split(sep).join("/");
  // As the server spells it, with a space behind colons and commas.
  const query = `{"commit": ${JSON.stringify(commit)}, "folder": ${JSON.stringify(folder.uri.toString())}}`;
  return vscode.Uri.from({ scheme: SCHEME, path: `/${path}`, query });
}

/** The other way round; undefined for documents that are not ours. */
export function shownBy(uri: vscode.Uri): Shown | undefined {
  if (uri.scheme !== SCHEME) {
    return undefined;
  }
  try {
    const { commit, folder } = JSON.parse(uri.query) as { commit?: unknown; folder?: unknown };
    if (typeof commit !== "string" || typeof folder !== "string") {
      return undefined;
    }
    const root = vscode.Uri.parse(folder);
    return { folder: root, commit, file: vscode.Uri.joinPath(root, uri.path) };
  } catch {
    return undefined;
  }
}

/** A document without a text, named like the file that did not exist. */
export function emptyUri(path: string): vscode.Uri {
  return vscode.Uri.from({ scheme: EMPTY_SCHEME, path: `/${path}` });
}

/** The file that a path of the repository means which holds `file`. */
export async function fileOf(file: vscode.Uri, path: string): Promise<vscode.Uri | undefined> {
  const root = await repositoryOf(file.fsPath);
  return root === undefined ? undefined : vscode.Uri.file(join(root, ...path.split("/")));
}

/** The folder of the innermost repository that holds a path, whether that exists or not. */
export async function repositoryOf(path: string): Promise<string | undefined> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (await exists(join(folder, ".git"))) {
      return folder;
    }
    if (folder === dirname(folder)) {
      return undefined;
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
