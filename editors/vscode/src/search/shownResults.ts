/** Results as the search view shows them: grouped by file, with the lines that matter. */
import * as vscode from "vscode";
import { bestLine, spansIn, termsOf } from "./matching";
import type { ResultList } from "./resultList";
import type { Place } from "./searching";
import { iconOf } from "./symbolIcons";
import type { ShownFile, ShownLine, ShownPlace, ShownResults } from "./viewMessages";

const LINES = 4;
const LONGEST_LINE = 240;
const LONGEST_NAME = 60;

export function shownResults(list: ResultList): ShownResults {
  const query = list.query;
  const terms = query === undefined ? undefined : termsOf(query.words, query.phrases);
  const files = new Map<string, ShownPlace[]>();
  for (const [id, place] of list.places.entries()) {
    const places = files.get(place.path) ?? [];
    places.push(shownPlace(place, id, terms));
    files.set(place.path, places);
  }
  const shown: ShownFile[] = [...files].map(([path, places]) => ({ path, places }));
  return {
    files: shown,
    summary: summaryOf(list, shown.length),
    warnings: warningsOf(list),
    similarTo: list.source?.kind === "similar" ? list.source.label : undefined,
    busy: list.busy,
  };
}

function shownPlace(place: Place, id: number, terms: RegExp | undefined): ShownPlace {
  return {
    id,
    line: place.line,
    name: place.symbol ?? firstWords(place),
    icon: iconOf(place.kind),
    stale: place.stale,
    shared: place.shared.length === 0 ? "" : vscode.l10n.t("in common: {0}", place.shared.join(", ")),
    lines: linesOf(place, terms),
  };
}

/** A few lines of the snippet: those around the line that says most. */
function linesOf(place: Place, terms: RegExp | undefined): ShownLine[] {
  const snippet = place.snippet.slice(0, place.snippet.findLastIndex((text) => text.trim() !== "") + 1);
  const best = place.phraseLine ?? bestLine(snippet, terms, place.symbol);
  const from = Math.max(0, Math.min(best - 1, snippet.length - LINES));
  const texts = snippet.slice(from, from + LINES).map((text) => text.replace(/\t/g, "    "));
  const indent = Math.min(
    ...texts.filter((text) => text.trim() !== "").map((text) => text.length - text.trimStart().length),
  );
  return texts.map((text, offset) => {
    const shown = text.slice(Number.isFinite(indent) ? indent : 0, LONGEST_LINE);
    return { number: place.snippetStart + from + offset, text: shown, marks: spansIn(shown, terms) };
  });
}

function firstWords(place: Place): string {
  const line = place.snippet.find((text) => /[\p{L}\p{N}]/u.test(text)) ?? place.path;
  return line.trim().slice(0, LONGEST_NAME);
}

function summaryOf(list: ResultList, files: number): string {
  if (list.failure !== undefined) {
    return list.failure;
  }
  if (list.answer === undefined) {
    return "";
  }
  const count = list.places.length;
  if (count === 0) {
    return list.query?.words === "" ? "" : vscode.l10n.t("Nothing was found.");
  }
  const results = count === 1 ? vscode.l10n.t("1 result") : vscode.l10n.t("{0} results", count);
  return files === 1 ? vscode.l10n.t("{0} in 1 file", results) : vscode.l10n.t("{0} in {1} files", results, files);
}

function warningsOf(list: ResultList): string[] {
  const warnings = (list.query?.problems ?? []).map(({ filter, value }) =>
    vscode.l10n.t("{0}:{1} is not understood and was left out.", filter, value),
  );
  if (list.answer?.stoppedEarly === true) {
    warnings.push(vscode.l10n.t("There may be more: the search for who changed what took too long."));
  }
  if (list.answer?.freshness.complete === false) {
    warnings.push(vscode.l10n.t("The index is not complete yet: there may be more."));
  }
  return warnings;
}
