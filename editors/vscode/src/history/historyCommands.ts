/** The commands of the history: of its view, of its commits and of the revisions of the open file. */
import * as vscode from "vscode";
import { OpenCommit } from "../protocol";
import { told } from "../server/refusals";
import type { Server } from "../server/server";
import type { Changes } from "./changes";
import type { HistoryModel } from "./historyModel";
import { type HistoryNode, revisionOfNode } from "./historyTree";
import type { HistoryView } from "./historyView";
import type { RevisionNavigation } from "./revisionNavigation";
import { type Revision, shownBy } from "./revisions";

const FILTER_MILLISECONDS = 150;

export interface HistoryParts {
  readonly server: Server;
  readonly model: HistoryModel;
  readonly view: HistoryView;
  readonly changes: Changes;
  readonly navigation: RevisionNavigation;
  /** The commit of the cursor's line. */
  readonly ofCursor: () => Revision | undefined;
}

export function registerHistoryCommands(parts: HistoryParts): vscode.Disposable {
  const { model, view, navigation, changes, server } = parts;
  const withRevision = async (given: unknown, work: (revision: Revision) => Promise<void>): Promise<void> => {
    const revision = revisionIn(given) ?? parts.ofCursor();
    if (revision === undefined) {
      throw new Error(vscode.l10n.t("There is no commit of this line."));
    }
    await work(revision);
  };
  // Whoever runs a command may pass anything: what is passed is looked at before it is used.
  const register = (name: string, work: (given: unknown) => Promise<void>): vscode.Disposable =>
    vscode.commands.registerCommand(`codeintel-ls.${name}`, (given: unknown) => told(() => work(given)));
  return vscode.Disposable.from(
    register("showFileHistory", (given) => showFileHistory(view, changes, given)),
    register("showLineHistory", (given) => showLineHistory(view, given)),
    register("searchHistory", () => searchHistory(parts)),
    register("filterHistory", () => filterHistory(parts)),
    register("clearHistoryFilter", () => model.clear()),
    register("refreshHistory", () => model.reload()),
    register("loadMoreHistory", () => model.more()),
    register("pinHistory", () =>
      done(() => {
        view.pin(true);
      }),
    ),
    register("unpinHistory", () =>
      done(() => {
        view.pin(false);
      }),
    ),
    register("openPreviousRevision", () => navigation.previous()),
    register("openNextRevision", () => navigation.next()),
    register("compareWithPrevious", () => navigation.compareWithPrevious()),
    register("openChanges", (given) => withRevision(given, (revision) => changes.open(revision))),
    register("openAtCommit", (given) => withRevision(given, (revision) => changes.openAt(revision))),
    register("compareWithWorking", async (given) => {
      const revision = revisionIn(given);
      await (revision === undefined ? navigation.compareWithWorking() : changes.compareWithWorking(revision));
    }),
    register("openCommitPage", (given) =>
      withRevision(given, async ({ file, commit, page }) => {
        // The server knows why there is no page.
        await (page === undefined
          ? server.request(OpenCommit, { uri: file, commit })
          : vscode.env.openExternal(vscode.Uri.parse(page)));
      }),
    ),
    register("copyCommitId", (given) =>
      withRevision(given, async ({ commit, shortId }) => {
        await vscode.env.clipboard.writeText(commit);
        vscode.window.setStatusBarMessage(vscode.l10n.t("Copied {0}.", shortId), 2_000);
      }),
    ),
    register("copyCommitMessage", (given) =>
      withRevision(given, async ({ message }) => {
        await vscode.env.clipboard.writeText(message ?? "");
      }),
    ),
  );
}

async function showFileHistory(view: HistoryView, changes: Changes, given: unknown): Promise<void> {
  const uri = given instanceof vscode.Uri ? given : vscode.window.activeTextEditor?.document.uri;
  if (uri === undefined) {
    throw new Error(vscode.l10n.t("Open a file that git knows first."));
  }
  const then = shownBy(uri);
  await view.showFile(then === undefined ? uri : changes.presentFile(then));
}

async function showLineHistory(view: HistoryView, given: unknown): Promise<void> {
  if (isLine(given)) {
    await view.showLines(vscode.Uri.parse(given.uri), given.line, given.line);
    return;
  }
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.uri.scheme !== "file") {
    throw new Error(vscode.l10n.t("Open a file that git knows first."));
  }
  const { start, end } = editor.selection;
  // A selection that ends at the beginning of a line does not touch that line.
  const last = end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
  await view.showLines(editor.document.uri, start.line, last);
}

async function searchHistory({ model, view, server }: HistoryParts): Promise<void> {
  await server.whenRunning();
  const question = await vscode.window.showInputBox({
    title: vscode.l10n.t("Search History by Meaning"),
    prompt: vscode.l10n.t(
      "Which commit did what? Narrow it with author:ann, since:2w, until:2026-01-31 or path:src/**.",
    ),
    placeHolder: vscode.l10n.t("why is the cache smaller"),
    value: model.question ?? "",
  });
  if (question !== undefined && question.trim() !== "") {
    const asked = model.search(question.trim());
    await view.focus();
    await asked;
  }
}

/** The list follows what is typed; Escape takes the filter back. */
async function filterHistory({ model, view }: HistoryParts): Promise<void> {
  if (!view.visible) {
    await view.focus();
  }
  const before = model.filter;
  const box = vscode.window.createInputBox();
  box.title = vscode.l10n.t("Filter History by Text");
  box.prompt = vscode.l10n.t(
    "Words of the message, an author or a commit id; also author:ann, since:2w or until:2026-01-31.",
  );
  box.value = before;
  let timer: NodeJS.Timeout | undefined;
  let accepted = false;
  await new Promise<void>((resolve) => {
    const listening = vscode.Disposable.from(
      box.onDidChangeValue((value) => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          void told(() => model.setFilter(value.trim()));
        }, FILTER_MILLISECONDS);
      }),
      box.onDidAccept(() => {
        accepted = true;
        box.hide();
      }),
      box.onDidHide(() => {
        clearTimeout(timer);
        listening.dispose();
        void told(() => model.setFilter(accepted ? box.value.trim() : before));
        box.dispose();
        resolve();
      }),
    );
    box.show();
  });
}

function isLine(given: unknown): given is { uri: string; line: number } {
  const { uri, line } = (given ?? {}) as { uri?: unknown; line?: unknown };
  return typeof uri === "string" && typeof line === "number";
}

/** Links pass a revision, the tree passes a node, menus of an editor pass something else. */
function revisionIn(given: unknown): Revision | undefined {
  if (typeof given !== "object" || given === null) {
    return undefined;
  }
  if ("kind" in given) {
    return revisionOfNode(given as HistoryNode);
  }
  return "commit" in given && "path" in given && "file" in given ? (given as Revision) : undefined;
}

async function done(work: () => void): Promise<void> {
  work();
  return Promise.resolve();
}
