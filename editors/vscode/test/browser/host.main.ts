/** Opens a window whose extension host runs a module of tests; ends with its exit code. */
import { readFileSync, rmSync } from "node:fs";
import { launch, place } from "./window";

const where = place();
const [suite, harness, results, workspace] = process.argv.slice(2) as [string, string, string, string?];

async function run(): Promise<number> {
  rmSync(results, { force: true });
  const browser = await launch(where);
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    const log: string[] = [];
    const ended = new Promise<number>((resolve) => {
      void page.exposeFunction("codeAutomationExit", (code: number) => {
        resolve(code);
      });
      void page.exposeFunction("codeAutomationLog", (type: string, entries: unknown[]) => {
        log.push(`${type}: ${entries.map(String).join(" ")}`);
      });
    });
    const remote = `vscode-remote://${new URL(where.url).host}`;
    const payload = JSON.stringify([
      ["extensionDevelopmentPath", remote + harness],
      ["extensionTestsPath", remote + suite],
    ]);
    const opened = workspace === undefined ? { folder: where.folder } : { workspace };
    const query = new URLSearchParams({ ...opened, payload });
    await page.goto(`${where.url}/?${query.toString()}`);
    const late = new Promise<number>((resolve) => setTimeout(resolve, 170_000, -1).unref());
    const code = await Promise.race([ended, late]);
    try {
      process.stdout.write(readFileSync(results, "utf8"));
    } catch {
      console.error(`The tests wrote nothing. The window's log ends with:\n${log.slice(-40).join("\n")}`);
      return 1;
    }
    if (code === -1) {
      console.error("The tests did not end in time.");
      await page.screenshot({ path: `${where.screenshots}/host-stuck.png` });
    }
    return code;
  } finally {
    await browser.close();
  }
}

void run().then((code) => process.exit(code === 0 ? 0 : 1));
