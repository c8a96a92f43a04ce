/**
 * From one revision of the open file to the next: back in time, forward again, and side by side.
 *
 * In a comparison of two revisions both sides move.
 */
import { basename } from "node:path";
import * as vscode from "vscode";
import type { HistoryEntry } from "../protocol";
import { type Changes, diff, NothingToShowError, show } from "./changes";
import type { HistorySource } from "./historySource";
import { fileOf, type Revision, revisionOf, SCHEME, type Shown, shownBy, virtualUri } from "./revisions";

/** What is open: a file as it is, or as it was. */
interface Open {
  readonly file: vscode.Uri;
  readonly then: Shown | undefined;
  readonly line: number | undefined;
  readonly text: string | undefined;
  readonly compared: boolean;
}

export class RevisionNavigation {
  constructor(
    private readonly source: HistorySource,
    private readonly changes: Changes,
  ) {}

  async previous(): Promise<void> {
    const open = this.whatIsOpen();
    const entry = await this.entryBefore(open);
    if (entry === undefined) {
      throw new NothingToShowError(vscode.l10n.t("There is no earlier revision of this file."));
    }
    await this.go(open, entry);
  }

  async next(): Promise<void> {
    const open = this.whatIsOpen();
    const { then } = open;
    if (then === undefined) {
      throw new NothingToShowError(vscode.l10n.t("This is the file as it is now."));
    }
    const entry = await this.entryAfter(open.file, then);
    if (entry !== undefined) {
      await this.go(open, entry);
      return;
    }
    await show(open.file, open.line);
  }

  /** What the last commit before the open text did, up to that text. */
  async compareWithPrevious(): Promise<void> {
    const open = this.whatIsOpen();
    if (open.then !== undefined) {
      const at = await this.source.find(open.file, open.then.commit);
      if (at !== undefined) {
        await this.changes.open(revisionFrom(at, open));
        return;
      }
    }
    const entry = await this.entryBefore(open);
    if (entry === undefined) {
      throw new NothingToShowError(vscode.l10n.t("There is no earlier revision of this file."));
    }
    await this.changes.compareWithWorking(revisionFrom(entry, open));
  }

  async compareWithWorking(): Promise<void> {
    const { file, then } = this.whatIsOpen();
    const uri = then === undefined ? undefined : virtualUri(then.file, then.commit);
    if (then === undefined || uri === undefined) {
      throw new NothingToShowError(vscode.l10n.t("This is the file as it is now."));
    }
    const before = { uri, label: then.commit.slice(0, 10) };
    await diff(before, { uri: file, label: vscode.l10n.t("working file") }, basename(file.path), undefined);
  }

  private async go(open: Open, entry: HistoryEntry): Promise<void> {
    if (open.compared) {
      await this.changes.open(revisionFrom(entry, open));
    } else {
      await this.changes.openAt({ ...revisionFrom(entry, open), line: open.line });
    }
  }

  /** The last commit of which the text is not the open one. */
  private async entryBefore({ file, then, text }: Open): Promise<HistoryEntry | undefined> {
    let passed = then === undefined;
    for await (const entry of this.source.entries(file)) {
      if (!passed) {
        passed = entry.id === then?.commit;
        continue;
      }
      const unchanged = then === undefined && text !== undefined && (await this.hasText(file, entry, text));
      if (!unchanged) {
        return entry;
      }
    }
    return undefined;
  }

  private async entryAfter(file: vscode.Uri, then: Shown): Promise<HistoryEntry | undefined> {
    let newer: HistoryEntry | undefined;
    for await (const entry of this.source.entries(file)) {
      if (entry.id === then.commit) {
        return newer;
      }
      newer = entry;
    }
    return undefined;
  }

  private async hasText(file: vscode.Uri, entry: HistoryEntry, text: string): Promise<boolean> {
    const path = await fileOf(file, entry.path);
    if (path === undefined || entry.status === "D") {
      return false;
    }
    const same = (one: string): string => one.replace(/\r\n?/g, "\n");
    return same(await this.source.textOf(path, entry.id)) === same(text);
  }

  private whatIsOpen(): Open {
    const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
    const editor = vscode.window.activeTextEditor;
    const compared = input instanceof vscode.TabInputTextDiff;
    const uri = compared
      ? input.modified
      : (editor?.document.uri ?? (input instanceof vscode.TabInputText ? input.uri : undefined));
    if (uri === undefined || (uri.scheme !== "file" && uri.scheme !== SCHEME)) {
      throw new NothingToShowError(vscode.l10n.t("Open a file that git knows first."));
    }
    const then = shownBy(uri);
    const document = editor?.document.uri.toString() === uri.toString() ? editor.document : undefined;
    return {
      file: then === undefined ? uri : this.changes.presentFile(then),
      then,
      line: editor?.selection.active.line,
      text: document?.getText(),
      compared: compared && then !== undefined,
    };
  }
}

function revisionFrom(entry: HistoryEntry, { file }: Open): Revision {
  return { ...revisionOf(entry, file, entry.path), status: entry.status, previousPath: entry.previousPath };
}
