/** The extension in a trusted folder, with its server on PATH. */
import { activationTests } from "./activation";
import { blameTests } from "./blame";
import { historyTests } from "./history";
import { lifecycleTests } from "./lifecycle";
import { runTests } from "./mocha";
import { searchTests } from "./search";

export async function run(): Promise<void> {
  await runTests(() => {
    activationTests();
    searchTests();
    blameTests();
    historyTests();
    lifecycleTests();
  });
}
