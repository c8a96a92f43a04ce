/**
 * The search that follows one's typing.
 *
 * Invariant: what the list shows belongs to the text in the box or to an earlier one, never to one
 * that was overtaken; leaving with Escape leaves no trace in the editors.
 */
import * as vscode from "vscode";
import type { ListedAnswer, ShownItem } from "../api";
import { isCancelled, sentenceOf } from "../server/refusals";
import type { Server } from "../server/server";
import { termsOf } from "./matching";
import { PreviewSession, type ResultMark } from "./preview";
import { parseQuery, type Query, type QueryProblem } from "./queryText";
import { BESIDE, itemsOf, note, type ResultItem } from "./resultItems";
import type { ResultList } from "./resultList";
import { type Answer, areSame, isSame, search } from "./searching";

/** Letters that are typed faster than this are one question. */
const DEBOUNCE_MILLISECONDS = 15;
const PREVIEW_MILLISECONDS = 40;
const GROWING_MILLISECONDS = 500;
const CONTEXT = "codeintel-ls.searching";
const BOX = "quick-search";

interface Answered {
  readonly text: string;
  readonly answer: Answer;
  readonly terms: RegExp | undefined;
  /** A better order follows. */
  readonly isEarly: boolean;
}

type Pick = vscode.QuickPick<ResultItem> & { sortByLabel?: boolean };

export class QuickSearch implements vscode.Disposable {
  private readonly answered = new vscode.EventEmitter<ListedAnswer>();
  private open: OpenSearch | undefined;
  readonly onDidAnswer = this.answered.event;

  constructor(
    private readonly server: Server,
    private readonly mark: ResultMark,
    private readonly results: ResultList,
  ) {}

  show(text: string): void {
    this.open?.dispose();
    const opened = new OpenSearch(this.server, this.mark, this.results, text, this.answered, () => {
      if (this.open === opened) {
        this.open = undefined;
      }
    });
    this.open = opened;
  }

  openBeside(): void {
    this.open?.accept(true);
  }

  keep(): void {
    this.open?.keep();
  }

  items(): readonly ShownItem[] | undefined {
    return this.open?.items();
  }

  dispose(): void {
    this.open?.dispose();
    this.answered.dispose();
  }
}

class OpenSearch implements vscode.Disposable {
  private readonly pick: Pick = vscode.window.createQuickPick<ResultItem>();
  private readonly preview: PreviewSession;
  private readonly listening: vscode.Disposable[];
  private asking: vscode.CancellationTokenSource | undefined;
  private timer: NodeJS.Timeout | undefined;
  private previewTimer: NodeJS.Timeout | undefined;
  private first: ResultItem | undefined;
  private moved = false;
  private accepted = false;
  private answered: Answered | undefined;
  /** The answer that is listed; none while the list says something else. */
  private listed: Answer | undefined;

  constructor(
    private readonly server: Server,
    mark: ResultMark,
    private readonly results: ResultList,
    text: string,
    private readonly onAnswer: vscode.EventEmitter<ListedAnswer>,
    private readonly onClosed: () => void,
  ) {
    this.preview = new PreviewSession(mark);
    const pick = this.pick;
    pick.title = titleOf([]);
    pick.placeholder = vscode.l10n.t(
      'What does the code do?   lang:py  path:src/**  author:ann  since:2w  "exact phrase"',
    );
    pick.sortByLabel = false;
    pick.matchOnDescription = false;
    pick.matchOnDetail = false;
    pick.keepScrollPosition = false;
    pick.buttons = [keepButton()];
    pick.value = text;
    this.listening = [
      pick.onDidChangeValue(() => {
        this.askSoon(DEBOUNCE_MILLISECONDS);
      }),
      pick.onDidChangeActive(([item]) => {
        this.moveTo(item);
      }),
      pick.onDidAccept(() => {
        this.accept(false);
      }),
      pick.onDidTriggerButton(() => {
        this.keep();
      }),
      pick.onDidTriggerItemButton(({ item, button }) => {
        if (button === BESIDE) {
          this.open(item, true);
        }
      }),
      pick.onDidHide(() => {
        this.dispose();
      }),
      server.onDidChangeState(() => {
        this.askSoon(0);
      }),
      server.onDidTellStatus(() => {
        // While the index is being built there is more to find every time.
        if (this.answered?.answer.freshness.complete === false && !this.moved) {
          this.askSoon(GROWING_MILLISECONDS);
        }
      }),
    ];
    void vscode.commands.executeCommand("setContext", CONTEXT, true);
    this.askSoon(0);
    pick.show();
  }

  items(): readonly ShownItem[] {
    return this.pick.items.map(({ label, description, detail }) => ({ label, description, detail }));
  }

  accept(beside: boolean): void {
    // Whoever is quicker than the list means its first result.
    const item = this.pick.activeItems[0] ?? this.first;
    if (item !== undefined) {
      this.open(item, beside);
    }
  }

  /** Hands what is listed to the search view. */
  keep(): void {
    const { answered } = this;
    this.accepted = true;
    this.pick.hide();
    void this.preview.restore().then(async () => {
      if (answered !== undefined) {
        this.results.take(answered.text, answered.answer);
      }
      await vscode.commands.executeCommand("codeintel-ls.searchView.focus");
    });
  }

  dispose(): void {
    clearTimeout(this.timer);
    clearTimeout(this.previewTimer);
    this.asking?.cancel();
    this.asking?.dispose();
    this.asking = undefined;
    void vscode.commands.executeCommand("setContext", CONTEXT, false);
    vscode.Disposable.from(...this.listening, this.pick).dispose();
    this.onClosed();
    if (!this.accepted) {
      this.accepted = true;
      void this.preview.restore();
    }
  }

