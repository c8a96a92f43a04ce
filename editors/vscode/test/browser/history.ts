/** History as it is drawn: the tree, a comparison, a revision. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Window } from "./window";

export function historyTests(window: () => Window): void {
  void test("the history of a file is a list of commits, through its rename", async () => {
    const view = window();
    await view.openFile("src/cache.py", 30);
    view.command("codeintel-ls.showFileHistory");
    const rows = view.page.locator(".sidebar .monaco-list-row");
    await rows.filter({ hasText: "Bound the cache" }).first().waitFor();
    await rows.filter({ hasText: "Start the project" }).first().waitFor();
    await view.pictures("history");
  });

  void test("a commit of the list opens what it did to the file", async () => {
    const view = window();
    const row = view.page.locator(".sidebar .monaco-list-row").filter({ hasText: "Bound the cache" }).first();
    await row.click();
    if ((await view.page.locator(".monaco-diff-editor").count()) === 0) {
      await row.press("Enter");
    }
    await view.page.locator(".editor-group-container.active .monaco-diff-editor").waitFor();
    await view.page.locator(".monaco-diff-editor .line-insert, .monaco-diff-editor .char-insert").first().waitFor();
    await view.pictures("comparison");
  });

  void test("the list is filtered by what one types, and whole again after", async () => {
    const view = window();
    const rows = view.page.locator(".sidebar .monaco-list-row");
    view.command("codeintel-ls.filterHistory");
    await view.quickInput().waitFor();
    await view.quickInput().fill("author:ada store");
    await rows.filter({ hasText: "Bound the cache" }).waitFor({ state: "detached" });
    await rows.filter({ hasText: "Call the store" }).first().waitFor();
    await view.page.keyboard.press("Enter");
    await view.quickInput().waitFor({ state: "hidden" });
    view.command("codeintel-ls.clearHistoryFilter");
    await rows.filter({ hasText: "Bound the cache" }).first().waitFor();
  });

  void test("commits are found by their meaning", async () => {
    const view = window();
    view.command("codeintel-ls.searchHistory");
    await view.quickInput().waitFor();
    await view.quickInput().fill("who must not ask again so soon");
    await view.page.keyboard.press("Enter");
    await view.page.locator(".sidebar .monaco-list-row").filter({ hasText: "Refuse who asks too often" }).first().waitFor();
    await view.pictures("history-search");
    view.command("codeintel-ls.clearHistoryFilter");
  });

  void test("the commit of a line has a list of what can be done", async () => {
    const view = window();
    await view.openFile("src/retry.py", 18);
    await view.status("Grace Hopper").waitFor();
    view.command("codeintel-ls.showLineActions");
    await view.quickInput().waitFor();
    assert.match(await view.page.locator(".quick-input-widget").innerText(), /Grace Hopper/);
    assert.ok((await view.rows().count()) >= 4);
    await view.pictures("line-actions");
    await view.page.keyboard.press("Escape");
  });

  void test("the page of a commit is opened only after asking", async () => {
    const view = window();
    await view.openFile("src/retry.py", 18);
    await view.status("Grace Hopper").waitFor();
    view.command("codeintel-ls.openCommitPage");
    const dialog = view.page.locator(".monaco-dialog-box");
    await dialog.filter({ hasText: "github.com/example/harbour/commit/" }).waitFor();
    await view.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  void test("the previous revision opens read-only, with its commit in the title", async () => {
    const view = window();
    await view.openFile("src/retry.py", 18);
    view.command("codeintel-ls.openPreviousRevision");
    const tab = view.page.locator(".tab.active");
    await tab.filter({ hasText: /retry\.py.*[0-9a-f]{7}/ }).waitFor();
    await view.line("retry_with_backoff").waitFor();
    assert.equal(await view.line("Jitter").count(), 0, "it is the text before the jitter");
    await view.pictures("revision");
  });
}
