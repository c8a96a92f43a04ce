/** The script of the search view's page: the box, its filters and the results. */
import { type Filters, type FromView, NO_FILTERS, type ShownResults, type ToView } from "../search/viewMessages";
import { ResultTree } from "./resultTree";

interface Kept {
  readonly text: string;
  readonly filters: Filters;
  readonly filtersShown: boolean;
  readonly results: ShownResults | undefined;
}

const DEBOUNCE_MILLISECONDS = 150;
const BUSY_MILLISECONDS = 150;
const api = acquireVsCodeApi<Kept>();

function required<Kind extends Element>(id: string, kind: abstract new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) {
    throw new Error(`The page has no ${id}.`);
  }
  return found;
}

const form = required("form", HTMLFormElement);
const box = required("text", HTMLInputElement);
const toggle = required("toggle", HTMLButtonElement);
const filterPane = required("filters", HTMLElement);
const progress = required("progress", HTMLElement);
const summary = required("summary", HTMLElement);
const warnings = required("warnings", HTMLElement);
const names: readonly (keyof Filters)[] = ["languages", "paths", "author", "since", "until", "mode"];
const words = document.body.dataset;

let kept: Kept = { text: "", filters: NO_FILTERS, filtersShown: false, results: undefined, ...api.getState() };
/** What somebody typed before this script ran. */
const typed = box.value;
/** How many questions were asked, and whether another is being typed. */
let asked = 0;
let typing = false;
/** Whether somebody has typed since the page came, before it was told where the cursor should be. */
let touched = typed !== "";
let timer = 0;
let busyTimer = 0;

const tree = new ResultTree(
  required("results", HTMLElement),
  { stale: words["stale"] ?? "", line: words["line"] ?? "", count: words["count"] ?? "", one: words["one"] ?? "" },
  (id, how) => {
    post({ type: "open", id, how });
  },
  () => {
    box.focus();
  },
);

function post(message: FromView): void {
  api.postMessage(message);
}

function keep(change: Partial<Kept>): void {
  kept = { ...kept, ...change };
  api.setState(kept);
}

function field(name: keyof Filters): HTMLInputElement | HTMLSelectElement {
  return name === "mode" ? required(name, HTMLSelectElement) : required(name, HTMLInputElement);
}

function readFilters(): Filters {
  return Object.fromEntries(names.map((name) => [name, field(name).value])) as unknown as Filters;
}

function showFilters(shown: boolean): void {
  filterPane.hidden = !shown;
  toggle.setAttribute("aria-expanded", String(shown));
}

function fill(text: string, filters: Filters): void {
  box.value = text;
  for (const name of names) {
    field(name).value = filters[name];
  }
  const used = names.some((name) => filters[name] !== "");
  toggle.classList.toggle("used", used);
  keep({ text, filters });
}

function ask(): void {
  window.clearTimeout(timer);
  const filters = readFilters();
  toggle.classList.toggle(
    "used",
    names.some((name) => filters[name] !== ""),
  );
  keep({ text: box.value, filters });
  typing = false;
  asked += 1;
  post({ type: "search", text: box.value, filters, number: asked });
}

function askSoon(): void {
  typing = true;
  touched = true;
  window.clearTimeout(timer);
  timer = window.setTimeout(ask, DEBOUNCE_MILLISECONDS);
}

function showResults(results: ShownResults): void {
  window.clearTimeout(busyTimer);
  if (results.busy) {
    // What is quick needs no bar.
    busyTimer = window.setTimeout(() => {
      progress.hidden = false;
    }, BUSY_MILLISECONDS);
    return;
  }
  progress.hidden = true;
  const similar = results.similarTo === undefined ? [] : [(words["similar"] ?? "").replace("{0}", results.similarTo)];
  const empty = results.files.length === 0 && results.summary === "" && box.value === "";
  summary.textContent = empty
    ? (words["empty"] ?? "")
    : [...similar, results.summary].filter((part) => part !== "").join(" · ");
  warnings.replaceChildren(
    ...results.warnings.map((warning) => {
      const item = document.createElement("li");
      item.textContent = warning;
      return item;
    }),
  );
  tree.show(results.files);
  keep({ results });
}

window.addEventListener("message", ({ data }: MessageEvent<ToView>) => {
  switch (data.type) {
    case "box":
      // What is typed, or was asked meanwhile, is newer.
      if (!typing && data.heard >= asked) {
        fill(data.text, data.filters);
      }
      break;
    case "results":
      showResults(data.results);
      break;
    case "current":
      tree.mark(data.id);
      break;
    case "focusBox":
      box.focus();
      // Whoever was quicker than the page types on.
      if (data.select && !touched) {
        box.select();
      }
      touched = false;
      break;
  }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.addEventListener("input", askSoon);
box.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" && !tree.isEmpty) {
    event.preventDefault();
    tree.focusFirst();
  } else if (event.key === "Escape" && box.value !== "") {
    event.preventDefault();
    box.value = "";
    ask();
  }
});
toggle.addEventListener("click", () => {
  showFilters(filterPane.hidden);
  keep({ filtersShown: !filterPane.hidden });
  if (!filterPane.hidden) {
    field("languages").focus();
  }
});

fill(kept.text, kept.filters);
showFilters(kept.filtersShown);
if (kept.results !== undefined) {
  showResults({ ...kept.results, busy: false });
}
if (typed !== "") {
  box.value = typed;
  ask();
}
post({ type: "ready", asked });
