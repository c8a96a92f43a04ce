/** Where words and phrases of a search stand in a text. Knows no editor. */

export type Span = readonly [start: number, end: number];

const COMMON: ReadonlySet<string> = new Set(
  (
    "a an and are as at be by can do does for from has have how i if in into is it its of on or that the their this to was we what " +
    "when where which who why will with"
  ).split(" "),
);
const SHORTEST = 2;
const SHORTEST_STEM = 4;

/** What is worth to be marked: phrases whole, and the stems of words that mean something. */
export function termsOf(words: string, phrases: readonly string[]): RegExp | undefined {
  const stems = words
    .split(/[^\p{L}\p{N}_]+/u)
    .filter((word) => word.length >= SHORTEST && !COMMON.has(word.toLowerCase()))
    .map(stemOf);
  const parts = [
    ...phrases.map((phrase) => literal(phrase).replace(/\s+/g, "\\s+")),
    // To the end of the word: half a word looks like an accident.
    ...stems.map((stem) => `${literal(stem)}\\p{L}*`),
  ];
  // The longest first: an alternative that matches ends the choice.
  parts.sort((one, other) => other.length - one.length);
  return parts.length === 0 ? undefined : new RegExp([...new Set(parts)].join("|"), "giu");
}

export function spansIn(text: string, terms: RegExp | undefined): Span[] {
  if (terms === undefined) {
    return [];
  }
  const spans: [number, number][] = [];
  for (const { 0: found, index } of text.matchAll(terms)) {
    const last = spans.at(-1);
    if (last?.[1] === index) {
      last[1] += found.length;
    } else if (found !== "") {
      spans.push([index, index + found.length]);
    }
  }
  return spans;
}

/**
 * The number of the line that holds most of the terms. Where none holds any, it is the one that
 * names the symbol, or else the first.
 */
export function bestLine(lines: readonly string[], terms: RegExp | undefined, symbol = ""): number {
  let best = -1;
  let most = 0;
  for (const [number, line] of lines.entries()) {
    const found = new Set(Array.from(terms === undefined ? [] : line.matchAll(terms), ([term]) => term.toLowerCase()));
    if (found.size > most) {
      [best, most] = [number, found.size];
    }
  }
  const name = symbol.split(".").at(-1) ?? "";
  const named = best < 0 && name !== "" ? lines.findIndex((line) => line.includes(name)) : best;
  return Math.max(named, 0);
}

/** The line on which a phrase begins that stands in the text letter by letter, white space aside. */
export function lineOfPhrase(text: string, phrase: string): number | undefined {
  const pattern = phrase.trim().split(/\s+/).map(literal);
  // Who types a capital letter means it.
  const flags = phrase === phrase.toLowerCase() ? "iu" : "u";
  const found = new RegExp(pattern.join("\\s+"), flags).exec(text);
  return found === null ? undefined : text.slice(0, found.index).split("\n").length - 1;
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function stemOf(word: string): string {
  const short = word.replace(/(?:ies|ing|ed|es|s|y)$/i, "");
  return short.length >= SHORTEST_STEM ? short : word;
}
