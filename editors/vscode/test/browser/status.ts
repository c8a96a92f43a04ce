/** What one sees of the index, of the first steps, and of the settings. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually, type Window } from "./window";

export function statusTests(window: () => Window): void {
  void test("the status bar tells how the index is, and more on hovering", async () => {
    const view = window();
    const item = view.page.locator(".statusbar-item[id^='codeintel-ls']").first();
    await item.waitFor();
    await item.hover();
    const hover = view.page.locator(".monaco-hover:visible").first();
    await hover.filter({ hasText: /\b\d+\b/ }).waitFor();
    const told = (await hover.innerText()).replace(/\s+/g, " ");
    assert.match(told, /files/i);
    await view.pictures("index-status");
    await view.page.mouse.move(600, 300);
  });

  void test("what can be done about the index is one list", async () => {
    const view = window();
    view.command("codeintel-ls.showIndexStatus");
    await view.quickInput().waitFor();
    await view.rows().filter({ hasText: "harbour" }).first().waitFor();
    await view.rows().filter({ hasText: "Rebuild" }).first().waitFor();
    await view.pictures("index-actions");
    await view.page.keyboard.press("Escape");
  });

  void test("nothing pops up unasked", async () => {
    const view = window();
    view.command("notifications.showList");
    const center = view.page.locator(".notifications-center.visible");
    await center.waitFor();
    assert.deepEqual(await center.locator(".notification-list-item").allInnerTexts(), []);
    view.command("notifications.hideList");
  });

  void test("the walkthrough has a step for each thing", async () => {
    const view = window();
    view.command("codeintel-ls.openWalkthrough");
    const steps = view.page.locator(".getting-started-step");
    await steps.first().waitFor();
    await eventually("five steps", async () => steps.count(), (count) => count === 5);
    await view.pictures("walkthrough");
  });

  void test("the settings are described", async () => {
    const view = window();
    view.command("workbench.action.openSettings", "@ext:codeintel-ls.codeintel-ls");
    await view.page.locator(".settings-editor .setting-item").first().waitFor();
    await view.page.locator(".settings-editor").getByText("CodeIntel").first().waitFor();
    await view.pictures("settings");
  });

  void test("activates within the start of the window", async () => {
    const view = window();
    const time = await view.activationTime("CodeIntel");
    console.log(`   activation: ${time} ms`);
    assert.ok(Number.isInteger(time));
  });
}
