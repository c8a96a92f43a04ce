/** Changes and earlier texts of files, shown in editors. */
import { basename } from "node:path";
import * as vscode from "vscode";
import { isRefused } from "../server/refusals";
import type { HistorySource } from "./historySource";
import { EMPTY_SCHEME, emptyUri, fileOf, type Revision, type Shown, virtualUri } from "./revisions";

/** What belongs to a commit cannot be shown; the message says why, to people. */
export class NothingToShowError extends Error {}

/** The text before or after a change, and what its tab is called. */
interface Side {
  readonly uri: vscode.Uri;
  readonly label: string;
}

export class Changes implements vscode.Disposable {
  private readonly provider = vscode.workspace.registerTextDocumentContentProvider(EMPTY_SCHEME, {
    provideTextDocumentContent: () => "",
  });

  /** The present files of virtual documents that were opened: a path that was renamed does not tell. */
  private readonly origins = new Map<string, string>();

  constructor(private readonly source: HistorySource) {}

  /** The file as it is now of which a virtual document shows an earlier text. */
  presentFile(then: Shown): vscode.Uri {
    const uri = virtualUri(then.file, then.commit);
    const origin = uri === undefined ? undefined : this.origins.get(uri.toString());
    return origin === undefined ? then.file : vscode.Uri.parse(origin);
  }

  /** What a commit did to its file. */
  async open(asked: Revision): Promise<void> {
    const revision = await this.complete(asked);
    const after =
      revision.status === "D" ? empty(revision.path) : await this.side(revision, revision.path, revision.commit);
    const { parent } = revision;
    const before =
      parent === undefined || revision.status === "A"
        ? empty(revision.path)
        : await this.side(revision, revision.previousPath ?? revision.path, parent);
    await diff(before, after, basename(revision.path), revision.line);
  }

  /** A file as it was against what it is now. */
  async compareWithWorking(revision: Revision): Promise<void> {
    const then = await this.side(revision, revision.path, revision.commit);
    const file = vscode.Uri.parse(revision.file);
    const now: Side = { uri: file, label: vscode.l10n.t("working file") };
    await diff(then, now, basename(file.path), undefined);
  }

  async openAt(revision: Revision): Promise<void> {
    const { uri, label } = await this.side(revision, revision.path, revision.commit);
    await show(uri, revision.line, label);
  }

  dispose(): void {
    this.provider.dispose();
  }

  /** With what became of the file, which blame does not tell. */
  private async complete(revision: Revision): Promise<Revision> {
    if (revision.status !== undefined || revision.parent === undefined) {
      return revision;
    }
    const entry = await this.source.find(vscode.Uri.parse(revision.file), revision.commit);
    return entry === undefined ? revision : { ...revision, status: entry.status, previousPath: entry.previousPath };
  }

  private async side(revision: Revision, path: string, commit: string): Promise<Side> {
    const file = await fileOf(vscode.Uri.parse(revision.file), path);
    const uri = file === undefined ? undefined : virtualUri(file, commit);
    if (file === undefined || uri === undefined) {
      throw new NothingToShowError(vscode.l10n.t("{0} lies outside the open folders.", path));
    }
    try {
      // The editor would show an error in the place of the text.
      await this.source.textOf(file, commit);
    } catch (error) {
      if (isRefused(error)) {
        return empty(path);
      }
      throw error;
    }
    this.origins.set(uri.toString(), revision.file);
    return { uri, label: commit.slice(0, 10) };
  }
}

/** Opens a document at a line, if there is one; a label tells a revision from the file in its tab. */
export async function show(uri: vscode.Uri, line: number | undefined, label?: string): Promise<void> {
  const options = { preview: true, ...(line !== undefined && { selection: new vscode.Range(line, 0, line, 0) }) };
  const title = label === undefined ? undefined : `${basename(uri.path)} (${label})`;
  await vscode.commands.executeCommand("vscode.open", uri, options, title);
}

export async function diff(before: Side, after: Side, name: string, line: number | undefined): Promise<void> {
  const title = `${name} (${before.label} ↔ ${after.label})`;
  const options = { preview: true, ...(line !== undefined && { selection: new vscode.Range(line, 0, line, 0) }) };
  await vscode.commands.executeCommand("vscode.diff", before.uri, after.uri, title, options);
}

export function empty(path: string): Side {
  return { uri: emptyUri(path), label: vscode.l10n.t("nothing") };
}
