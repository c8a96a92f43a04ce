/** A window of VS Code in a browser, driven as a person does: by keys, clicks and what is drawn. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import type { Request } from "../driver/extension";

export const THEMES = {
  light: { setting: "Light Modern", className: "vs" },
  dark: { setting: "Dark Modern", className: "vs-dark" },
  contrast: { setting: "Default High Contrast", className: "hc-black" },
} as const;

export type Theme = keyof typeof THEMES;

/** What the Python side tells about the server that it started, and where things lie. */
export interface Place {
  readonly url: string;
  readonly browser: string;
  readonly driver: string;
  readonly screenshots: string;
  readonly folder: string;
  readonly second: string;
  readonly commits: readonly string[];
  readonly plain: string;
}

export function place(): Place {
  const text = process.env["CODEINTEL_TEST_PLACE"];
  if (text === undefined) {
    throw new Error("CODEINTEL_TEST_PLACE is not set: run `python -m tests vscode`.");
  }
  return JSON.parse(text) as Place;
}

export async function launch(where: Place): Promise<Browser> {
  return chromium.launch({
    executablePath: where.browser,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--force-color-profile=srgb",
    ],
  });
}

async function written(file: string): Promise<string> {
  for (let tries = 0; tries < 600; tries++) {
    if (existsSync(file)) {
      const text = readFileSync(file, "utf8");
      if (text !== "") {
        return text;
      }
    }
    await pause(50);
  }
  throw new Error("The driver did not come up in the window's extension host.");
}

export class Window {
  private constructor(
    readonly page: Page,
    private readonly where: Place,
    private port: string,
  ) {}

  static async open(browser: Browser, where: Place, folder = where.folder): Promise<Window> {
    rmSync(where.driver, { force: true });
    const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
    page.setDefaultTimeout(20_000);
    await page.goto(`${where.url}/?folder=${encodeURIComponent(folder)}`);
    await page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 60_000 });
    return new Window(page, where, await written(where.driver));
  }

  async close(): Promise<void> {
    await this.page.close();
  }

  /** Asks the driver, in this window's extension host. */
  async ask(request: Request): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.port}`, { method: "POST", body: JSON.stringify(request) });
    const { value, error } = (await response.json()) as { value?: unknown; error?: string };
    if (error !== undefined) {
      throw new Error(error);
    }
    return value;
  }

  async setting(name: string, value: unknown): Promise<void> {
    await this.ask({ kind: "setting", name, value });
  }

  /** Runs a command by its id, without waiting for its end: it may ask something. */
  command(name: string, ...values: unknown[]): void {
    void this.ask({ kind: "command", name, values }).catch((error: unknown) => {
      // What a window was asked for ends with it.
      if (!this.page.isClosed()) {
        console.error(`${name}: ${String(error)}`);
      }
    });
  }

  /** Runs a command by its title, through the palette. */
  async palette(title: string): Promise<void> {
    await this.page.keyboard.press("F1");
    const input = this.quickInput();
    await input.waitFor();
    await input.fill(`>${title}`);
    await this.rows().filter({ hasText: title }).first().waitFor();
    await this.page.keyboard.press("Enter");
  }

  quickInput(): Locator {
    return this.page.locator(".quick-input-widget:not([style*='display: none']) input.input").first();
  }

  rows(): Locator {
    return this.page.locator(".quick-input-list .monaco-list-row");
  }

  /** Opens a file of the folder, and puts the cursor on a line (from 1). */
  async openFile(path: string, line: number): Promise<void> {
    await this.ask({ kind: "open", path: join(this.where.folder, path), line: line - 1 });
    await this.status(`Ln ${line},`).waitFor();
    await this.page.locator(".editor-group-container.active .monaco-editor .view-line").first().waitFor();
  }

  /** The drawn line of the active editor that holds this text. */
  line(text: string): Locator {
    return this.page
      .locator(".editor-group-container.active .monaco-editor .view-line")
      .filter({ hasText: text })
      .first();
  }

  status(text: string | RegExp): Locator {
    return this.page.locator(".statusbar-item").filter({ hasText: text });
  }

  async theme(theme: Theme): Promise<void> {
    await this.setting("workbench.colorTheme", THEMES[theme].setting);
    await this.page.locator(`.monaco-workbench.${THEMES[theme].className}`).waitFor();
    // The colours of decorations follow a moment later.
    await pause(250);
  }

  async picture(name: string, theme: Theme): Promise<void> {
    await this.page.screenshot({ path: join(this.where.screenshots, `${name}-${theme}.png`) });
  }

  /** What was to be seen when a test failed. */
  async failure(test: string): Promise<void> {
    const name = test.replace(/\W+/g, "-").slice(0, 60);
    await this.page.screenshot({ path: join(this.where.screenshots, `failed-${name}.png`) });
  }

  /** Pictures of what is shown now, in every theme. */
  async pictures(name: string): Promise<void> {
    for (const theme of Object.keys(THEMES) as Theme[]) {
      await this.theme(theme);
      await this.picture(name, theme);
    }
    await this.theme("light");
  }

  /** Until the server runs and has indexed the folder. */
  async whenRunning(): Promise<void> {
    await eventually(
      "the server",
      async () => this.ask({ kind: "state" }),
      (state) => state === "running",
      40,
    );
    await this.ask({ kind: "command", name: "codeintel.updateIndex", values: [{}] });
  }

  /** Milliseconds of the extension host's time, as VS Code itself lists them. */
  async activationTime(extension: string): Promise<number> {
    this.command("workbench.action.showRuntimeExtensions");
    const rows = this.page.locator(".runtime-extensions-editor .monaco-list-row");
    const told = await eventually(
      "the time of activation",
      async () => (await rows.allInnerTexts()).find((text) => text.trimStart().startsWith(`${extension}\n`)) ?? "",
      (text) => /\d+ms/.test(text),
    );
    return Number(/(\d+)ms/.exec(told)?.[1]);
  }

  async reload(): Promise<void> {
    rmSync(this.where.driver, { force: true });
    await this.page.reload();
    await this.page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 60_000 });
    this.port = await written(this.where.driver);
    await this.whenRunning();
  }

  /** The hover of a line that holds this text, asked for behind its last character. */
  async hoverLineEnd(text: string): Promise<Locator> {
    const box = await this.line(text).locator("span[class*='ced-']").last().boundingBox();
    if (box === null) {
      throw new Error(`No line with ${text} is annotated.`);
    }
    const hover = this.page.locator(".monaco-hover:visible").first();
    await this.page.mouse.move(box.x + 60, box.y + box.height / 2, { steps: 4 });
    await hover.waitFor();
    return hover;
  }
}

/** What a test waits for: the value, once it is as it should be. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T>,
  good: (value: T) => boolean,
  seconds = 15,
): Promise<T> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    const value = await look();
    if (good(value)) {
      return value;
    }
    if (Date.now() > until) {
      throw new Error(`Waited ${seconds} s for ${what}; last seen: ${JSON.stringify(value)}`);
    }
    await pause(100);
  }
}
