/** No `codeintel-ls` anywhere; then a wrong setting; then it is installed from the package. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { api, changing, command, eventually, manifest } from "./extension";
import { runTests, say } from "./mocha";

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
