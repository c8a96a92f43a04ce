/** Every command of the manifest is run by a test in a window. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

void test("no command is without a test", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
    contributes: { commands: readonly { command: string }[] };
  };
  const tests = ["host", "browser"]
    .flatMap((folder) => readdirSync(join("test", folder)).map((name) => join("test", folder, name)))
    .filter((path) => path.endsWith(".ts"))
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  const names = manifest.contributes.commands.map(({ command }) => command.replace("codeintel-ls.", ""));
  assert.ok(names.length > 30);
  const untested = names.filter((name) => !new RegExp(`command\\((?:\n *)?["'](?:codeintel-ls\\.)?${name}["']`).test(tests));
  assert.deepEqual(untested, []);
});
