/** Blame as it is drawn: at the end of a line, on hovering, beside the whole file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { colour, contrast } from "./contrast";
import { eventually, type Theme, type Window, THEMES } from "./window";

/** At least so much in every theme; people who ask for contrast get more. */
const LEAST: Readonly<Record<Theme, number>> = { light: 3, dark: 3, contrast: 7 };

export interface Drawn {
  readonly text: string;
  readonly colour: string;
  readonly background: string;
}

/** What decorations add before or after the lines of the active editor. */
export async function decorations(window: Window, side: "::before" | "::after"): Promise<Drawn[]> {
  return window.page.evaluate((pseudo) => {
    const editor = document.querySelector(".editor-group-container.active .monaco-editor");
    const behind = editor?.querySelector(".monaco-editor-background");
    const background = behind === null || behind === undefined ? "" : getComputedStyle(behind).backgroundColor;
    return [...(editor?.querySelectorAll(".view-line span[class*='ced-']") ?? [])].flatMap((span) => {
      const { content, color } = getComputedStyle(span, pseudo);
      const text = content.replace(/^"|"$/g, "").replaceAll("\u00a0", " ");
      return content === "none" || content === "normal" || text.trim() === ""
        ? []
        : [{ text, colour: color, background }];
    });
  }, side);
}

async function annotation(window: Window, part: string): Promise<Drawn> {
  const drawn = await eventually(
    `an annotation with ${part}`,
    async () => decorations(window, "::after"),
    (found) => found.some(({ text }) => text.includes(part)),
  );
  const [one, ...more] = drawn;
  assert.ok(one !== undefined && more.length === 0, `one line is annotated: ${JSON.stringify(drawn)}`);
  return one;
}

export function blameTests(window: () => Window): void {
  void test("the commit stands at the end of the cursor's line, legible in every theme", async () => {
    const view = window();
    await view.openFile("src/retry.py", 18);
    await annotation(view, "Grace Hopper");
    for (const theme of Object.keys(THEMES) as Theme[]) {
      await view.theme(theme);
      const drawn = await annotation(view, "Grace Hopper");
      assert.ok(colour(drawn.colour)[3] > 0);
      const ratio = contrast(drawn.colour, drawn.background);
      assert.ok(ratio >= LEAST[theme], `${theme}: ${drawn.colour} on ${drawn.background} is ${ratio.toFixed(2)}`);
      await view.picture("line-blame", theme);
    }
    await view.theme("light");
  });

  void test("moving the cursor moves the annotation", async () => {
    const view = window();
    await view.openFile("src/cache.py", 21);
    await annotation(view, "Start the project");
    await view.page.keyboard.press("ArrowDown");
    await view.page.keyboard.press("ArrowDown");
    await view.status("Ln 23,").waitFor();
    await annotation(view, "Start the project");
  });

  void test("hovering the annotated line tells its commit, with actions", async () => {
    const view = window();
    await view.openFile("src/retry.py", 18);
    await annotation(view, "Grace Hopper");
    const hover = await view.hoverLineEnd("time.sleep");
    const told = (await hover.innerText()).replace(/\s+/g, " ");
    assert.match(told, /Grace Hopper/);
    assert.match(told, /Spread retries with jitter/);
    assert.ok((await hover.locator("a").count()) >= 2, `actions: ${told}`);
    assert.equal(told.split("Spread retries with jitter").length - 1, 1, `told twice: ${told}`);
    await view.pictures("hover");
    await view.page.keyboard.press("Escape");
  });

  void test("the status bar names the author of the line", async () => {
    const view = window();
    await view.openFile("src/money.py", 7);
    await view.status("Ada Byron").waitFor();
  });

  void test("the whole file's blame has a colour of its age for every line", async () => {
    const view = window();
    await view.openFile("src/cache.py", 20);
    view.command("codeintel-ls.toggleFileBlame");
    const drawn = await eventually(
      "the blame of the file",
      async () => decorations(view, "::before"),
      (found) => found.length > 5,
    );
    const all = drawn.map(({ text }) => text).join("\n");
    assert.match(all, /Ada Byron/);
    assert.match(all, /Barbara Liskov/);
    for (const theme of Object.keys(THEMES) as Theme[]) {
      await view.theme(theme);
      const [one] = await eventually(
        "it in this theme",
        async () => (await decorations(view, "::before")).filter(({ text }) => text.includes("Barbara Liskov")),
        (found) => found.length > 0,
      );
      assert.ok(one !== undefined);
      const ratio = contrast(one.colour, one.background);
      assert.ok(ratio >= LEAST[theme], `${theme}: ${one.colour} on ${one.background} is ${ratio.toFixed(2)}`);
      await view.picture("file-blame", theme);
    }
    await view.theme("light");
    view.command("codeintel-ls.toggleFileBlame");
    await eventually("it to go", async () => decorations(view, "::before"), (found) => found.length === 0);
  });
}
