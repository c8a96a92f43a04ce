/** The commands about the server itself: install, restart, log, debug information. */
import * as vscode from "vscode";
import { PrintDebugInformation } from "../protocol";
import type { Installation } from "./installation";
import type { Server } from "./server";

export function registerServerCommands(
  server: Server,
  installation: Installation,
  log: vscode.LogOutputChannel,
): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.commands.registerCommand("codeintel-ls.restartServer", () => server.restart()),
    vscode.commands.registerCommand("codeintel-ls.showLog", () => {
      log.show(true);
    }),
    vscode.commands.registerCommand("codeintel-ls.installServer", () => install(server, installation, log)),
    vscode.commands.registerCommand("codeintel-ls.showDebugInformation", () => showDebugInformation(server)),
  );
}

/** Installs until it works or the person has had enough. */
async function install(server: Server, installation: Installation, log: vscode.LogOutputChannel): Promise<void> {
  const retry = vscode.l10n.t("Try Again");
  const showLog = vscode.l10n.t("Show Log");
  for (;;) {
    const failure = await attempt(server, installation);
    if (failure === undefined) {
      return;
    }
    log.error(failure);
    const message = vscode.l10n.t("The server could not be installed: {0}", failure);
    const chosen = await vscode.window.showErrorMessage(message, retry, showLog);
    if (chosen === showLog) {
      log.show(true);
    }
    if (chosen !== retry) {
      return;
    }
  }
}

/** The result says why it did not work; nothing where it did, or was cancelled. */
async function attempt(server: Server, installation: Installation): Promise<string | undefined> {
  // Windows does not let go of programs that run.
  if (server.description.found?.origin === "private") {
    await server.stop();
  }
  const options = {
    location: vscode.ProgressLocation.Notification,
    cancellable: true,
    title: vscode.l10n.t("Installing the server"),
  };
  server.announce(vscode.l10n.t("installing…"));
  const failure = await vscode.window.withProgress(options, async (progress, token) => {
    try {
      await installation.install((message) => {
        progress.report({ message });
      }, token);
      return undefined;
    } catch (error) {
      return error instanceof vscode.CancellationError
        ? undefined
        : error instanceof Error
          ? error.message
          : String(error);
    }
  });
  server.announce(undefined);
  if (failure === undefined) {
    await server.restart();
  }
  return failure;
}

async function showDebugInformation(server: Server): Promise<void> {
  const { text } = await server.request(PrintDebugInformation, {});
  const document = await vscode.workspace.openTextDocument({ content: text, language: "plaintext" });
  await vscode.window.showTextDocument(document, { preview: true });
}
