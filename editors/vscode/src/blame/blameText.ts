/** Commits in words: dates, and the text at a line's end as the settings word it. Knows no editor. */
import type { Commit, Person } from "../protocol";

export type DateFormat = "relative" | "iso";

const DAY = 24 * 60 * 60;
const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 365 * DAY],
  ["month", 30 * DAY],
  ["week", 7 * DAY],
  ["day", DAY],
  ["hour", 60 * 60],
  ["minute", 60],
];
const LONGEST_SUMMARY = 72;
const LONGEST_TEXT = 200;

/** `time` as seen from `now` (both in Unix seconds): `3 days ago`. */
export function relativeDate(time: number, now: number, locale: string): string {
  const age = Math.trunc(now) - time;
  for (const [unit, seconds] of STEPS) {
    const number = Math.floor(Math.abs(age) / seconds);
    if (number > 0) {
      return new Intl.RelativeTimeFormat(locale, { numeric: "always" }).format(age > 0 ? -number : number, unit);
    }
  }
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(0, "second");
}

/** The day as the author's calendar had it. */
export function isoDate({ time, offset }: Person): string {
  const date = new Date((time + offset * 60) * 1000);
  // Commits may claim any number as their time.
  return Number.isNaN(date.getTime()) ? "1970-01-01" : date.toISOString().slice(0, 10);
}

export function dateText(person: Person, format: DateFormat, now: number, locale: string): string {
  return format === "iso" ? isoDate(person) : relativeDate(person.time, now, locale);
}

/** A commit in the template of `codeintel.blame.format`, in one line. */
export function oneLine(commit: Commit, template: string, date: string): string {
  const values: Readonly<Record<string, string>> = {
    author: commit.author.name,
    email: commit.author.email,
    date,
    summary: cut(commit.summary, LONGEST_SUMMARY),
    id: commit.shortId,
  };
  const text = template.replace(/\{\{|\}\}|\{(\w+)\}/g, (found, name: string | undefined) =>
    name === undefined ? found.slice(1) : (values[name] ?? found),
  );
  return cut(text.split(/\s+/).join(" ").trim(), LONGEST_TEXT);
}

/** What a message says beyond its first line. */
export function bodyOf(commit: Commit): string {
  const message = commit.message.trim();
  return (message.startsWith(commit.summary) ? message.slice(commit.summary.length) : message).trim();
}

export function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length).trimEnd()}…`;
}
