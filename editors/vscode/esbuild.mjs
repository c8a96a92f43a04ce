// Bundles the extension, and the script of its search view, into dist/.
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { context } from "esbuild";

const production = process.argv.includes("--production");
const watch = process.argv.includes("--watch");

const common = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : "inline",
  target: "es2022",
  logLevel: "warning",
  legalComments: "none",
};

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");
for (const name of ["codicon.css", "codicon.ttf"]) {
  copyFileSync(`node_modules/@vscode/codicons/dist/${name}`, `dist/${name}`);
}
const contexts = await Promise.all([
  context({
    ...common,
    // The language client is nine tenths of the code, and loaded behind the activation.
    entryPoints: { extension: "src/extension.ts", client: "src/server/client.ts" },
    outdir: "dist",
    platform: "node",
    format: "cjs",
    external: ["vscode", "./client.js"],
    // `require` is what VS Code answers for `vscode` in, too.
    supported: { "dynamic-import": false },
    // The ES modules of these packages need no wrapper, so that what is unused can be left out.
    mainFields: ["module", "main"],
  }),
  context({
    ...common,
    entryPoints: ["src/webview/main.ts"],
    outfile: "dist/searchView.js",
    platform: "browser",
    format: "iife",
  }),
]);
for (const one of contexts) {
  if (watch) {
    await one.watch();
  } else {
    await one.rebuild();
    await one.dispose();
  }
}
