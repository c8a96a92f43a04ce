/**
 * The results that are kept: what the search view shows, and what F4 goes through.
 *
 * Invariant: results belong to the source that is told with them; a later question overtakes an
 * earlier one.
 */
import * as vscode from "vscode";
import type { CodeIntelApi } from "../api";
import { isCancelled, sentenceOf } from "../server/refusals";
import type { Server } from "../server/server";
import { openPlace } from "./preview";
import { parseQuery, type Query, written } from "./queryText";
import { type Answer, findSimilar, isSame, type Place, search, type Selection } from "./searching";
import { type Filters, NO_FILTERS } from "./viewMessages";

export type Source =
  | { readonly kind: "query"; readonly text: string; readonly filters: Filters }
  | { readonly kind: "similar"; readonly selection: Selection; readonly label: string };

const BOX = "search-view";
const STATE = "codeintel-ls.search";
const CONTEXT = "codeintel-ls.hasResults";

export class ResultList implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly moved = new vscode.EventEmitter<number>();
  private asking: vscode.CancellationTokenSource | undefined;
  private at = -1;
  source: Source | undefined;
  answer: Answer | undefined;
  failure: string | undefined;
  busy = false;
  readonly onDidChange = this.changed.event;
  /** The number of the result that was gone to. */
  readonly onDidMove = this.moved.event;

  constructor(
    private readonly server: Server,
    private readonly memory: vscode.Memento,
  ) {
    const kept = memory.get<{ text: string; filters: Filters }>(STATE);
    if (kept !== undefined) {
      this.source = { kind: "query", text: kept.text, filters: { ...NO_FILTERS, ...kept.filters } };
    }
  }

  get places(): readonly Place[] {
    return this.answer?.places ?? [];
  }

  /** The query behind the results, with what stands in the view's filters. */
  get query(): Query | undefined {
    return this.source?.kind === "query" ? queryOf(this.source.text, this.source.filters) : undefined;
  }

  get shown(): ReturnType<CodeIntelApi["searchView"]> {
    const { source } = this;
    const query = source === undefined ? "" : source.kind === "query" ? source.text : source.label;
    const results = this.places.map(({ path, line }) => `${path}:${line + 1}`);
    return { query, results, shared: this.places.map(({ shared }) => shared) };
  }

  async ask(text: string, filters: Filters): Promise<void> {
    this.source = { kind: "query", text, filters };
    void this.memory.update(STATE, { text, filters });
    await this.run(true);
  }

  async similar(selection: Selection, label: string): Promise<void> {
    this.source = { kind: "similar", selection, label };
    await this.run(true);
  }

  /** Asks again; what is shown stays until the new results are there. */
  async refresh(): Promise<void> {
    await this.run(false);
  }

  /** Takes results that were found elsewhere. */
  take(text: string, answer: Answer): void {
    this.cancel();
    this.source = { kind: "query", text, filters: NO_FILTERS };
    void this.memory.update(STATE, { text, filters: NO_FILTERS });
    this.at = -1;
    this.set(answer, undefined);
  }

  /** The same, after one of them was gone to. */
  remember(text: string, answer: Answer, place: Place): void {
    this.take(text, answer);
    this.at = answer.places.findIndex((each) => isSame(each, place));
    this.moved.fire(this.at);
  }

  clear(): void {
    this.cancel();
    this.source = undefined;
    void this.memory.update(STATE, undefined);
    this.set(undefined, undefined);
  }

  async open(index: number, how: "peek" | "open" | "beside"): Promise<void> {
    const place = this.places[index];
    if (place !== undefined) {
      this.at = index;
      await openPlace(place, { beside: how === "beside", preview: how === "peek", preserveFocus: how === "peek" });
    }
  }

  /** Goes to another result, round and round. */
  async go(step: 1 | -1): Promise<void> {
    const count = this.places.length;
    if (count === 0) {
      return;
    }
    const from = this.at < 0 && step < 0 ? 0 : this.at;
    const index = (from + step + count) % count;
    this.moved.fire(index);
    await this.open(index, "open");
  }

  dispose(): void {
    this.cancel();
    this.changed.dispose();
    this.moved.dispose();
  }

  private async run(anew: boolean): Promise<void> {
    const { source } = this;
    this.cancel();
    if (source === undefined) {
      return;
    }
    const asking = new vscode.CancellationTokenSource();
    this.asking = asking;
    if (anew) {
      this.at = -1;
      this.busy = true;
      this.changed.fire();
    }
    const early = (answer: Answer): void => {
      this.failure = undefined;
      this.busy = false;
      this.put(answer);
    };
    try {
      const answer =
        source.kind === "query"
          ? await search(this.server, queryOf(source.text, source.filters), BOX, asking.token, anew ? early : undefined)
          : await findSimilar(this.server, source.selection, asking.token);
      if (this.asking === asking) {
        this.set(answer, undefined);
      }
    } catch (error) {
      if (this.asking === asking && !isCancelled(error)) {
        this.set(undefined, sentenceOf(error));
      }
    }
  }

  private set(answer: Answer | undefined, failure: string | undefined): void {
    this.asking = undefined;
    this.failure = failure;
    this.busy = false;
    this.put(answer);
  }

  /** Who has gone to one of the places goes on from there. */
  private put(answer: Answer | undefined): void {
    const gone = this.places[this.at];
    this.answer = answer;
    this.at = gone === undefined ? -1 : this.places.findIndex((place) => isSame(gone, place));
    void vscode.commands.executeCommand("setContext", CONTEXT, this.places.length > 0);
    this.changed.fire();
  }

  private cancel(): void {
    this.asking?.cancel();
    this.asking?.dispose();
    this.asking = undefined;
  }
}

function queryOf(text: string, filters: Filters): Query {
  const parts = [text];
  const add = (filter: string, value: string): void => {
    if (value.trim() !== "") {
      parts.push(written(filter, value.trim()));
    }
  };
  for (const language of filters.languages.split(/[\s,]+/)) {
    add("lang", language);
  }
  for (const path of filters.paths.split(",")) {
    const glob = path.trim();
    parts.push(glob === "" ? "" : glob.startsWith("!") ? `-${written("path", glob.slice(1))}` : written("path", glob));
  }
  add("author", filters.author);
  add("since", filters.since);
  add("until", filters.until);
  add("mode", filters.mode);
  return parseQuery(parts.join(" "));
}
