/** Which commits a filter of the history lets through. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { momentOf, passes } from "../../src/history/commitFilter";
import { parseQuery } from "../../src/search/queryText";
import { commitWith } from "./commits";

const NOW = 1_600_000_000 + 10 * 86_400;

function lets(text: string, paths: readonly string[] = ["src/cache.py"]): boolean {
  return passes(commitWith(), paths, parseQuery(text), NOW);
}

void test("words are found in message, author, id and path, all of them, in any case", () => {
  assert.ok(lets("CACHE leaks"));
  assert.ok(lets("byron"));
  assert.ok(lets("0123456789"));
  assert.ok(lets("src/cache"));
  assert.ok(!lets("cache elsewhere"));
});

void test("a phrase is looked for as a whole", () => {
  assert.ok(lets('"bound it"'));
  assert.ok(!lets('"bound leaks"'));
  assert.ok(lets("bound leaks"));
});

void test("filters of author and date", () => {
  assert.ok(lets("author:ADA"));
  assert.ok(!lets("author:grace"));
  assert.ok(lets("since:11d"));
  assert.ok(!lets("since:9d"));
  assert.ok(lets("until:9d"));
  assert.ok(!lets("until:11d"));
});

void test("a date alone is its first moment here", () => {
  assert.equal(momentOf("2026-01-31", NOW), new Date(2026, 0, 31).getTime() / 1000);
  assert.equal(momentOf("2w", NOW), NOW - 14 * 86_400);
  assert.equal(momentOf(undefined, NOW), undefined);
});
