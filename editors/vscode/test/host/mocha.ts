/** Runs tests with mocha in the extension host and writes what comes of them to a file. */
import { appendFileSync } from "node:fs";
import Mocha from "mocha";

/** Where a line goes that a person should read beside the tests' results. */
export function say(line: string): void {
  const file = process.env["CODEINTEL_TEST_RESULTS"];
  if (file === undefined) {
    throw new Error("CODEINTEL_TEST_RESULTS is not set");
  }
  appendFileSync(file, `${line}\n`);
}

/** `define` calls mocha's `suite` and `test`, which are globals only while it runs. */
export async function runTests(define: () => void): Promise<void> {
  const mocha = new Mocha({ ui: "tdd", timeout: 40_000, reporter: FileReporter });
  mocha.suite.emit("pre-require", globalThis as unknown as Mocha.MochaGlobals, "", mocha);
  define();
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) {
    throw new Error(`${failures} tests failed`);
  }
}

class FileReporter extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.on("pass", (test) => {
      say(`ok ${test.fullTitle()} (${test.duration ?? 0} ms)`);
    });
    runner.on("fail", (test, error: Error) => {
      say(`FAILED ${test.fullTitle()}\n${error.stack ?? error.message}`);
    });
    runner.on("end", () => {
      say(`${runner.stats?.passes ?? 0} passed, ${runner.stats?.failures ?? 0} failed`);
    });
  }
}
