/** The extension in a trusted folder, with its server on PATH. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { eventually, extension, manifest } from "./extension";
import { runTests } from "./mocha";

function tests(): void {
  suite("activation", () => {
    test("comes by itself, once the window has started", async () => {
      await eventually("the extension to be active", () => extension().isActive);
    });

    test("registers every command of its manifest", async () => {
      const registered = new Set(await vscode.commands.getCommands(true));
      const missing = manifest().contributes.commands.filter(({ command }) => !registered.has(command));
      assert.deepEqual(missing, []);
    });
  });
}

export async function run(): Promise<void> {
  await runTests(tests);
}
