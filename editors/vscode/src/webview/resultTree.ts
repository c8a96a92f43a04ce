/** The results as a tree of files and places: drawn, and walked through with the keyboard. */
import type { OpenHow, ShownFile, ShownLine, ShownPlace } from "../search/viewMessages";

export interface Labels {
  readonly stale: string;
  readonly line: string;
  readonly count: string;
  readonly one: string;
}

type Row = HTMLElement;

export class ResultTree {
  private rows: Row[] = [];
  private readonly collapsed = new Set<string>();
  private current = "";

  constructor(
    private readonly root: HTMLElement,
    private readonly labels: Labels,
    private readonly open: (id: number, how: OpenHow) => void,
    private readonly leave: () => void,
  ) {
    root.addEventListener("keydown", (event) => {
      this.pressed(event);
    });
    root.addEventListener("click", (event) => {
      this.clicked(event);
    });
    root.addEventListener("dblclick", (event) => {
      this.opened(event, "open");
    });
  }

  get isEmpty(): boolean {
    return this.rows.length === 0;
  }

  show(files: readonly ShownFile[]): void {
    const hadFocus = this.root.contains(document.activeElement);
    const scrolled = document.documentElement.scrollTop;
    this.root.replaceChildren(...files.map((file) => this.group(file)));
    this.root.hidden = files.length === 0;
    this.rows = [...this.root.querySelectorAll<Row>("[role=treeitem]")];
    const kept = this.rows.find((row) => row.dataset["key"] === this.current) ?? this.rows[0];
    if (kept !== undefined) {
      this.choose(kept, hadFocus);
    }
    document.documentElement.scrollTop = scrolled;
  }

  focusFirst(): void {
    const [first] = this.rows.filter(isPlace);
    if (first !== undefined) {
      this.choose(first, true);
    }
  }

  /** Marks the place that was gone to from outside. */
  mark(id: number): void {
    const row = this.rows.find((candidate) => candidate.dataset["id"] === String(id));
    if (row === undefined) {
      return;
    }
    const group = row.closest<HTMLElement>(".file");
    if (group !== null) {
      this.setCollapsed(group, false);
    }
    this.choose(row, false);
    row.scrollIntoView({ block: "nearest" });
  }

  private group(file: ShownFile): HTMLElement {
    const group = element("div", "file");
    const name = file.path.split("/").at(-1) ?? file.path;
    const folder = file.path.slice(0, -name.length - 1);
    const heading = this.row("heading", `file:${file.path}`, 1);
    const count = file.places.length;
    heading.setAttribute(
      "aria-label",
      `${file.path}, ${count === 1 ? this.labels.one : this.labels.count.replace("{0}", String(count))}`,
    );
    heading.title = file.path;
    const twist = element("span", "twist codicon codicon-chevron-down");
    heading.append(
      twist,
      text("span", "name", name),
      text("span", "folder", folder),
      text("span", "badge", String(count)),
    );
    const places = element("div", "places");
    // The rows of the tree tell their levels themselves.
    group.setAttribute("role", "none");
    places.setAttribute("role", "none");
    const seen = new Map<string, number>();
    places.append(
      ...file.places.map((place) => {
        const base = `place:${file.path}:${place.name}`;
        const nth = seen.get(base) ?? 0;
        seen.set(base, nth + 1);
        return this.place(place, `${base}:${nth}`);
      }),
    );
    heading.dataset["path"] = file.path;
    group.append(heading, places);
    this.setCollapsed(group, this.collapsed.has(file.path));
    return group;
  }

  private place(place: ShownPlace, key: string): Row {
    const row = this.row("place", key, 2);
    row.dataset["id"] = String(place.id);
    const where = this.labels.line.replace("{0}", String(place.line + 1));
    const title = element("div", "title");
    title.append(
      element("span", `codicon codicon-${place.icon}`),
      text("span", "symbol", place.name),
      text("span", "where", `:${place.line + 1}`),
    );
    if (place.stale) {
      title.append(text("span", "stale", this.labels.stale));
    }
    if (place.shared !== "") {
      title.append(text("span", "shared", place.shared));
    }
    const code = element("div", "code");
    code.title = place.lines.map((line) => line.text).join("\n");
    code.append(...place.lines.map(lineOf));
    row.append(title, code);
    row.setAttribute(
      "aria-label",
      [place.name, where, ...(place.shared === "" ? [] : [place.shared]), place.lines.map((line) => line.text.trim()).join(" ")].join(", "),
    );
    return row;
  }

