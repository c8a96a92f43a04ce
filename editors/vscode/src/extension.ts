/**
 * The composition root: what is made when the extension is activated, and in which order.
 *
 * Invariant: activation waits for nothing. The server is looked for and started behind it, and
 * everything that needs the server waits for its state.
 */
import { mkdir } from "node:fs/promises";
import * as vscode from "vscode";
import type { CodeIntelApi } from "./api";
import { BlameFeature } from "./blame/blameFeature";
import { HistoryFeature } from "./history/historyFeature";
import { IndexCommands } from "./index/indexCommands";
import { IndexStatusBar } from "./index/indexStatusBar";
import { ProgressBars } from "./index/progressBars";
import { SearchFeature } from "./search/searchFeature";
import { Installation } from "./server/installation";
import { Server } from "./server/server";
import { registerServerCommands } from "./server/serverCommands";
import { runHere } from "./serverCommands";
import { onDidChangeSetting, serverSettingNames, settingsForServer } from "./settings";

const WALKTHROUGH = "codeintel-ls.codeintel-ls#codeintel-ls.start";

let running: Server | undefined;

export function activate(context: vscode.ExtensionContext): CodeIntelApi {
  const log = vscode.window.createOutputChannel("CodeIntel", { log: true });
  const manifest: unknown = context.extension.packageJSON;
  const version = (manifest as { version: string }).version;
  const storage = context.globalStorageUri.fsPath;
  const wheels = vscode.Uri.joinPath(context.extensionUri, "server").fsPath;
  const installation = new Installation(storage, wheels, version, log);
  const names = serverSettingNames(manifest);
  const bars = new ProgressBars();
  const server: Server = new Server(
    { privateFolder: installation.programs, cwd: storage, extensionVersion: version },
    log,
    {
      settings: (scope) => settingsForServer(names, scope),
      onProgress: (token, value) => {
        bars.heard(token, value);
      },
      onBlameChanged: () => {
        blame.refresh();
      },
      hover: (document, position, token) => blame.hover.provide(document, position, token),
      command: (name, argument) => runHere(name, argument, search, history),
    },
  );
  running = server;
  const search = new SearchFeature(server, context);
  const blame = new BlameFeature(server);
  const history = new HistoryFeature(server, () => blame.ofCursor());
  const statusBar = new IndexStatusBar(server, bars);
  context.subscriptions.push(
    log,
    server,
    bars,
    search,
    blame,
    history,
    statusBar,
    new IndexCommands(server, bars, statusBar),
    registerServerCommands(server, installation, log),
    vscode.commands.registerCommand("codeintel-ls.openWalkthrough", async () => {
      await vscode.commands.executeCommand("workbench.action.openWalkthrough", WALKTHROUGH, false);
      // VS Code overlooks a context that already held when it read the walkthrough.
      await vscode.commands.executeCommand("setContext", "codeintel-ls.wasRunning", server.state === "running");
    }),
    server.onDidChangeState(({ state }) => {
      void vscode.commands.executeCommand("setContext", "codeintel-ls.state", state);
      void vscode.commands.executeCommand("setContext", "codeintel-ls.running", state === "running");
    }),
    ...restarts(server),
  );
  void begin(server, storage);
  return {
    get state() {
      return server.state;
    },
    get serverProcess() {
      return server.processId;
    },
    whenRunning: () => server.whenRunning(),
    annotation: () => blame.annotation.text,
    fileBlame: () => blame.file.texts,
    statusBar: () => statusBar.shown,
    blameStatusBar: () => blame.statusBar.shown,
    searchItems: () => search.quick.items(),
    onDidAnswerSearch: search.quick.onDidAnswer,
    history: () => history.tree.shown(),
    searchView: () => search.results.shown,
  };
}

/** Ends the server, and waits for it: what it has started must not outlive the window. */
export async function deactivate(): Promise<void> {
  await running?.stop();
  running = undefined;
}

async function begin(server: Server, storage: string): Promise<void> {
  await mkdir(storage, { recursive: true });
  await server.start();
}

/** What makes another server the right one. */
function restarts(server: Server): vscode.Disposable[] {
  return [
    onDidChangeSetting(["server.path"], () => {
      void server.restart();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      if (server.state === "missing" || server.state === "failed") {
        void server.restart();
      }
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      if (server.state === "noFolder") {
        void server.restart();
      }
    }),
  ];
}
