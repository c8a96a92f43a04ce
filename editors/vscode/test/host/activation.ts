/** Coming up, and every door of the manifest. */
import assert from "node:assert/strict";
import * as vscode from "vscode";
import { eventually, extension, manifest, whenRunning } from "./extension";

export function activationTests(): void {
  suite("activation", () => {
    test("comes by itself, once the window has started", async () => {
      await eventually("the extension to be active", () => extension().isActive);
    });

    test("finds the server on PATH and starts it", async () => {
      const doors = await whenRunning();
      assert.equal(doors.state, "running");
      assert.ok(doors.serverProcess !== undefined);
      // Signal 0 only asks whether the process is there.
      assert.ok(process.kill(doors.serverProcess, 0));
    });

    test("registers every command of its manifest, and none of the server's twice", async () => {
      const registered = await vscode.commands.getCommands(true);
      const declared = manifest().contributes.commands.map(({ command }) => command);
      assert.ok(declared.length > 30);
      assert.deepEqual(
        declared.filter((name) => !registered.includes(name)),
        [],
      );
      assert.deepEqual(
        registered.filter((name) => name.startsWith("codeintel-ls.") && name.endsWith("undefined")),
        [],
      );
      assert.ok(registered.includes("codeintel.semanticSearch"), "the client registers the server's own");
    });

    test("declares no command that nothing leads to", () => {
      const { commands, menus, keybindings } = manifest().contributes;
      const placed = new Set(
        [...Object.values(menus).flat(), ...keybindings].flatMap((entry) => entry.command ?? []),
      );
      const hidden = new Set(
        (menus["commandPalette"] ?? []).filter(({ when }) => when === "false").map(({ command }) => command),
      );
      const reachable = new Set(
        Object.entries(menus)
          .filter(([menu]) => menu !== "commandPalette")
          .flatMap(([, entries]) => entries.map(({ command }) => command)),
      );
      const lost = commands
        .map(({ command }) => command)
        .filter((name) => hidden.has(name) && !reachable.has(name) && !keybindings.some(({ command }) => command === name));
      assert.ok(placed.size > 0);
      assert.deepEqual(
        lost.filter((name) => name !== "codeintel-ls.loadMoreHistory"),
        [],
        "hidden from the palette, and nowhere else",
      );
    });

    test("keeps what must not come from a workspace out of it", () => {
      const machine = manifest().contributes.configuration.flatMap(({ properties }) =>
        Object.entries(properties)
          .filter(([, { scope }]) => scope === "machine")
          .map(([name]) => name),
      );
      for (const name of ["server.path", "git.path", "embedding.endpoint", "embedding.apiKeyFile", "cache.directory"]) {
        assert.ok(machine.includes(`codeintel.${name}`), name);
      }
    });
  });

  suite("index status", () => {
    test("the status bar tells how many files are indexed", async () => {
      const doors = await whenRunning();
      await vscode.commands.executeCommand("codeintel.updateIndex", {});
      const { folders } = await vscode.commands.executeCommand<{ folders: readonly { files: number }[] }>(
        "codeintel.indexStatus",
        {},
      );
      const files = folders[0]?.files ?? 0;
      assert.ok(files >= 15, `${files} files`);
      await eventually(
        "the tooltip to count them",
        () => doors.statusBar().tooltip,
        (tooltip) => new RegExp(`\\b${files}\\b`).test(tooltip),
      );
      assert.notEqual(doors.statusBar().text.trim(), "");
    });
  });
}
