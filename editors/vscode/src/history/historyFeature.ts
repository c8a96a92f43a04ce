/** The history as a whole: its view, its commands, and the editors that it opens. */
import * as vscode from "vscode";
import type { Range } from "vscode-languageclient/node";
import type { Server } from "../server/server";
import { Changes, NothingToShowError, show } from "./changes";
import { registerHistoryCommands } from "./historyCommands";
import { HistoryModel } from "./historyModel";
import { HistorySource } from "./historySource";
import { HistoryTree } from "./historyTree";
import { HistoryView } from "./historyView";
import { RevisionNavigation } from "./revisionNavigation";
import { type Revision, virtualUri } from "./revisions";

export class HistoryFeature implements vscode.Disposable {
  readonly tree: HistoryTree;
  private readonly view: HistoryView;
  private readonly disposables: vscode.Disposable;

  constructor(server: Server, ofCursor: () => Revision | undefined) {
    const source = new HistorySource(server);
    const model = new HistoryModel(server, source);
    this.tree = new HistoryTree(model, source);
    this.view = new HistoryView(server, model, this.tree);
    const changes = new Changes(source);
    const navigation = new RevisionNavigation(source, changes);
    const commands = registerHistoryCommands({ server, model, view: this.view, changes, navigation, ofCursor });
    this.disposables = vscode.Disposable.from(commands, changes, this.view, this.tree, model);
  }

  /** What the server's command `codeintel.fileHistory` does here. */
  async show(uri: string, range: Range | undefined): Promise<void> {
    const file = vscode.Uri.parse(uri);
    if (range === undefined) {
      await this.view.showFile(file);
      return;
    }
    const { start, end } = range;
    const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
    await this.view.showLines(file, start.line, last);
  }

  /** What the server's command `codeintel.openFileAtRevision` does here. */
  async openAt(uri: string, commit: string): Promise<void> {
    const virtual = virtualUri(vscode.Uri.parse(uri), commit);
    if (virtual === undefined) {
      throw new NothingToShowError(vscode.l10n.t("{0} lies outside the open folders.", uri));
    }
    await show(virtual, undefined, commit.slice(0, 10));
  }

  dispose(): void {
    this.disposables.dispose();
  }
}
