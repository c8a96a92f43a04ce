/** The server dies, comes back, is asked for work; nothing needs a new window. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import * as vscode from "vscode";
import { command, eventually, open, root, whenRunning } from "./extension";
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

interface Daemon {
  readonly pid: number;
  readonly folder: string;
  readonly clients: number;
}

/** The server of the folder, as the command line knows it. */
function daemon(): Daemon {
  const told = execFileSync("codeintel-ls", ["daemon", "list", "--json"], { encoding: "utf8" });
  const { daemons } = JSON.parse(told) as { daemons: readonly Daemon[] };
  const found = daemons.filter(({ folder }) => folder === realpathSync(root().fsPath));
  const [only] = found;
  assert.ok(only !== undefined && found.length === 1, `one server, not ${String(found.length)}: ${told}`);
  return only;
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

    test("two Neovims on the folder share its server", async function () {
      const program = process.env["CODEINTEL_TEST_NVIM"];
      if (program === undefined) {
        console.log("SKIPPED: no Neovim is to be had on this system.");
        this.skip();
      }
      await open("src/retry.py", 17);
      const before = daemon();
      const plugin = process.env["CODEINTEL_TEST_NVIM_PLUGIN"] ?? "";
      const file = vscode.Uri.joinPath(root(), "src/cache.py").fsPath;
      const neovims = [0, 1].map(() =>
        // It ends with its standard input, which nobody closes before the test does.
        spawn(program, ["--embed", "--headless", "--clean", "--cmd", `set rtp^=${plugin}`, file], { stdio: "pipe" }),
      );
      try {
        await eventually("both of them at the server", () => daemon().clients, (count) => count === before.clients + 2, 30);
        assert.equal(daemon().pid, before.pid);
        const [one] = neovims;
        one?.kill("SIGKILL");
        await eventually("one of them gone", () => daemon().clients, (count) => count === before.clients + 1, 30);
        assert.ok((await status()).files > 0);
        assert.equal(daemon().pid, before.pid);
      } finally {
        for (const neovim of neovims) {
          neovim.kill("SIGKILL");
        }
      }
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
