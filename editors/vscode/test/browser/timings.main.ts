/** What a person waits for, measured in a window: a file of queries goes in, a file of figures comes out. */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { type Browser, errors } from "playwright-core";
import { annotation, drawingTime, watchAnnotation, watchDrawing } from "./drawing";
import { eventually, launch, place, Window } from "./window";

interface Asked {
  readonly queries: readonly string[];
  readonly file: string;
  readonly lines: number;
}

const KEY_PAUSE = 90;
/** Results that come later than this after anything else was drawn would be missed. */
const QUIET = 600;
const STARTS = 5;

const where = place();
const [input, output] = process.argv.slice(2) as [string, string];
const asked = JSON.parse(readFileSync(input, "utf8")) as Asked;

/** From the last key of every word to the list that is drawn for it. */
async function typing(window: Window): Promise<{ search: number[]; unchanged: number }> {
  const search: number[] = [];
  let unchanged = 0;
  await watchDrawing(window.page, ".quick-input-list");
  for (const query of asked.queries) {
    await window.page.keyboard.press("Control+Alt+F");
    await window.quickInput().waitFor();
    await window.quickInput().fill("");
    for (const word of query.split(" ")) {
      await window.page.keyboard.type(word, { delay: KEY_PAUSE });
      try {
        search.push(await drawingTime(window.page, QUIET));
      } catch (error) {
        if (!(error instanceof errors.TimeoutError)) {
          throw error;
        }
        unchanged += 1;
      }
      await window.page.keyboard.type(" ");
      await pause(QUIET);
    }
    await window.page.keyboard.press("Escape");
  }
  return { search, unchanged };
}

/** From the key that moves the cursor to the annotation of the next line. */
async function moving(window: Window): Promise<number[]> {
  await window.openFile(asked.file, 1);
  await window.line("").click();
  await window.page.keyboard.press("Control+Home");
  await watchAnnotation(window.page);
  await eventually("an annotation", async () => annotation(window.page), ({ text }) => text !== "");
  const times: number[] = [];
  for (let line = 0; line < asked.lines; line++) {
    await window.page.keyboard.press("ArrowDown");
    await pause(350);
    const { text, after } = await annotation(window.page);
    if (text !== "" && after > 0) {
      times.push(after);
    }
  }
  return times;
}

/** What VS Code says of the extension's activation, in a new window each time. */
async function starting(browser: Browser): Promise<number[]> {
  const times: number[] = [];
  for (let start = 0; start < STARTS; start++) {
    const window = await Window.open(browser, where);
    await window.whenRunning();
    times.push(await window.activationTime());
    await window.close();
  }
  return times;
}

async function measure(): Promise<void> {
  const browser = await launch(where);
  try {
    const window = await Window.open(browser, where);
    await window.whenRunning();
    const annotated = await moving(window);
    const { search, unchanged } = await typing(window);
    await window.close();
    const activation = await starting(browser);
    writeFileSync(output, JSON.stringify({ search, unchanged, annotation: annotated, activation }));
  } finally {
    await browser.close();
  }
}

void measure();
