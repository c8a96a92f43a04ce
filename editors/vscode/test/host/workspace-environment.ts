/** A `codeintel-ls` in the folder's own Python environment, which tells when it is run. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./extension";

const environment = (): string => join(root().fsPath, ".venv");
const marker = (): string => join(root().fsPath, "was-run");

/** `server`: the real one, which it hands over to. */
export function layEnvironment(server: string): void {
  const programs = join(environment(), "bin");
  mkdirSync(programs, { recursive: true });
  const program = join(programs, "codeintel-ls");
  writeFileSync(program, `#!/bin/sh\necho "$@" >> '${marker()}'\nexec '${server}' "$@"\n`);
  chmodSync(program, 0o755);
}

export function environmentWasRun(): boolean {
  return existsSync(marker());
}

export function removeEnvironment(): void {
  rmSync(environment(), { recursive: true, force: true });
  rmSync(marker(), { force: true });
}
