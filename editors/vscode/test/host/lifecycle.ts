/** The server dies, comes back, is asked for work; nothing needs a new window. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as vscode from "vscode";
import { command, eventually, open, whenRunning } from "./extension";
import { environmentWasRun, layEnvironment, removeEnvironment } from "./workspace-environment";

interface Status {
  readonly folders: readonly { readonly state: string; readonly generation: number; readonly files: number }[];
}

async function status(): Promise<Status["folders"][number]> {
  const { folders } = await vscode.commands.executeCommand<Status>("codeintel.indexStatus", {});
  const [folder] = folders;
  assert.ok(folder !== undefined);
  return folder;
}

export function lifecycleTests(): void {
  suite("the server's life", () => {
    test("killed, it comes back, and answers", async () => {
      const doors = await whenRunning();
      const killed = doors.serverProcess;
      assert.ok(killed !== undefined);
      process.kill(killed, "SIGKILL");
      await eventually(
        "another server",
        () => doors.serverProcess,
        (found) => found !== undefined && found !== killed,
        30,
      );
      await doors.whenRunning();
      assert.ok((await status()).files > 0);
      await open("src/retry.py", 17);
      await eventually("its blame", () => doors.annotation(), (text) => text?.includes("Spread retries") ?? false);
    });

    test("the folder's own Python environment comes before PATH", async () => {
      const doors = await whenRunning();
      layEnvironment(execFileSync("sh", ["-c", "command -v codeintel-ls"], { encoding: "utf8" }).trim());
      try {
        await command("restartServer");
        await doors.whenRunning();
        assert.ok(environmentWasRun());
      } finally {
        removeEnvironment();
      }
    });

    test("the command restarts it", async () => {
      const doors = await whenRunning();
      const before = doors.serverProcess;
      await command("restartServer");
      await eventually("another server", () => doors.serverProcess, (found) => found !== undefined && found !== before);
      await doors.whenRunning();
      assert.equal(doors.state, "running");
      assert.ok((await status()).files > 0);
    });

    test("the index is brought up to date, built anew and merged", async () => {
      await whenRunning();
      await command("updateIndex");
      const { generation, files } = await status();
      await command("rebuildIndex");
      const after = await eventually("a new generation", status, (found) => found.generation > generation && found.state === "ready", 30);
      assert.equal(after.files, files);
      await command("mergeIndexes");
      assert.equal((await status()).files, files);
    });

    test("pausing stops the work, and what was indexed stays", async () => {
      await whenRunning();
      const { files } = await status();
      const rebuilt = command("rebuildIndex");
      await command("pauseIndexing");
      await rebuilt;
      const after = await eventually("it to be ready", status, ({ state }) => state === "ready");
      assert.equal(after.files, files);
    });

    test("the log is an output that can be shown", async () => {
      await command("showLog");
      await eventually("the log", () =>
        vscode.workspace.textDocuments.some(
          ({ uri, fileName }) => uri.scheme === "output" && /codeintel/i.test(fileName),
        ),
      );
      await vscode.commands.executeCommand("workbench.action.closePanel");
    });

    test("the report for a fault opens as a document, without source text", async () => {
      await whenRunning();
      await command("showDebugInformation");
      const editor = await eventually(
        "the document",
        () => vscode.window.activeTextEditor,
        (found) => found?.document.getText().includes("codeintel") ?? false,
      );
      const text = editor?.document.getText() ?? "";
      assert.match(text, /\d+\.\d+\.\d+/, "versions");
      assert.ok(!text.includes("retry_with_backoff"));
      await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    });

    test("the walkthrough opens", async () => {
      await command("openWalkthrough");
      await eventually(
        "its tab",
        () => vscode.window.tabGroups.all.flatMap(({ tabs }) => tabs.map(({ label }) => label)).join(),
        (labels) => /Get Started|Walkthrough|Welcome/.test(labels),
      );
      await vscode.commands.executeCommand("workbench.action.closeAllEditors");
    });
  });
}
