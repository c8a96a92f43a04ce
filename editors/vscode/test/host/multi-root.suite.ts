/** A window with two folders, each a repository of its own. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { eventually, whenRunning } from "./extension";
import { runTests } from "./mocha";

function tests(): void {
  suite("several folders", () => {
    test("are all indexed and searched", async () => {
      await eventually("two folders", () => vscode.workspace.workspaceFolders?.length === 2);
      await whenRunning();
      // The server opens folders in the background, and may have served another window until now.
      await eventually("both folders", async () => {
        const { folders } = await vscode.commands.executeCommand<{ folders: readonly { uri: string }[] }>(
          "codeintel.updateIndex",
          {},
        );
        return folders.length === 2;
      });
      const { hits } = await vscode.commands.executeCommand<{ hits: readonly { uri: string }[] }>(
        "codeintel.semanticSearch",
        { query: "rotate the light" },
      );
      const found = hits.map(({ uri }) => uri);
      assert.ok(found.some((uri) => uri.endsWith("/lighthouse/lamp.py")), found.join());
      assert.ok(found.some((uri) => uri.includes("/harbour/")), found.join());
    });

    test("are blamed each by its own repository", async () => {
      const doors = await whenRunning();
      const second = vscode.workspace.workspaceFolders?.[1]?.uri;
      assert.ok(second !== undefined);
      await vscode.window.showTextDocument(vscode.Uri.joinPath(second, "lamp.py"));
      await eventually("its author", () => doors.annotation(), (text) => text?.includes("Turn the lamp") ?? false);
    });
  });
}

export async function run(): Promise<void> {
  await runTests(tests);
}
