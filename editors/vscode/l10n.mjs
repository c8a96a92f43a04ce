// Writes l10n/bundle.l10n.json: every text that the sources show, for translators to begin with.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const texts = new Set();

function visit(node) {
  if (ts.isCallExpression(node) && /(^|\.)l10n\.t$/.test(node.expression.getText())) {
    const [text] = node.arguments;
    if (text === undefined || !ts.isStringLiteralLike(text)) {
      throw new Error(`${node.getSourceFile().fileName}: the text is not a literal: ${node.getText()}`);
    }
    texts.add(text.text);
  }
  node.forEachChild(visit);
}

for (const entry of readdirSync("src", { recursive: true, withFileTypes: true })) {
  if (entry.isFile() && entry.name.endsWith(".ts")) {
    const path = join(entry.parentPath, entry.name);
    visit(ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true));
  }
}
const bundle = Object.fromEntries([...texts].sort().map((text) => [text, text]));
writeFileSync("l10n/bundle.l10n.json", `${JSON.stringify(bundle, undefined, 2)}\n`);
