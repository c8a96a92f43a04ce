/**
 * The server in an environment of the extension's own, made from the wheel that the extension
 * carries, with `uv` or with `python -m venv` and pip.
 *
 * Invariant: an environment is there whole or not at all, and nothing outside the extension's
 * storage is written.
 */
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as vscode from "vscode";
import { type Outcome, run } from "./processes";
import { programsOf } from "./pythonEnvironment";
import { findPython, findUv } from "./pythonPrograms";

const STEP_MILLISECONDS = 10 * 60 * 1000;
const PREFIX = "server-";

/** It could not be installed; the message says why, to people. */
export class InstallationError extends Error {}

type Step = readonly [command: string, ...args: string[]];

export class Installation {
  private readonly environment: string;

  constructor(
    private readonly storage: string,
    private readonly wheels: string,
    version: string,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.environment = join(storage, PREFIX + version);
  }

  /** Where the programs of the environment are, or would be. */
  get programs(): string {
    return programsOf(this.environment);
  }

  /** Makes the environment anew; `report` is told what is being done. */
  async install(report: (message: string) => void, token: vscode.CancellationToken): Promise<void> {
    await mkdir(this.storage, { recursive: true });
    const wheel = await this.wheel();
    const steps = await this.steps(wheel);
    // Programs of an environment name its path, so that it is made where it is to stay.
    const former = `${this.environment}.former`;
    await rm(former, { recursive: true, force: true });
    const kept = await moved(this.environment, former);
    try {
      for (const [command, ...args] of steps) {
        await this.perform(command, args, report, token);
      }
    } catch (error) {
      await rm(this.environment, { recursive: true, force: true });
      if (kept) {
        await rename(former, this.environment);
      }
      throw error;
    }
    await this.removeOthers();
  }

  private async wheel(): Promise<string> {
    const names = await readdir(this.wheels).catch(() => []);
    const name = names.find((candidate) => candidate.startsWith("codeintel_ls-") && candidate.endsWith(".whl"));
    if (name === undefined) {
      throw new InstallationError(vscode.l10n.t("This package of the extension does not carry the server."));
    }
    return join(this.wheels, name);
  }

  private async steps(wheel: string): Promise<Step[]> {
    const python = join(programsOf(this.environment), process.platform === "win32" ? "python.exe" : "python");
    const uv = await findUv();
    if (uv !== undefined) {
      return [
        [uv, "venv", "--python", ">=3.11,<3.14", this.environment],
        [uv, "pip", "install", "--python", python, wheel],
      ];
    }
    const base = await findPython(this.storage);
    if (base === undefined) {
      throw new InstallationError(
        vscode.l10n.t(
          "Neither uv nor Python 3.11 to 3.13 (with venv and pip) was found on PATH. Install one of them, then try again.",
        ),
      );
    }
    return [
      [base, "-I", "-m", "venv", this.environment],
      [python, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input", wheel],
    ];
  }

  private async perform(
    command: string,
    args: readonly string[],
    report: (message: string) => void,
    token: vscode.CancellationToken,
  ): Promise<void> {
    this.log.info(`Running ${[command, ...args].join(" ")}`);
    const outcome = await run(command, args, this.storage, {
      timeoutMilliseconds: STEP_MILLISECONDS,
      token,
      onOutput: (text) => {
        for (const line of text.split(/\r?\n/).filter((one) => one.trim() !== "")) {
          this.log.info(`  ${line.trimEnd()}`);
          report(shortened(line.trim()));
        }
      },
    });
    if (token.isCancellationRequested) {
      throw new vscode.CancellationError();
    }
    if (outcome.code !== 0) {
      throw new InstallationError(reasonOf(outcome));
    }
  }

  /** Removes what earlier versions of the extension installed. */
  private async removeOthers(): Promise<void> {
    const mine = this.environment;
    for (const name of await readdir(dirname(mine))) {
      const path = join(dirname(mine), name);
      if (name.startsWith(PREFIX) && path !== mine) {
        await rm(path, { recursive: true, force: true });
      }
    }
  }
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch {
    return false;
  }
}

function reasonOf(outcome: Outcome): string {
  const lines = outcome.stderr.split(/\r?\n/).filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /error/i.test(line));
  return outcome.failure ?? errors.at(-1)?.trim() ?? lines.at(-1)?.trim() ?? vscode.l10n.t("It failed without a word.");
}

function shortened(line: string): string {
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}
