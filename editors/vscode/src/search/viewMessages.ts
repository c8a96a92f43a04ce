/** What the search view and the extension say to one another. Knows no editor and no page. */

export interface Filters {
  readonly languages: string;
  readonly paths: string;
  readonly author: string;
  readonly since: string;
  readonly until: string;
  readonly mode: string;
}

export const NO_FILTERS: Filters = { languages: "", paths: "", author: "", since: "", until: "", mode: "" };

export interface ShownLine {
  readonly number: number;
  readonly text: string;
  readonly marks: readonly (readonly [start: number, end: number])[];
}

export interface ShownPlace {
  readonly id: number;
  readonly line: number;
  /** The symbol, or the first words of a place that belongs to none. */
  readonly name: string;
  readonly icon: string;
  readonly stale: boolean;
  /** What it has in common with the code that it is similar to. */
  readonly shared: string;
  readonly lines: readonly ShownLine[];
}

export interface ShownFile {
  readonly path: string;
  readonly places: readonly ShownPlace[];
}

/** What is shown of a search. */
export interface ShownResults {
  readonly files: readonly ShownFile[];
  /** How many there are, or why there are none. */
  readonly summary: string;
  /** What else a person should know of them. */
  readonly warnings: readonly string[];
  /** Code like this is shown, rather than what the box asks for. */
  readonly similarTo: string | undefined;
  readonly busy: boolean;
}

export type ToView =
  /** What the box holds, from whoever has heard of question number `heard` and none since. */
  | { readonly type: "box"; readonly text: string; readonly filters: Filters; readonly heard: number }
  | { readonly type: "results"; readonly results: ShownResults }
  | { readonly type: "busy" }
  | { readonly type: "current"; readonly id: number }
  | { readonly type: "focusBox"; readonly select: boolean };

export type OpenHow = "peek" | "open" | "beside";

export type FromView =
  | { readonly type: "ready"; readonly asked: number }
  | { readonly type: "search"; readonly text: string; readonly filters: Filters; readonly number: number }
  | { readonly type: "open"; readonly id: number; readonly how: OpenHow };
