/** Versions of the server and the extension, which are released together. */

export type Comparison = "same" | "older" | "newer" | "unknown";

type Version = readonly [major: number, minor: number, patch: number];

/** The first version that a text names, such as the answer to `codeintel-ls --version`. */
export function versionIn(text: string): string | undefined {
  return /\d+\.\d+\.\d+[0-9A-Za-z.+-]*/.exec(text)?.[0];
}

/**
 * How the server stands to the extension. Versions that differ only in their last number understand
 * one another: they count as the same.
 */
export function compareVersions(server: string, extension: string): Comparison {
  const theirs = parsed(server);
  const ours = parsed(extension);
  if (theirs === undefined || ours === undefined) {
    return "unknown";
  }
  for (const part of [0, 1] as const) {
    if (theirs[part] !== ours[part]) {
      return theirs[part] < ours[part] ? "older" : "newer";
    }
  }
  return "same";
}

function parsed(text: string): Version | undefined {
  const found = /^(\d+)\.(\d+)\.(\d+)/.exec(text);
  return found === null ? undefined : [Number(found[1]), Number(found[2]), Number(found[3])];
}
