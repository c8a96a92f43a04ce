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

/**
 * From now on, notes at every frame the text that decorations append to the lines of the active
 * editor, and when it became what it is.
 */
export async function watchAnnotations(page: Page): Promise<void> {
  await page.evaluate(() => {
    interface Annotations {
      pressed: number;
      text: string;
      line: string;
      seen: number;
    }
    const state: Annotations = { pressed: 0, text: "", line: "", seen: 0 };
    (globalThis as unknown as { annotations: Annotations }).annotations = state;
    document.addEventListener(
      "keydown",
      () => {
        state.pressed = performance.now();
      },
      true,
    );
    const look = (): void => {
      const editor = document.querySelector(".editor-group-container.active .monaco-editor");
      let text = "";
      let top = "";
      for (const span of editor?.querySelectorAll<HTMLElement>(".view-line span[class*='ced-']") ?? []) {
        const { content } = getComputedStyle(span, "::after");
        if (content !== "none" && content !== "normal" && content !== '""') {
          text = content;
          top = span.closest<HTMLElement>(".view-line")?.style.top ?? "";
        }
      }
      if (text !== state.text || top !== state.line) {
        state.text = text;
        state.line = top;
        state.seen = performance.now();
      }
      requestAnimationFrame(look);
    };
    look();
  });
}

export interface Annotation {
  readonly text: string;
  readonly after: number;
}

/** What stands at the end of a line now, without quotes; how long after the last key it came. */
export async function annotation(page: Page): Promise<Annotation> {
  return page.evaluate(() => {
    const { annotations } = globalThis as unknown as {
      annotations: { pressed: number; text: string; seen: number };
    };
    return {
      text: annotations.text.replace(/^"|"$/g, "").replaceAll("\u00a0", " "),
      after: annotations.seen - annotations.pressed,
    };
  });
}
