// Bundles the tests into out/: for Node (unit, browser) and for the extension host (host).
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

const files = (folder, ending) =>
  readdirSync(join(here, folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(here, folder, name));

await build({
  entryPoints: [
    ...files("unit", ".test.ts"),
    ...files("host", ".suite.ts"),
    ...files("browser", ".main.ts"),
    join(here, "driver", "extension.ts"),
  ],
  outbase: here,
  outdir: join(here, "..", "out"),
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  sourcemap: "inline",
  external: ["vscode", "mocha", "playwright-core", "typescript"],
  tsconfigRaw: {},
  logLevel: "warning",
});
