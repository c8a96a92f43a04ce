/** What a person waits for, measured in a window: a file of queries goes in, a file of figures comes out. */
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { annotation, drawingTime, watchAnnotation, watchDrawing } from "./drawing";
import { launch, place, Window } from "./window";

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
async function type(window: Window, query: string): Promise<number[]> {
  await window.quickInput().waitFor();
  await window.quickInput().fill("");
  const times: number[] = [];
  for (const word of query.split(" ")) {
    await window.page.keyboard.type(word, { delay: KEY_PAUSE });
    times.push(await drawingTime(window.page, QUIET));
    await window.page.keyboard.type(" ");
    await pause(QUIET);
  }
  await window.page.keyboard.press("Escape");
  await pause(QUIET);
  return times;
}

/** The extension's quick pick, and one that has its items at once, in turns. */
async function typing(window: Window): Promise<{ search: number[]; searchFloor: number[] }> {
  const [search, searchFloor]: [number[], number[]] = [[], []];
  await watchDrawing(window.page, ".quick-input-list");
  for (const query of asked.queries) {
    await window.page.keyboard.press("Control+Alt+F");
    search.push(...(await type(window, query)));
    await window.ask({ kind: "pick" });
    searchFloor.push(...(await type(window, query)));
  }
  return { search, searchFloor };
}

/** From the key that moves the cursor to the annotation of the next line. */
async function move(window: Window, lines: number): Promise<number[]> {
  const times: number[] = [];
  for (let line = 0; line < lines; line++) {
    await window.page.keyboard.press("ArrowDown");
    await pause(350);
    const { text, after } = await annotation(window.page);
    if (text !== "" && after > 0) {
      times.push(after);
    }
  }
  return times;
}

/** The extension's annotation, and one that costs nothing to know, in turns over the same lines. */
async function moving(window: Window): Promise<{ annotation: number[]; annotationFloor: number[] }> {
  const [own, least]: [number[], number[]] = [[], []];
  await window.openFile(asked.file, 1);
  await window.line("").click();
  await watchAnnotation(window.page);
  for (const turn of [own, least, own, least]) {
    await window.setting("codeintel.annotation.enabled", turn === own);
    await window.ask({ kind: "annotate", on: turn === least });
    await window.page.keyboard.press("Control+Home");
    await move(window, 5);
    turn.push(...(await move(window, asked.lines / 2)));
  }
  await window.setting("codeintel.annotation.enabled", undefined);
  await window.ask({ kind: "annotate", on: false });
  return { annotation: own, annotationFloor: least };
}

/** What VS Code says of the extension's activation, and of its own git's, in a new window each time. */
async function starting(browser: Browser): Promise<{ activation: number[]; activationOfGit: number[] }> {
  const [activation, activationOfGit]: [number[], number[]] = [[], []];
  for (let start = 0; start < STARTS; start++) {
    const window = await Window.open(browser, where);
    await window.whenRunning();
    activation.push(await window.activationTime("CodeIntel"));
    activationOfGit.push(await window.activationTime("Git"));
    await window.close();
  }
  return { activation, activationOfGit };
}

async function measure(): Promise<void> {
  const browser = await launch(where);
  try {
    const window = await Window.open(browser, where);
    await window.whenRunning();
    const moved = await moving(window);
    const typed = await typing(window);
    await window.close();
    writeFileSync(output, JSON.stringify({ ...moved, ...typed, ...(await starting(browser)) }));
  } finally {
    await browser.close();
  }
}

void measure();
