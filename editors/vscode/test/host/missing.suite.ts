/** No `codeintel-ls` anywhere; then a wrong setting; then it is installed from the package. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as vscode from "vscode";
import { api, changing, command, eventually, ID, manifest } from "./extension";
import { runTests, say } from "./mocha";

/** Environments that the extension has made, whole or not. */
function environments(): string[] {
  const storage = join(process.env["HOME"] ?? "", "user", "User", "globalStorage", ID);
  assert.ok(existsSync(storage), storage);
  return readdirSync(storage).filter((name) => name.startsWith("server-"));
}

/** Does something while the first `uv` on PATH is a script. */
async function withUv(script: string, work: (ran: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "uv-"));
  const ran = join(folder, "ran");
  writeFileSync(join(folder, "uv"), `#!/bin/sh\necho "$@" >> ${ran}\n${script}\n`, { mode: 0o755 });
  const path = process.env["PATH"];
  process.env["PATH"] = `${folder}:${path ?? ""}`;
  try {
    await work(ran);
  } finally {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true });
  }
}

function tests(): void {
  suite("without a server", () => {
    test("says so, and stays usable", async () => {
      const doors = await api();
      await eventually("the state", () => doors.state, (state) => state === "missing");
      await assert.rejects(doors.whenRunning(), /not found/);
      assert.equal(doors.serverProcess, undefined);
      assert.match(`${doors.statusBar().text} ${doors.statusBar().tooltip}`, /not found|missing|install/i);
      const registered = await vscode.commands.getCommands(true);
      const lost = manifest().contributes.commands.filter(({ command: name }) => !registered.includes(name));
      assert.deepEqual(lost, []);
    });

    test("a setting that names no server is complained of, and nothing else is started", async () => {
      const doors = await api();
      await changing("server.path", "/nowhere/codeintel-ls", async () => {
        await command("restartServer");
        await eventually("the complaint", () => doors.statusBar().tooltip, (text) => text.includes("/nowhere/codeintel-ls"));
        assert.equal(doors.state, "missing");
      });
    });

    test("an installation that fails leaves nothing behind, and says so until it is closed", async () => {
      const doors = await api();
      // It makes half an environment first, as when the network goes away.
      await withUv('for last; do :; done\n[ "$1" = venv ] && mkdir -p "$last/bin" && exit 0\necho "error: no network" >&2\nexit 2', async (ran) => {
        const installing = command("installServer");
        await eventually("both steps", () => existsSync(ran) && readFileSync(ran, "utf8").includes("pip install"));
        await eventually("nothing to be left", environments, (found) => found.length === 0);
        let closed = false;
        void installing.then(() => {
          closed = true;
        });
        await eventually("the message to be closed", async () => {
          await vscode.commands.executeCommand("notifications.clearAll");
          return closed;
        });
        assert.deepEqual(environments(), []);
        assert.equal(doors.state, "missing");
        assert.doesNotMatch(doors.statusBar().text, /installing/);
      });
    });

    test("installs it into an environment of its own, from the wheel of the package", async function () {
      this.timeout(150_000);
      const doors = await api();
      const started = Date.now();
      await command("installServer");
      await doors.whenRunning();
      say(`   installed in ${Math.round((Date.now() - started) / 1000)} s`);
      const { folders } = await vscode.commands.executeCommand<{ folders: readonly unknown[] }>("codeintel.indexStatus", {});
      assert.equal(folders.length, 1);
    });
  });
}

export async function run(): Promise<void> {
  await runTests(tests);
}
