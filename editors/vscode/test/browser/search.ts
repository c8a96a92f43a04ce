/** Search as it is drawn: the quick pick and the view. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Frame } from "playwright-core";
import { eventually, type Window } from "./window";

async function type(window: Window, text: string): Promise<void> {
  const input = window.quickInput();
  await input.waitFor();
  await input.fill("");
  await input.pressSequentially(text, { delay: 15 });
}

async function results(window: Window, part: string | RegExp): Promise<string[]> {
  await window.rows().filter({ hasText: part }).first().waitFor();
  return window.rows().allInnerTexts();
}

/** The search view's own document, within two frames. */
async function viewFrame(window: Window): Promise<Frame> {
  return eventually(
    "the search view",
    async () => {
      for (const frame of window.page.frames()) {
        if ((await frame.locator("input, textarea").count().catch(() => 0)) > 0 && frame.parentFrame() !== null) {
          return frame;
        }
      }
      return undefined;
    },
    (frame) => frame !== undefined,
  ) as Promise<Frame>;
}

export function searchTests(window: () => Window): void {
  void test("the quick pick finds by meaning while one types, and previews", async () => {
    const view = window();
    await view.openFile("README.md", 1);
    await view.page.keyboard.press("Control+Alt+F");
    await type(view, "wait longer after each failure");
    const rows = await results(view, "retry_with_backoff");
    assert.match(rows[0] ?? "", /retry_with_backoff/);
    assert.match(rows[0] ?? "", /retry\.py/);
    // What is listed first was not asked for; the place that one moves to is shown.
    await view.page.keyboard.press("ArrowDown");
    await view.page.keyboard.press("ArrowUp");
    await view.line("def retry_with_backoff").waitFor();
    await view.pictures("quick-pick");
  });

  void test("moving on previews the next place, and Escape leaves everything as it was", async () => {
    const view = window();
    await view.page.keyboard.press("ArrowDown");
    const row = view.page.locator(".quick-input-list .monaco-list-row.focused");
    const told = await row.innerText();
    const file = /([^\s/]+\.(?:py|go|ts|md))/.exec(told)?.[1] ?? "";
    assert.notEqual(file, "", told);
    await view.page.locator(`.tab.active[data-resource-name="${file}"]`).waitFor();
    await view.page.keyboard.press("Escape");
    await view.page.locator('.tab.active[data-resource-name="README.md"]').waitFor();
  });

  void test("Enter opens the place", async () => {
    const view = window();
    await view.page.keyboard.press("Control+Alt+F");
    await type(view, "lang:go refuse whoever asks too often");
    const rows = await results(view, "limiter.go");
    assert.ok(rows.every((row) => row.includes(".go")), rows.join("\n"));
    await view.page.keyboard.press("Enter");
    await view.page.locator('.tab.active[data-resource-name="limiter.go"]').waitFor();
    await view.line("RateLimiter").waitFor();
  });

  void test("no results are said, and so is a filter that means nothing", async () => {
    const view = window();
    await view.page.keyboard.press("Control+Alt+F");
    await type(view, "lang:haskell monads");
    await eventually(
      "a word about it",
      async () => (await view.page.locator(".quick-input-widget").innerText()).replace(/\s+/g, " "),
      (text) => /no (results|matches|code|place)|nothing/i.test(text),
    );
    await type(view, "since:yesterday cache");
    await eventually(
      "a word about the filter",
      async () => (await view.page.locator(".quick-input-widget").innerText()).replace(/\s+/g, " "),
      (text) => text.includes("yesterday"),
    );
    await view.pictures("quick-pick-problem");
    await view.page.keyboard.press("Escape");
  });

  void test("the view groups results by file, with the keyboard alone", async () => {
    const view = window();
    view.command("codeintel-ls.searchInView");
    const frame = await viewFrame(view);
    const box = frame.locator("input, textarea").first();
    await box.waitFor();
    // However early, before the page's script runs, too.
    await box.fill("drop entries whose");
    await box.press("End");
    await box.pressSequentially(" time has passed");
    await frame.getByText("Drop every entry").first().waitFor();
    assert.equal(await box.inputValue(), "drop entries whose time has passed");
    await view.pictures("search-view");
    // From the box to the first result, and into the editor.
    await box.press("ArrowDown");
    await view.page.keyboard.press("ArrowDown");
    await view.page.keyboard.press("Enter");
    await view.page.locator(".tab.active").filter({ hasText: /\.(py|go|ts|md)/ }).waitFor();
  });

  void test("everything in the view that can be operated has a name, and roles that say what it is", async () => {
    const frame = await viewFrame(window());
    const nameless = await frame.locator("button, input, textarea, select, a, [role=treeitem], [tabindex='0']").evaluateAll((found) =>
      found
        .filter(
          (element) =>
            (element.getAttribute("aria-label") ?? "") === "" &&
            (element.getAttribute("aria-labelledby") ?? "") === "" &&
            (element.getAttribute("title") ?? "") === "" &&
            element.textContent.trim() === "" &&
            ((element as HTMLInputElement).labels?.length ?? 0) === 0,
        )
        .map((element) => element.outerHTML.slice(0, 200)),
    );
    assert.deepEqual(nameless, []);
    assert.ok((await frame.locator("[role=tree], [role=list], [role=listbox]").count()) > 0, "a list of results");
    assert.ok((await frame.locator("[aria-live], [role=status]").count()) > 0, "news are spoken");
  });

  void test("the view keeps its question and results over a reload", async () => {
    const view = window();
    await view.reload();
    view.command("codeintel-ls.searchView.focus");
    const frame = await viewFrame(view);
    await eventually(
      "the question",
      async () => frame.locator("input, textarea").first().inputValue(),
      (text) => text.includes("drop entries"),
    );
    await frame.getByText("Drop every entry").first().waitFor();
  });

  void test("a view that was hidden asks what was found meanwhile", async () => {
    const view = window();
    view.command("workbench.view.explorer");
    await eventually(
      "the view to be gone",
      async () => Promise.all(view.page.frames().map((one) => one.locator("#toggle").count().catch(() => 0))),
      (counts) => counts.every((count) => count === 0),
    );
    await view.page.keyboard.press("Control+Alt+F");
    await type(view, "wait longer after each failure");
    await results(view, "retry_with_backoff");
    await view.page.keyboard.press("Alt+Enter");
    const frame = await viewFrame(view);
    await frame.getByText("retry.py").first().waitFor();
    // Until it is told, it shows what it remembers.
    await eventually(
      "the box to hold the new question",
      () => frame.locator("input, textarea").first().inputValue(),
      (text) => text === "wait longer after each failure",
    );
  });
}
