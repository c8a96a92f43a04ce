/** A folder that nobody trusts yet: nothing of it is run. The server is the one installed before. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { api, command, eventually, open } from "./extension";
import { runTests } from "./mocha";
import { environmentWasRun, layEnvironment, removeEnvironment } from "./workspace-environment";

function tests(): void {
  suite("in a folder that is not trusted", () => {
    suiteTeardown(removeEnvironment);

    test("the folder's own environment is not run", async () => {
      assert.equal(vscode.workspace.isTrusted, false);
      const doors = await api();
      layEnvironment("/bin/false");
      await command("restartServer");
      await doors.whenRunning();
      assert.equal(environmentWasRun(), false);
    });

    test("blame and search work, with the server from outside the folder", async () => {
      const doors = await api();
      await doors.whenRunning();
      await open("src/retry.py", 17);
      await eventually("the annotation", () => doors.annotation(), (text) => text?.includes("Spread retries") ?? false);
      const { hits } = await vscode.commands.executeCommand<{ hits: readonly unknown[] }>("codeintel.semanticSearch", {
        query: "retry",
      });
      assert.ok(hits.length > 0);
    });

    test("the status says that it runs limited, and how", async () => {
      const doors = await api();
      await eventually("the word", () => doors.statusBar().tooltip, (text) => /trust/i.test(text));
    });
  });
}

export async function run(): Promise<void> {
  await runTests(tests);
}
