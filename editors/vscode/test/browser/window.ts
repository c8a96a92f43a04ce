/** A window of VS Code in a browser, driven as a person does: by keys, clicks and what is drawn. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";

export const THEMES = {
  light: { setting: "Default Light Modern", className: "vs" },
  dark: { setting: "Default Dark Modern", className: "vs-dark" },
  contrast: { setting: "Default High Contrast", className: "hc-black" },
} as const;

export type Theme = keyof typeof THEMES;

/** What the Python side tells about the server that it started, and where things lie. */
export interface Place {
  readonly url: string;
  readonly browser: string;
  readonly settingsFile: string;
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

export function changeSettings(where: Place, change: Record<string, unknown>): void {
  const settings = JSON.parse(readFileSync(where.settingsFile, "utf8")) as Record<string, unknown>;
  writeFileSync(where.settingsFile, JSON.stringify({ ...settings, ...change }, undefined, 2));
}

export class Window {
  private constructor(
    readonly page: Page,
    private readonly where: Place,
  ) {}

  static async open(browser: Browser, where: Place, folder = where.folder): Promise<Window> {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(20_000);
    const window = new Window(page, where);
    await page.goto(`${where.url}/?folder=${encodeURIComponent(folder)}`);
    await page.locator(".monaco-workbench .part.statusbar").waitFor({ timeout: 60_000 });
    return window;
  }

  async close(): Promise<void> {
    await this.page.close();
  }

  /** Runs a command by its title, through the palette. */
  async command(title: string): Promise<void> {
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

  /** Opens a file of the folder by its path, and puts the cursor on a line (from 1). */
  async openFile(path: string, line: number): Promise<void> {
    await this.page.keyboard.press("Control+P");
    const input = this.quickInput();
    await input.waitFor();
    await input.fill(`${path}:${line}`);
    const name = path.split("/").at(-1) ?? path;
    await this.rows().filter({ hasText: name }).first().waitFor();
    await this.page.keyboard.press("Enter");
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    await this.page.locator(".editor-group-container.active .monaco-editor .view-lines").waitFor();
    await this.page.waitForFunction(
      (wanted) => document.querySelector(".statusbar")?.textContent.includes(`Ln ${wanted},`),
      line,
    );
  }

  /** The drawn line (from 1) of the active editor that holds this text. */
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
    changeSettings(this.where, { "workbench.colorTheme": THEMES[theme].setting });
    await this.page.locator(`.monaco-workbench.${THEMES[theme].className}`).waitFor();
    // The colours of decorations follow a moment later.
    await pause(400);
  }

  /** A picture of what is shown now, in every theme. */
  async pictures(name: string): Promise<void> {
    for (const theme of Object.keys(THEMES) as Theme[]) {
      await this.theme(theme);
      await this.page.screenshot({ path: join(this.where.screenshots, `${name}-${theme}.png`) });
    }
    await this.theme("light");
  }
}
