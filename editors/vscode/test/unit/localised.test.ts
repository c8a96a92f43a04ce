/** Every text that a person reads can be translated. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import ts from "typescript";

const extension = process.cwd();

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

function read(path: string): Json {
  return JSON.parse(readFileSync(join(extension, path), "utf8")) as Json;
}

/** Fields of a manifest that are shown to people. */
const SHOWN = new Set([
  "category",
  "contents",
  "contextualTitle",
  "deprecationMessage",
  "description",
  "displayName",
  "enumDescriptions",
  "enumItemLabels",
  "label",
  "markdownDeprecationMessage",
  "markdownDescription",
  "markdownEnumDescriptions",
  "shortTitle",
  "title",
]);

function* shownTexts(value: Json, trail: string): Generator<[string, string]> {
  if (Array.isArray(value)) {
    for (const [place, inner] of value.entries()) {
      yield* shownTexts(inner as Json, `${trail}[${place}]`);
    }
  } else if (value !== null && typeof value === "object") {
    for (const [name, inner] of Object.entries(value as Record<string, Json>)) {
      // Views have names; so have many things that nobody is shown.
      const shown = SHOWN.has(name) || (name === "name" && trail.includes(".views."));
      const texts = Array.isArray(inner) ? (inner as readonly Json[]) : [inner];
      for (const text of shown ? texts : []) {
        if (typeof text === "string") {
          yield [`${trail}.${name}`, text];
        }
      }
      yield* shownTexts(inner, `${trail}.${name}`);
    }
  }
}

void test("every text of the manifest is in package.nls.json, and every text there is used", () => {
  const manifest = read("package.json") as { displayName: string; description: string; capabilities: Json; contributes: Json };
  const strings = read("package.nls.json") as Record<string, string>;
  const found = [
    ["displayName", manifest.displayName],
    ["description", manifest.description],
    ...shownTexts(manifest.capabilities, "capabilities"),
    ...shownTexts(manifest.contributes, "contributes"),
  ] as [string, string][];
  assert.ok(found.length > 50, "the walk finds the manifest's texts");
  // A name is the same in every language.
  const plain = found.filter(([, text]) => text !== "CodeIntel" && !/^%[\w.-]+%$/.test(text));
  assert.deepEqual(plain, [], "texts that are not keys");
  const used = new Set(found.filter(([, text]) => text !== "CodeIntel").map(([, text]) => text.slice(1, -1)));
  assert.deepEqual([...used].filter((key) => !(key in strings)), [], "keys without a text");
  assert.deepEqual(Object.keys(strings).filter((key) => !used.has(key)), [], "texts that nothing uses");
});

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => join(folder, name));
}

/** `vscode.l10n.t(…)` and `l10n.t(…)`, under whichever name. */
function isTranslation(node: ts.Node): node is ts.CallExpression {
  return ts.isCallExpression(node) && /(^|\.)(l10n\.)?t$/.test(node.expression.getText());
}

/** What no person reads, or what is read in a log. */
function isAside(node: ts.Node): boolean {
  return (
    ts.isImportDeclaration(node) ||
    ts.isThrowStatement(node) ||
    (ts.isNewExpression(node) && node.expression.getText().endsWith("Error")) ||
    (ts.isCallExpression(node) &&
      /(log|trace|debug|info|warn|error|appendLine)$/i.test(node.expression.getText()) &&
      !/show\w*$/.test(node.expression.getText()))
  );
}

/** A sentence or a title: it begins with a capital and has a word after the first. */
const PROSE = /^[A-Z][a-z]+(…|\.\.\.| [\w{$])/;

function scan(): { readonly messages: Set<string>; readonly bare: string[] } {
  const messages = new Set<string>();
  const bare: string[] = [];
  for (const path of sources(join(extension, "src"))) {
    const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node, translated: boolean): void => {
      let inside = translated;
      if (isTranslation(node)) {
        inside = true;
        const [first] = node.arguments;
        if (first !== undefined && ts.isStringLiteralLike(first)) {
          messages.add(first.text);
        } else if (first !== undefined && ts.isObjectLiteralExpression(first)) {
          for (const property of first.properties) {
            if (
              ts.isPropertyAssignment(property) &&
              property.name.getText() === "message" &&
              ts.isStringLiteralLike(property.initializer)
            ) {
              messages.add(property.initializer.text);
            }
          }
        }
      } else if (isAside(node)) {
        inside = true;
      } else if (
        !inside &&
        (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) &&
        PROSE.test(node.text)
      ) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        bare.push(`${relative(extension, path)}:${line + 1}: ${node.text}`);
      }
      ts.forEachChild(node, (child) => {
        visit(child, inside);
      });
    };
    visit(file, false);
  }
  return { messages, bare };
}

void test("every sentence of the sources goes through l10n.t", () => {
  const { messages, bare } = scan();
  assert.ok(messages.size > 10, "the walk finds translated texts");
  assert.deepEqual(bare, []);
});

void test("l10n/bundle.l10n.json holds exactly what the sources translate", () => {
  const bundle = "l10n/bundle.l10n.json";
  assert.ok(existsSync(join(extension, bundle)), `${bundle} exists`);
  const kept = Object.keys(read(bundle) as Record<string, string>);
  assert.deepEqual(kept.sort(), [...scan().messages].sort());
});
