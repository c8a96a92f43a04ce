/**
 * The text of a search as people type it: words, "exact phrases" and filters such as `lang:py`.
 *
 * Knows no editor and no server. Invariant: every text means something; what is wrong or not
 * finished in it is told in `problems`, and the rest still holds.
 */
import { languageIds } from "./languageNames";

export type Mode = "hybrid" | "semantic" | "lexical";

export interface QueryProblem {
  readonly filter: string;
  readonly value: string;
}

export interface Query {
  /** What is asked, without filters and without quotes. */
  readonly words: string;
  /** The same with its phrases in quotes, which the server puts first. */
  readonly quoted: string;
  /** What a result has to hold letter by letter. */
  readonly phrases: readonly string[];
  readonly languages: readonly string[];
  /** Patterns of paths in gitignore's syntax; `!` excludes. */
  readonly globs: readonly string[];
  readonly author: string | undefined;
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly mode: Mode | undefined;
  readonly problems: readonly QueryProblem[];
}

interface Token {
  readonly excludes: boolean;
  readonly filter: string | undefined;
  readonly value: string;
  readonly quoted: boolean;
}

const TOKEN = /\s*(?:(-?)([A-Za-z]+):(?=\S)|)(?:"((?:[^"\\]|\\.)*)(?:"|$)|(\S+))/gy;
const DATE = /^(?:\d{1,6}(?:h|d|w|mo|y)|\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?)$/i;
const MODES: readonly Mode[] = ["hybrid", "semantic", "lexical"];
const NAMES: Readonly<Record<string, string>> = {
  lang: "lang",
  language: "lang",
  path: "path",
  file: "path",
  author: "author",
  since: "since",
  after: "since",
  until: "until",
  before: "until",
  mode: "mode",
};

export function parseQuery(text: string): Query {
  const words: string[] = [];
  const quoted: string[] = [];
  const phrases: string[] = [];
  const languages: string[] = [];
  const globs: string[] = [];
  const problems: QueryProblem[] = [];
  const last: Record<string, string> = {};
  for (const token of tokens(text)) {
    const { filter, value } = token;
    switch (filter) {
      case undefined:
        words.push(value);
        // The server's quotes know no backslash, and pair up with any other.
        quoted.push(token.quoted && !value.includes('"') ? `"${value}"` : value.replace(/"/g, " "));
        if (token.quoted) {
          phrases.push(value);
        }
        break;
      case "lang":
        languages.push(
          ...value
            .split(",")
            .filter((name) => name !== "")
            .flatMap(languageIds),
        );
        break;
      case "path":
        globs.push((token.excludes ? "!" : "") + value);
        break;
      case "author":
        last[filter] = value;
        break;
      default:
        if (filter === "mode" ? isMode(value) : DATE.test(value)) {
          last[filter] = value;
        } else {
          problems.push({ filter, value });
        }
    }
  }
  const mode = last["mode"];
  return {
    words: words.join(" "),
    quoted: quoted.join(" "),
    phrases,
    languages: [...new Set(languages)],
    globs,
    author: last["author"],
    since: last["since"],
    until: last["until"],
    mode: mode !== undefined && isMode(mode) ? mode : undefined,
    problems,
  };
}

/** A value as it is written behind `filter:`, in quotes where it needs them. */
export function written(filter: string, value: string): string {
  return /[\s"]/.test(value) ? `${filter}:"${value.replace(/["\\]/g, "\\$&")}"` : `${filter}:${value}`;
}

function isMode(value: string): value is Mode {
  return (MODES as readonly string[]).includes(value);
}

function* tokens(text: string): Generator<Token> {
  const pattern = new RegExp(TOKEN);
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const [, minus = "", name, quoted, bare] = found;
    const value = quoted === undefined ? (bare ?? "") : quoted.replace(/\\(.)/g, "$1");
    const filter = name === undefined ? undefined : NAMES[name.toLowerCase()];
    const known = filter !== undefined && (minus === "" || filter === "path");
    if (known && value !== "") {
      yield { excludes: minus !== "", filter, value, quoted: false };
    } else if (!known && name !== undefined) {
      // `std::vector`, `http://…` and the like are words.
      yield { excludes: false, filter: undefined, value: `${minus}${name}:${value}`, quoted: false };
    } else if (value !== "" && !isUnfinished(value)) {
      yield { excludes: false, filter: undefined, value, quoted: quoted !== undefined };
    }
  }
}

/** `lang:` while its value is not there yet. */
function isUnfinished(word: string): boolean {
  const name = /^-?([A-Za-z]+):$/.exec(word)?.[1];
  return name !== undefined && Object.hasOwn(NAMES, name.toLowerCase());
}
