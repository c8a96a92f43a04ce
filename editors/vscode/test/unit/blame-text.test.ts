/** Commits in words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, cut, isoDate, oneLine, relativeDate } from "../../src/blame/blameText";
import { HEATS, heats } from "../../src/blame/heat";
import { commitWith } from "./commits";

const NOW = 1_700_000_000;
const DAY = 86_400;

void test("ages in the largest unit that fits, and never a round nought", () => {
  assert.equal(relativeDate(NOW - 3 * DAY, NOW, "en"), "3 days ago");
  assert.equal(relativeDate(NOW - 6 * DAY - 86_000, NOW, "en"), "6 days ago");
  assert.equal(relativeDate(NOW - 400 * DAY, NOW, "en"), "1 year ago");
  assert.equal(relativeDate(NOW - 59, NOW, "en"), "now");
  assert.equal(relativeDate(NOW, NOW + 0.9, "en"), "now");
  assert.equal(relativeDate(NOW + 2 * DAY, NOW, "en"), "in 2 days");
  assert.equal(relativeDate(NOW - 2 * DAY, NOW, "de"), "vor 2 Tagen");
});

void test("the day as the author's calendar had it", () => {
  const late = { name: "", email: "", time: Date.UTC(2026, 0, 31, 23, 30) / 1000, offset: 60 };
  assert.equal(isoDate(late), "2026-02-01");
  assert.equal(isoDate({ ...late, offset: 0 }), "2026-01-31");
  assert.equal(isoDate({ ...late, time: 1e18 }), "1970-01-01");
});

void test("the template of the setting", () => {
  const commit = commitWith();
  assert.equal(oneLine(commit, "{author}, {date} · {summary}", "today"), "Ada Byron, today · Bound the cache");
  assert.equal(oneLine(commit, "{{{id}}} {email} {other}", ""), "{0123456789} ada@example.org {other}");
  const named = commitWith({ author: { ...commit.author, name: "{summary}" } });
  assert.equal(oneLine(named, "{author}", ""), "{summary}", "what a commit holds is no template");
  assert.ok(!oneLine(commitWith({ summary: "a\nb" }), "{summary}", "").includes("\n"));
  assert.ok(oneLine(commitWith({ summary: "x".repeat(500) }), "{summary}", "").length <= 73);
});

void test("the body is what a message says beyond its first line", () => {
  assert.equal(bodyOf(commitWith()), "Without a bound it leaks.");
  assert.equal(bodyOf(commitWith({ message: "Bound the cache" })), "");
  assert.equal(cut("short", 10), "short");
  assert.equal(cut("a long text", 6), "a long…");
});

void test("the newest of a file is hottest, its oldest coldest, whatever their age", () => {
  const found = heats([100, 300, 200, 300]);
  assert.equal(found.get(300), 1);
  assert.equal(found.get(100), HEATS);
  const middle = found.get(200) ?? 0;
  assert.ok(middle > 1 && middle < HEATS);
  assert.equal(heats([5]).get(5), 1);
  assert.equal(heats([]).size, 0);
});