  private open(item: ResultItem, beside: boolean): void {
    const { place, run } = item;
    if (place === undefined) {
      run?.();
      return;
    }
    // A key that is pressed twice must not open two groups.
    if (this.accepted) {
      return;
    }
    this.accepted = true;
    if (this.answered !== undefined) {
      this.results.remember(this.answered.text, this.answered.answer, place);
    }
    this.pick.hide();
    void this.preview.open(place, beside);
  }

  private moveTo(item: ResultItem | undefined): void {
    // The list puts its cursor on the first of new results by itself: nobody asked to see it.
    if (item?.place === undefined || (item === this.first && !this.moved)) {
      return;
    }
    const { place } = item;
    this.moved = true;
    clearTimeout(this.previewTimer);
    this.previewTimer = setTimeout(() => {
      void this.preview.show(place, this.answered?.terms);
    }, PREVIEW_MILLISECONDS);
  }

  private askSoon(milliseconds: number): void {
    clearTimeout(this.timer);
    this.asking?.cancel();
    this.timer = setTimeout(() => {
      void this.ask();
    }, milliseconds);
  }

  private async ask(): Promise<void> {
    const text = this.pick.value;
    const query = parseQuery(text);
    const asking = new vscode.CancellationTokenSource();
    this.asking?.dispose();
    this.asking = asking;
    this.pick.title = titleOf(query.problems);
    const hint = hintOf(this.server, query);
    if (hint !== undefined) {
      this.list([hint]);
      return;
    }
    this.pick.busy = true;
    try {
      const terms = termsOf(query.words, query.phrases);
      const answer = await search(this.server, query, BOX, asking.token, (early) => {
        this.show({ text, answer: early, terms, isEarly: true });
      });
      if (!asking.token.isCancellationRequested) {
        this.show({ text, answer, terms, isEarly: false });
      }
    } catch (error) {
      if (!isCancelled(error) && !asking.token.isCancellationRequested) {
        this.list([note("warning", sentenceOf(error))]);
      }
    } finally {
      if (this.asking === asking) {
        this.pick.busy = false;
      }
    }
  }

  /** Lists an answer; where it only orders anew what is listed, the cursor stays on its place. */
  private show(answered: Answered): void {
    const before = this.answered;
    this.answered = answered;
    const { text, answer, terms, isEarly } = answered;
    const isReordered = before?.text === text && before.isEarly && this.listed === before.answer;
    if (!isReordered || !areSame(before.answer, answer)) {
      const chosen = isReordered && this.moved ? this.pick.activeItems[0]?.place : undefined;
      this.list(listed(answer, terms), answer);
      const again = chosen && this.pick.items.find(({ place }) => isSame(chosen, place));
      if (again !== undefined) {
        this.moved = true;
        this.pick.activeItems = [again];
      }
    }
    const results = answer.places.map(({ path, line }) => `${path}:${line + 1}`);
    this.onAnswer.fire({ text, final: !isEarly, results });
  }

  private list(items: ResultItem[], answer?: Answer): void {
    this.listed = answer;
    clearTimeout(this.previewTimer);
    this.moved = false;
    this.first = items.find((item) => item.place !== undefined);
    this.pick.items = items;
  }
}

function keepButton(): vscode.QuickInputButton {
  return {
    iconPath: new vscode.ThemeIcon("list-tree"),
    tooltip: vscode.l10n.t("Keep Results in the Search View (Alt+Enter)"),
  };
}

/** What is not understood stands above the results: below them nobody would see it. */
function titleOf(problems: readonly QueryProblem[]): string {
  const [problem] = problems;
  if (problem === undefined) {
    return vscode.l10n.t("Search by Meaning");
  }
  const { filter, value } = problem;
  return `⚠ ${vscode.l10n.t("{0}:{1} is not understood and was left out.", filter, value)} ${example(filter)}`;
}

function listed(answer: Answer, terms: RegExp | undefined): ResultItem[] {
  const items = itemsOf(answer, terms);
  const { complete } = answer.freshness;
  if (answer.places.length === 0) {
    items.unshift(
      complete
        ? note("info", vscode.l10n.t("Nothing was found."))
        : note("sync~spin", vscode.l10n.t("The index is being built…")),
    );
  }
  if (answer.stoppedEarly) {
    items.push(note("watch", vscode.l10n.t("There may be more: the search for who changed what took too long.")));
  }
  if (!complete && answer.places.length > 0) {
    items.push(note("sync", vscode.l10n.t("The index is not complete yet: there may be more.")));
  }
  return items;
}

function example(filter: string): string {
  return filter === "mode"
    ? vscode.l10n.t("It is one of hybrid, semantic, lexical.")
    : vscode.l10n.t("A date is written like 2026-01-31, or as an age: 12h, 3d, 2w, 6mo, 1y.");
}

function hintOf(server: Server, query: Query): ResultItem | undefined {
  switch (server.state) {
    case "running":
      return query.words === ""
        ? note("search", vscode.l10n.t("Ask in your own words, or in words of the code."))
        : undefined;
    case "starting":
      return note("loading~spin", vscode.l10n.t("The server is starting…"));
    case "noFolder":
      return note("folder", vscode.l10n.t("Open a folder to search in it."));
    case "missing":
      return note("warning", vscode.l10n.t("The server codeintel-ls was not found: install it."), undefined, () => {
        void vscode.commands.executeCommand("codeintel-ls.installServer");
      });
    case "stopped":
    case "failed":
      return note("warning", vscode.l10n.t("The server does not run: restart it."), undefined, () => {
        void vscode.commands.executeCommand("codeintel-ls.restartServer");
      });
  }
}
