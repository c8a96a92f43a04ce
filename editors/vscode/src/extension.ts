/** The composition root: what is activated, and in which order. */
import * as vscode from "vscode";

export function activate(context: vscode.ExtensionContext): void {
  context.subscriptions.push(
    vscode.commands.registerCommand("codeintel-ls.openWalkthrough", () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", "codeintel-ls.codeintel-ls#codeintel-ls.start"),
    ),
  );
}
