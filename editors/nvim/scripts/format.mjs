// Formats the plugin's Lua with StyLua, from the folder that npm installed it in:
//     node scripts/format.mjs NODE_MODULES [--check]
// The settings are those of stylua.toml, for whoever has the program.

import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const [modules, flag] = process.argv.slice(2);
const require = createRequire(path.resolve(modules, "index.js"));
const { Config, IndentType, LuaVersion, OutputVerification, QuoteStyle, formatCode } = require(
  "@johnnymorganz/stylua",
);
const root = path.resolve(import.meta.dirname, "..");

function config() {
  const made = Config.new();
  made.column_width = 100;
  made.indent_type = IndentType.Spaces;
  made.indent_width = 2;
  made.quote_style = QuoteStyle.AutoPreferDouble;
  made.syntax = LuaVersion.LuaJIT;
  return made;
}

function* luaFiles(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const where = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* luaFiles(where);
    else if (entry.name.endsWith(".lua")) yield where;
  }
}

let wrong = 0;
for (const file of luaFiles(root)) {
  const text = fs.readFileSync(file, "utf8");
  const formatted = formatCode(text, config(), undefined, OutputVerification.None);
  if (formatted === text) continue;
  wrong += 1;
  console.log(`${flag === "--check" ? "would change" : "changed"} ${path.relative(root, file)}`);
  if (flag !== "--check") fs.writeFileSync(file, formatted);
}
process.exit(flag === "--check" && wrong > 0 ? 1 : 0);
