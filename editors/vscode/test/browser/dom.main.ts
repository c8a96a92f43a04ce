/** What is drawn in a real window, with pictures in light, dark and high contrast. */
import { after, afterEach, before, type TestContext } from "node:test";
import type { Browser } from "playwright-core";
import { blameTests } from "./blame";
import { historyTests } from "./history";
import { searchTests } from "./search";
import { statusTests } from "./status";
import { launch, place, Window } from "./window";

const where = place();
let browser: Browser;
let shown: Window;

before(async () => {
  browser = await launch(where);
  shown = await Window.open(browser, where);
  await shown.whenRunning();
});

afterEach(async (context) => {
  const { name, passed } = context as TestContext & { readonly passed: boolean };
  if (!passed) {
    await shown.failure(name);
  }
});

after(async () => {
  await browser.close();
});

const window = (): Window => shown;
blameTests(window);
searchTests(window);
historyTests(window);
statusTests(window);
