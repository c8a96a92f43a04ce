/**
 * What the server's own commands do in this editor, where it can show more than their results.
 *
 * Code lenses, code actions and links of the server name them; the language client has registered
 * them. Invariant: what is not understood is left to the server, which says what is wrong.
 */
import type { Range } from "vscode-languageclient/node";
import type { HistoryFeature } from "./history/historyFeature";
import type { SearchFeature } from "./search/searchFeature";
import { told } from "./server/refusals";

interface Argument {
  readonly uri?: unknown;
  readonly range?: unknown;
  readonly commit?: unknown;
}

export function runHere(
  name: string,
  argument: unknown,
  search: SearchFeature,
  history: HistoryFeature,
): Promise<void> | undefined {
  if (typeof argument !== "object" || argument === null) {
    return undefined;
  }
  const { uri, range, commit } = argument as Argument;
  if (typeof uri !== "string") {
    return undefined;
  }
  if (name === "codeintel.fileHistory" && (range === undefined || isRange(range))) {
    return told(() => history.show(uri, range));
  }
  if (name === "codeintel.findSimilar" && isRange(range)) {
    return told(() => search.similarToRange(uri, range));
  }
  if (name === "codeintel.openFileAtRevision" && typeof commit === "string") {
    return told(() => history.openAt(uri, commit));
  }
  return undefined;
}

function isRange(value: unknown): value is Range {
  return typeof value === "object" && value !== null && "start" in value && "end" in value;
}
