/** How long the extension host was busy at one go while a folder is indexed anew. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import * as vscode from "vscode";
import { whenRunning } from "./extension";
import { say } from "./mocha";

const STEP = 5;

/** Own processor time of every stretch, in milliseconds, for which the loop did not turn. */
async function busyWhile(work: () => Thenable<unknown>): Promise<number[]> {
  const delays: number[] = [];
  let turned = performance.now();
  let used = process.cpuUsage();
  const timer = setInterval(() => {
    const now = performance.now();
    const { user, system } = process.cpuUsage(used);
    // The machine is busy indexing: a host that waits for a processor has no long task.
    delays.push(Math.max(0, Math.min(now - turned - STEP, (user + system) / 1000)));
    turned = now;
    used = process.cpuUsage();
  }, STEP);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return delays;
}

export async function run(): Promise<void> {
  await whenRunning();
  await vscode.commands.executeCommand("codeintel.updateIndex", {});
  // Other extensions have their start behind them.
  await pause(3000);
  const lag = monitorEventLoopDelay({ resolution: STEP });
  const rest = await busyWhile(async () => pause(5000));
  lag.enable();
  const busy = await busyWhile(async () =>
    vscode.commands.executeCommand("codeintel.rebuildIndex", {}),
  );
  lag.disable();
  const { folders } = await vscode.commands.executeCommand<{
    folders: readonly { files: number; chunks: number }[];
  }>("codeintel.indexStatus", {});
  say(
    JSON.stringify({
      files: folders.reduce((sum, folder) => sum + folder.files, 0),
      rest: Math.max(...rest),
      longest: Math.max(...busy),
      over50: busy.filter((delay) => delay > 50).length,
      turns: busy.length,
      worstLag: lag.max / 1e6 - STEP,
    }),
  );
}
