/** Versions of server and extension. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareVersions, versionIn } from "../../src/server/version";

void test("the version in what a program says", () => {
  assert.equal(versionIn("codeintel-ls, version 0.1.0\n"), "0.1.0");
  assert.equal(versionIn("1.2.3rc1"), "1.2.3rc1");
  assert.equal(versionIn("no version"), undefined);
});

void test("the last number does not count", () => {
  assert.equal(compareVersions("0.1.0", "0.1.9"), "same");
  assert.equal(compareVersions("0.1.0", "0.2.0"), "older");
  assert.equal(compareVersions("0.10.0", "0.9.0"), "newer");
  assert.equal(compareVersions("1.0.0", "0.9.0"), "newer");
  assert.equal(compareVersions("?", "0.9.0"), "unknown");
});