  private row(className: string, key: string, level: number): Row {
    const row = element("div", className);
    row.setAttribute("role", "treeitem");
    row.setAttribute("aria-level", String(level));
    row.tabIndex = -1;
    row.dataset["key"] = key;
    return row;
  }

  private choose(row: Row, focus: boolean): void {
    for (const other of this.rows) {
      other.tabIndex = other === row ? 0 : -1;
      other.classList.toggle("current", other === row);
      other.setAttribute("aria-selected", String(other === row));
    }
    this.current = row.dataset["key"] ?? "";
    if (focus) {
      row.focus();
    }
  }

  private pressed(event: KeyboardEvent): void {
    const row = rowOf(event);
    if (row === undefined) {
      return;
    }
    const id = row.dataset["id"];
    const group = row.closest<HTMLElement>(".file");
    const shown = this.rows.filter((candidate) => candidate.offsetParent !== null);
    const at = shown.indexOf(row);
    const actions: Readonly<Record<string, () => void>> = {
      ArrowDown: () => {
        this.move(shown[at + 1]);
      },
      ArrowUp: () => {
        if (at === 0) {
          this.leave();
        } else {
          this.move(shown[at - 1]);
        }
      },
      Home: () => {
        this.move(shown[0]);
      },
      End: () => {
        this.move(shown.at(-1));
      },
      ArrowLeft: () => {
        if (group !== null && id !== undefined) {
          this.move(group.querySelector<Row>(".heading") ?? undefined);
        } else if (group !== null) {
          this.setCollapsed(group, true);
        }
      },
      ArrowRight: () => {
        if (group !== null && id === undefined) {
          this.setCollapsed(group, false);
        }
      },
      Enter: () => {
        if (id === undefined) {
          this.toggle(group);
        } else {
          this.open(Number(id), event.ctrlKey || event.metaKey ? "beside" : "open");
        }
      },
      " ": () => {
        if (id === undefined) {
          this.toggle(group);
        } else {
          this.open(Number(id), "peek");
        }
      },
      Escape: () => {
        this.leave();
      },
    };
    const action = actions[event.key];
    if (action !== undefined && !event.altKey) {
      event.preventDefault();
      action();
    }
  }

  private clicked(event: MouseEvent): void {
    const row = rowOf(event);
    if (row === undefined) {
      return;
    }
    this.choose(row, true);
    if (isPlace(row)) {
      this.opened(event, event.ctrlKey || event.metaKey ? "beside" : "peek");
    } else {
      this.toggle(row.closest<HTMLElement>(".file"));
    }
  }

  private opened(event: Event, how: OpenHow): void {
    const id = rowOf(event)?.dataset["id"];
    if (id !== undefined) {
      this.open(Number(id), how);
    }
  }

  private move(row: Row | undefined): void {
    if (row !== undefined) {
      this.choose(row, true);
      row.scrollIntoView({ block: "nearest" });
    }
  }

  private toggle(group: HTMLElement | null): void {
    if (group !== null) {
      this.setCollapsed(group, !group.classList.contains("collapsed"));
    }
  }

  private setCollapsed(group: HTMLElement, collapsed: boolean): void {
    const heading = group.querySelector<Row>(".heading");
    const path = heading?.dataset["path"] ?? "";
    group.classList.toggle("collapsed", collapsed);
    heading?.setAttribute("aria-expanded", String(!collapsed));
    if (collapsed) {
      this.collapsed.add(path);
    } else {
      this.collapsed.delete(path);
    }
  }
}

function lineOf(line: ShownLine): HTMLElement {
  const row = element("div", "line");
  const content = element("span", "text");
  let from = 0;
  for (const [start, end] of line.marks) {
    content.append(line.text.slice(from, start), text("mark", "", line.text.slice(start, end)));
    from = end;
  }
  content.append(line.text.slice(from));
  row.append(text("span", "number", String(line.number + 1)), content);
  return row;
}

function rowOf(event: Event): Row | undefined {
  const target = event.target instanceof Element ? event.target.closest<Row>("[role=treeitem]") : null;
  return target ?? undefined;
}

function isPlace(row: Row): boolean {
  return row.dataset["id"] !== undefined;
}

function element(name: string, className: string): HTMLElement {
  const created = document.createElement(name);
  created.className = className;
  return created;
}

function text(name: string, className: string, content: string): HTMLElement {
  const created = element(name, className);
  created.textContent = content;
  return created;
}
