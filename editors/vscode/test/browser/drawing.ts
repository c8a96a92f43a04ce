/** When something was drawn, as the page's own clock has it. */
import type { Page } from "playwright-core";

interface Marks {
  pressed: number;
  drawn: number;
}

/**
 * Notes, from now on, when a key was pressed last, and when what `selector` finds was last changed
 * and drawn. A key that is pressed forgets what was drawn before.
 */
export async function watchDrawing(page: Page, selector: string): Promise<void> {
  await page.evaluate((watched) => {
    const marks: Marks = { pressed: 0, drawn: 0 };
    const scope = globalThis as unknown as { marks: Marks; stopWatching?: () => void };
    scope.stopWatching?.();
    scope.marks = marks;
    const onKey = (): void => {
      marks.pressed = performance.now();
      marks.drawn = 0;
    };
    document.addEventListener("keydown", onKey, true);
    const observer = new MutationObserver((changes) => {
      const touched = changes.some(({ target }) => {
        const element = target instanceof Element ? target : target.parentElement;
        return element?.closest(watched) !== null;
      });
      if (touched) {
        // The frame after the next one begins has been drawn.
        requestAnimationFrame(() => {
          marks.drawn = performance.now();
        });
      }
    });
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    scope.stopWatching = () => {
      observer.disconnect();
      document.removeEventListener("keydown", onKey, true);
    };
  }, selector);
}

/** Milliseconds from the last key to the last drawing, once nothing has changed for `quiet`. */
export async function drawingTime(page: Page, quiet: number): Promise<number> {
  const handle = await page.waitForFunction((still) => {
    const { marks } = globalThis as unknown as { marks: Marks };
    const settled = marks.drawn > 0 && performance.now() - marks.drawn > still;
    return settled ? marks.drawn - marks.pressed : false;
  }, quiet);
  return (await handle.jsonValue()) as number;
}

export interface Annotation {
  readonly text: string;
  readonly after: number;
}

interface Seen {
  pressed: number;
  text: string;
  place: string;
  at: number;
}

/**
 * From now on, notes at every frame what decorations append to a line of the active editor, and when
 * it became what it is.
 */
export async function watchAnnotation(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: Seen = { pressed: 0, text: "", place: "", at: 0 };
    (globalThis as unknown as { seen: Seen }).seen = seen;
    document.addEventListener("keydown", () => (seen.pressed = performance.now()), true);
    const look = (): void => {
      const editor = document.querySelector(".editor-group-container.active .monaco-editor");
      let [text, place] = ["", ""];
      for (const span of editor?.querySelectorAll(".view-line span[class*='ced-']") ?? []) {
        const { content } = getComputedStyle(span, "::after");
        if (!["none", "normal", '""'].includes(content)) {
          text = content;
          place = span.closest<HTMLElement>(".view-line")?.style.top ?? "";
        }
      }
      if (text !== seen.text || place !== seen.place) {
        Object.assign(seen, { text, place, at: performance.now() });
      }
      requestAnimationFrame(look);
    };
    look();
  });
}

/** What stands at the end of a line now, and how long after the last key it came. */
export async function annotation(page: Page): Promise<Annotation> {
  return page.evaluate(() => {
    const { seen } = globalThis as unknown as { seen: Seen };
    return { text: seen.text, after: seen.at - seen.pressed };
  });
}
