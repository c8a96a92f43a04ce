/** What is marked in results. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bestLine, lineOfPhrase, spansIn, termsOf } from "../../src/search/matching";

function marked(text: string, words: string, phrases: readonly string[] = []): string[] {
  return spansIn(text, termsOf(words, phrases)).map(([start, end]) => text.slice(start, end));
}

void test("stems of words that mean something are marked, in any case", () => {
  assert.deepEqual(marked("Retries the call; retry_with_backoff", "how are retries made"), ["Retries", "retry"]);
  assert.deepEqual(marked("the and of", "the and of"), []);
});

void test("a phrase is marked whole, whatever white space it has", () => {
  assert.deepEqual(marked("a  time   to live", "", ["time to live"]), ["time   to live"]);
  assert.deepEqual(marked("a.b*c", "", ["a.b*c"]), ["a.b*c"]);
});

void test("the best line holds most of the terms", () => {
  const lines = ["nothing", "cache", "cache of entries", "entries"];
  assert.equal(bestLine(lines, termsOf("cache entries", [])), 2);
  assert.equal(bestLine(lines, termsOf("elsewhere", [])), 0);
  assert.equal(bestLine([], termsOf("x1", [])), 0);
});

void test("the line of a phrase; a capital letter is meant", () => {
  assert.equal(lineOfPhrase("one\ntwo three\nTwo", "two   three"), 1);
  assert.equal(lineOfPhrase("two\nTwo", "Two"), 1);
  assert.equal(lineOfPhrase("one", "two"), undefined);
});
