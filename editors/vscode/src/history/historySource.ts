/** The history of files, asked of the server page by page. */
import * as vscode from "vscode";
import { FileAtRevision, FileHistory, type HistoryEntry, type HistoryResult } from "../protocol";
import type { Server } from "../server/server";
import { repositoryOf } from "./revisions";

export interface HistoryTarget {
  readonly uri: vscode.Uri;
  /** Only what changed these lines; undefined: the whole file or folder. */
  readonly lines: { readonly first: number; readonly last: number } | undefined;
  readonly isFolder: boolean;
}

const PAGE = 50;
const SEARCHED_PAGE = 200;
/** Beyond so many commits one does not look for a commit. */
const MOST_SEARCHED = 5_000;

export class HistorySource {
  constructor(private readonly server: Server) {}

  async page(
    target: HistoryTarget,
    cursor: string | undefined,
    token?: vscode.CancellationToken,
  ): Promise<HistoryResult> {
    const { uri, lines } = target;
    const params = {
      uri: uri.toString(),
      limit: PAGE,
      ...(cursor !== undefined && { cursor }),
      ...(lines !== undefined && { range: rangeOf(lines.first, lines.last) }),
    };
    return this.server.request(FileHistory, params, token);
  }

  /** The commits of a file, the newest first, without counts of lines. */
  async *entries(uri: vscode.Uri, token?: vscode.CancellationToken): AsyncGenerator<HistoryEntry> {
    let cursor: string | undefined;
    let seen = 0;
    do {
      const params = {
        uri: uri.toString(),
        limit: SEARCHED_PAGE,
        counts: false,
        ...(cursor !== undefined && { cursor }),
      };
      const page: HistoryResult = await this.server.request(FileHistory, params, token);
      yield* page.entries;
      seen += page.entries.length;
      cursor = page.nextCursor;
    } while (cursor !== undefined && seen < MOST_SEARCHED);
  }

  /** What a commit did to a file; undefined where it is not of its history. */
  async find(uri: vscode.Uri, commit: string): Promise<HistoryEntry | undefined> {
    for await (const entry of this.entries(uri)) {
      if (entry.id === commit) {
        return entry;
      }
    }
    return undefined;
  }

  async textOf(uri: vscode.Uri, commit: string): Promise<string> {
    return (await this.server.request(FileAtRevision, { uri: uri.toString(), commit })).text;
  }

  /** The repository of the window that has a commit with such a path; the first where none says so. */
  async repositoryWith(commit: string, path: string): Promise<vscode.Uri | undefined> {
    const roots = new Set<string>();
    for (const folder of vscode.workspace.workspaceFolders ?? []) {
      roots.add((await repositoryOf(folder.uri.fsPath)) ?? folder.uri.fsPath);
    }
    const candidates = [...roots].map((root) => vscode.Uri.file(root));
    if (candidates.length > 1) {
      for (const root of candidates) {
        try {
          await this.textOf(vscode.Uri.joinPath(root, path), commit);
          return root;
        } catch {
          // It is another repository's commit, or one that removed the file.
        }
      }
    }
    return candidates[0];
  }
}

function rangeOf(
  first: number,
  last: number,
): { start: { line: number; character: number }; end: { line: number; character: number } } {
  return { start: { line: first, character: 0 }, end: { line: last + 1, character: 0 } };
}
