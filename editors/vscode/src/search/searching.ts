/**
 * A query asked of the server, and its answer as places of the editor.
 *
 * The server puts places first that hold an exact phrase letter by letter. Who types one wants no
 * others: of what comes back only those are kept.
 */
import * as vscode from "vscode";
import {
  FindSimilar,
  type Freshness,
  type Hit,
  SemanticSearch,
  type SearchParams,
  type SearchResult,
} from "../protocol";
import type { Server } from "../server/server";
import { lineOfPhrase } from "./matching";
import type { Query } from "./queryText";

export interface Place {
  readonly uri: vscode.Uri;
  readonly path: string;
  /** All lines of the place. */
  readonly range: vscode.Range;
  /** The line to look at. */
  readonly line: number;
  readonly symbol: string | undefined;
  readonly kind: string | undefined;
  readonly language: string;
  readonly snippet: readonly string[];
  readonly snippetStart: number;
  /** The line of the snippet that holds the phrase which was asked for. */
  readonly phraseLine: number | undefined;
  readonly stale: boolean;
  /** The identifiers that a place has in common with what it is similar to. */
  readonly shared: readonly string[];
}

export interface Answer {
  readonly places: readonly Place[];
  readonly freshness: Freshness;
  /** There may be more: the time ended before enough was found. */
  readonly stoppedEarly: boolean;
}

export interface Selection {
  readonly uri: vscode.Uri;
  readonly range: vscode.Range;
}

const MOST = 200;
const SNIPPET_LINES = 50;
const CONTEXT_LINES = 2;
const NOTHING: Answer = {
  places: [],
  freshness: { generation: 0, pending: 0, complete: true, refined: 0 },
  stoppedEarly: false,
};

/**
 * Asks; a later question under the same `box` takes the place of an earlier one. What can be told
 * at once goes to `atOnce`, where a better order comes a little later.
 */
export async function search(
  server: Server,
  query: Query,
  box: string,
  token: vscode.CancellationToken,
  atOnce?: (answer: Answer) => void,
): Promise<Answer> {
  if (query.words.trim() === "") {
    return NOTHING;
  }
  const told = (result: SearchResult): Answer => {
    const answer = answerOf(result);
    return query.phrases.length === 0 ? answer : { ...answer, places: holding(answer.places, query.phrases) };
  };
  const onPart =
    atOnce &&
    ((part: SearchResult): void => {
      if (!token.isCancellationRequested) {
        atOnce(told(part));
      }
    });
  return told(await server.request(SemanticSearch, paramsOf(query, box), token, onPart));
}

export async function findSimilar(
  server: Server,
  { uri, range }: Selection,
  token: vscode.CancellationToken,
): Promise<Answer> {
  const place = {
    start: { line: range.start.line, character: range.start.character },
    end: { line: range.end.line, character: range.end.character },
  };
  return answerOf(
    await server.request(FindSimilar, { uri: uri.toString(), range: place, snippetLines: SNIPPET_LINES }, token),
  );
}

function paramsOf(query: Query, box: string): SearchParams {
  const onlyPhrases = query.phrases.join(" ") === query.words;
  const mode = query.mode ?? (query.phrases.length > 0 && onlyPhrases ? "lexical" : undefined);
  return {
    query: query.quoted,
    supersedeToken: box,
    ...(query.languages.length > 0 && { languages: query.languages }),
    ...(query.globs.length > 0 && { globs: query.globs }),
    ...(query.author !== undefined && { author: query.author }),
    ...(query.since !== undefined && { changedSince: query.since }),
    ...(query.until !== undefined && { changedBefore: query.until }),
    ...(mode !== undefined && { mode }),
    // Whole places: which of their lines say most is decided here.
    snippetLines: SNIPPET_LINES,
    // And many of them: most may not hold the phrase.
    ...(query.phrases.length > 0 && { limit: MOST, snippetLines: MOST }),
  };
}

function answerOf(result: SearchResult): Answer {
  return { places: result.hits.map(placeOf), freshness: result.freshness, stoppedEarly: result.stoppedEarly === true };
}

function placeOf(hit: Hit): Place {
  const { start, end } = hit.range;
  return {
    uri: vscode.Uri.parse(hit.uri),
    path: hit.path,
    range: new vscode.Range(start.line, start.character, end.line, end.character),
    line: start.line,
    symbol: hit.symbol,
    kind: hit.kind,
    language: hit.language,
    snippet: hit.snippet === "" ? [] : hit.snippet.replace(/\r?\n$/, "").split(/\r\n|\r|\n/),
    snippetStart: hit.snippetStartLine,
    phraseLine: undefined,
    stale: hit.stale,
    shared: hit.sharedIdentifiers ?? [],
  };
}

function holding(places: readonly Place[], phrases: readonly string[]): Place[] {
  const limit = vscode.workspace.getConfiguration("codeintel").get<number>("search.limit", 20);
  const kept: Place[] = [];
  for (const place of places) {
    const text = place.snippet.join("\n");
    const lines = phrases.map((phrase) => lineOfPhrase(text, phrase));
    const [first] = lines;
    if (first !== undefined && lines.every((line) => line !== undefined)) {
      kept.push(around(place, first));
    }
  }
  return kept.slice(0, limit);
}

/** Whether both tell the same places in the same order, and the same of themselves. */
export function areSame(one: Answer, other: Answer): boolean {
  const [places, others] = [one.places, other.places];
  return (
    one.freshness.complete === other.freshness.complete &&
    one.stoppedEarly === other.stoppedEarly &&
    places.length === others.length &&
    places.every((place, number) => isSame(place, others[number]))
  );
}

export function isSame(one: Place, other: Place | undefined): boolean {
  return one.uri.toString() === other?.uri.toString() && one.range.isEqual(other.range);
}

/** The same place, looked at where the phrase stands. */
function around(place: Place, line: number): Place {
  const from = Math.max(0, line - CONTEXT_LINES);
  return {
    ...place,
    line: place.snippetStart + line,
    snippet: place.snippet.slice(from, line + CONTEXT_LINES + 1),
    snippetStart: place.snippetStart + from,
    phraseLine: line - from,
  };
}
