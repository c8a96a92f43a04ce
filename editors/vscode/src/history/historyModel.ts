/**
 * What the history view lists: the commits of a file or of some lines, as far as they were loaded,
 * or commits that a question found.
 *
 * Invariant: entries belong to the target that is told with them; loading stops when another target
 * takes its place.
 */
import * as vscode from "vscode";
import { type CommitHit, type CommitSearchResult, type HistoryEntry, SearchHistory } from "../protocol";
import { parseQuery, type Query } from "../search/queryText";
import { isCancelled, sentenceOf } from "../server/refusals";
import type { Server } from "../server/server";
import { passes } from "./commitFilter";
import type { HistorySource, HistoryTarget } from "./historySource";

export interface Found {
  readonly question: string;
  readonly commits: readonly CommitHit[];
  readonly complete: boolean;
}

/** So many commits that pass the filter are looked for at a time, among at most so many. */
const WANTED = 30;
const MOST_LOOKED_THROUGH = 2_000;
const ASK_AGAIN_MILLISECONDS = 1_000;
const MOST_TIMES_ASKED = 600;

export class HistoryModel implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private loading: vscode.CancellationTokenSource | undefined;
  private all: readonly HistoryEntry[] = [];
  private cursor: string | undefined;
  private query: Query | undefined;
  target: HistoryTarget | undefined;
  /** The filter's text. */
  filter = "";
  /** What is asked for instead of the target's history. */
  question: string | undefined;
  found: Found | undefined;
  failure: string | undefined;
  boundary: "shallow" | "partial" | undefined;
  busy = false;
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly server: Server,
    private readonly source: HistorySource,
  ) {}

  get entries(): readonly HistoryEntry[] {
    const { query } = this;
    if (query === undefined) {
      return this.all;
    }
    const now = Date.now() / 1000;
    return this.all.filter((entry) => passes(entry, [entry.path], query, now));
  }

  get hasMore(): boolean {
    return this.question === undefined && this.cursor !== undefined;
  }

  get looked(): number {
    return this.all.length;
  }

  async show(target: HistoryTarget | undefined): Promise<void> {
    this.target = target;
    this.question = undefined;
    this.found = undefined;
    await this.reload();
  }

  async reload(): Promise<void> {
    this.all = [];
    this.cursor = undefined;
    this.failure = undefined;
    this.boundary = undefined;
    if (this.question !== undefined) {
      await this.search(this.question);
    } else {
      await this.load(true);
    }
  }

  async more(): Promise<void> {
    await this.load(false);
  }

  async setFilter(text: string): Promise<void> {
    this.filter = text;
    const query = parseQuery(text);
    const empty =
      query.words === "" && query.author === undefined && query.since === undefined && query.until === undefined;
    this.query = empty ? undefined : query;
    this.changed.fire();
    if (!empty && this.hasMore && this.entries.length < WANTED) {
      await this.load(false);
    }
  }

  /** Commits by their meaning, in place of the target's. */
  async search(question: string): Promise<void> {
    const query = parseQuery(question);
    if (query.words === "") {
      return;
    }
    this.question = question;
    this.found = undefined;
    const params = {
      query: query.words,
      limit: 50,
      ...(query.author !== undefined && { author: query.author }),
      ...(query.since !== undefined && { since: query.since }),
      ...(query.until !== undefined && { before: query.until }),
      ...(query.globs.length > 0 && { paths: query.globs }),
    };
    await this.work(async (token) => {
      // The first question has the commits indexed: what is found grows until all of them are.
      for (let times = 0; times < MOST_TIMES_ASKED; times++) {
        const result: CommitSearchResult = await this.server.request(SearchHistory, params, token);
        if (token.isCancellationRequested) {
          return;
        }
        this.found = { question, commits: result.commits, complete: result.complete };
        if (result.complete) {
          return;
        }
        this.changed.fire();
        await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MILLISECONDS));
      }
    });
  }

  /** Back to the target's own history. */
  async clear(): Promise<void> {
    this.filter = "";
    this.query = undefined;
    const searched = this.question !== undefined;
    this.question = undefined;
    this.found = undefined;
    if (searched) {
      await this.reload();
    } else {
      this.changed.fire();
    }
  }

  dispose(): void {
    this.cancel();
    this.changed.dispose();
  }

  private async load(anew: boolean): Promise<void> {
    const { target } = this;
    if (target === undefined || this.server.state !== "running") {
      this.cancel();
      this.changed.fire();
      return;
    }
    await this.work(async (token) => {
      const before = anew ? 0 : this.entries.length;
      do {
        const page = await this.source.page(target, this.cursor, token);
        if (token.isCancellationRequested) {
          return;
        }
        this.all = [...this.all, ...page.entries];
        this.cursor = page.nextCursor;
        this.boundary = page.boundary ?? this.boundary;
        if (this.query !== undefined) {
          this.changed.fire();
        }
      } while (
        this.query !== undefined &&
        this.cursor !== undefined &&
        this.entries.length < before + WANTED &&
        this.all.length < MOST_LOOKED_THROUGH
      );
    });
  }

  private async work(work: (token: vscode.CancellationToken) => Promise<void>): Promise<void> {
    this.cancel();
    const loading = new vscode.CancellationTokenSource();
    this.loading = loading;
    this.busy = true;
    this.failure = undefined;
    this.changed.fire();
    try {
      await work(loading.token);
    } catch (error) {
      if (this.loading === loading && !isCancelled(error)) {
        this.failure = sentenceOf(error);
      }
    }
    if (this.loading === loading) {
      this.loading = undefined;
      this.busy = false;
      this.changed.fire();
    }
  }

  private cancel(): void {
    this.loading?.cancel();
    this.loading?.dispose();
    this.loading = undefined;
    this.busy = false;
  }
}
