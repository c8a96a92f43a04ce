/**
 * A small extension beside the one under test: tests in the browser ask it, over a port of this
 * machine, for what has no place in a window (settings, commands with arguments).
 */
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import * as vscode from "vscode";

export type Request =
  | { readonly kind: "command"; readonly name: string; readonly values: readonly unknown[] }
  | { readonly kind: "setting"; readonly name: string; readonly value: unknown }
  | { readonly kind: "open"; readonly path: string; readonly line: number }
  | { readonly kind: "state" }
  | { readonly kind: "annotate"; readonly on: boolean }
  | { readonly kind: "pick" };

const floor = new (class {
  private readonly type = vscode.window.createTextEditorDecorationType({ after: { margin: "0 0 0 3em" } });
  private listening: vscode.Disposable | undefined;

  /** An annotation at the cursor's line which costs nothing to know: what VS Code itself takes. */
  annotate(on: boolean): void {
    this.listening?.dispose();
    vscode.window.activeTextEditor?.setDecorations(this.type, []);
    this.listening = on
      ? vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
          const { end } = textEditor.document.lineAt(textEditor.selection.active.line).range;
          textEditor.setDecorations(this.type, [
            { range: new vscode.Range(end, end), renderOptions: { after: { contentText: "Somebody, at some time" } } },
          ]);
        })
      : undefined;
  }

  /** A quick pick that has twenty new items for every key, at once. */
  pick(): void {
    const pick = vscode.window.createQuickPick();
    pick.onDidChangeValue((value) => {
      pick.items = Array.from({ length: 20 }, (_, place) => ({
        label: `$(symbol-method) item ${place}`,
        description: value,
        detail: `what ${value} is like at place ${place}`,
        alwaysShow: true,
      }));
    });
    pick.onDidHide(() => {
      pick.dispose();
    });
    pick.show();
  }
})();

async function answer(request: Request): Promise<unknown> {
  switch (request.kind) {
    case "command":
      return vscode.commands.executeCommand(request.name, ...request.values);
    case "setting":
      await vscode.workspace
        .getConfiguration()
        .update(request.name, request.value ?? undefined, vscode.ConfigurationTarget.Global);
      return undefined;
    case "open": {
      const editor = await vscode.window.showTextDocument(vscode.Uri.file(request.path), { preview: false });
      const place = new vscode.Position(request.line, 0);
      editor.selection = new vscode.Selection(place, place);
      editor.revealRange(new vscode.Range(place, place), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
      return undefined;
    }
    case "annotate":
      floor.annotate(request.on);
      return undefined;
    case "pick":
      floor.pick();
      return undefined;
    case "state":
      return vscode.extensions.getExtension<{ readonly state: string }>("codeintel-ls.codeintel-ls")?.exports.state;
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) {
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString();
}

export function activate(context: vscode.ExtensionContext): void {
  const place = process.env["CODEINTEL_TEST_DRIVER"];
  if (place === undefined) {
    return;
  }
  const server = createServer((request, response) => {
    void bodyOf(request)
      .then(async (body) => answer(JSON.parse(body) as Request))
      .then(
        (value) => response.end(JSON.stringify({ value })),
        (error: unknown) => response.end(JSON.stringify({ error: String(error) })),
      );
  });
  server.listen(0, "127.0.0.1", () => {
    writeFileSync(place, String((server.address() as AddressInfo).port));
  });
  context.subscriptions.push({ dispose: () => server.close() });
}
