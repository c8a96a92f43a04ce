/** What people type into a search. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQuery, written } from "../../src/search/queryText";

void test("words and filters, in any order", () => {
  const query = parseQuery('lang:py path:src/** retry author:ann since:2w  "exact phrase" -path:tests/');
  assert.equal(query.words, "retry exact phrase");
  assert.deepEqual(query.phrases, ["exact phrase"]);
  assert.deepEqual(query.languages, ["python"]);
  assert.deepEqual(query.globs, ["src/**", "!tests/"]);
  assert.equal(query.author, "ann");
  assert.equal(query.since, "2w");
  assert.deepEqual(query.problems, []);
});

void test("the server is told what stands in quotes", () => {
  assert.equal(parseQuery('lang:py retry "too many" times').quoted, 'retry "too many" times');
  assert.equal(parseQuery('find "not yet').quoted, 'find "not yet"');
  assert.equal(parseQuery('say "the \\"one\\" here"').quoted, "say the  one  here");
  assert.equal(parseQuery('5" pipe "exact words"').quoted, '5  pipe "exact words"');
});

void test("what only looks like a filter is searched for", () => {
  assert.equal(parseQuery("std::vector http://x.org a:b").words, "std::vector http://x.org a:b");
  assert.equal(parseQuery("-author:ann").words, "-author:ann");
});

void test("a filter whose value is not there yet asks for nothing", () => {
  const query = parseQuery("cache lang:");
  assert.equal(query.words, "cache");
  assert.deepEqual(query.languages, []);
  assert.deepEqual(parseQuery("cache author:").author, undefined);
});

void test("a value in quotes may have spaces, and comes back as it was written", () => {
  assert.equal(parseQuery('author:"Ann Example" x').author, "Ann Example");
  for (const value of ["ann", "Ann Example", 'the "one"', "back\\slash \\ here"]) {
    assert.equal(parseQuery(written("author", value)).author, value);
  }
});

void test("a quotation that is not finished is a phrase already", () => {
  const query = parseQuery('find "not yet');
  assert.deepEqual(query.phrases, ["not yet"]);
  assert.equal(query.words, "find not yet");
});

void test("dates and modes that mean nothing are told, and the rest holds", () => {
  const query = parseQuery("since:yesterday mode:magic lang:go x");
  assert.deepEqual(query.problems, [
    { filter: "since", value: "yesterday" },
    { filter: "mode", value: "magic" },
  ]);
  assert.equal(query.since, undefined);
  assert.equal(query.mode, undefined);
  assert.deepEqual(query.languages, ["go"]);
  for (const good of ["12h", "3d", "2w", "6mo", "1y", "2026-01-31", "2026-01-31T18:30+02:00"]) {
    assert.equal(parseQuery(`since:${good}`).since, good);
  }
});

void test("several languages, once each", () => {
  assert.deepEqual(parseQuery("lang:ts,js lang:typescript").languages, [
    "typescript",
    "typescriptreact",
    "javascript",
    "javascriptreact",
  ]);
});

void test("any text is understood without an error", () => {
  for (const text of ["", "   ", '"', '""', ":", "lang:", 'lang:"', '\\"', "a".repeat(5000), '" lang:py']) {
    assert.equal(typeof parseQuery(text).words, "string");
    assert.ok(!parseQuery(text).words.includes("undefined"), text);
  }
});
