/** Which commits a filter lets through: words and filters as the search has them. Knows no editor. */
import type { Commit } from "../protocol";
import type { Query } from "../search/queryText";

const UNITS: Readonly<Record<string, number>> = { h: 3_600, d: 86_400, w: 604_800, mo: 2_592_000, y: 31_536_000 };

/** Whether a commit has all words and phrases in its message, id or paths, and meets the filters. */
export function passes(commit: Commit, paths: readonly string[], query: Query, now: number): boolean {
  const { author } = commit;
  const who = `${author.name} ${author.email}`.toLowerCase();
  const text = [commit.id, who, commit.message, ...paths].join("\n").toLowerCase();
  const wanted = [...query.phrases, ...withoutPhrases(query)].map((word) => word.toLowerCase());
  const since = momentOf(query.since, now);
  const until = momentOf(query.until, now);
  return (
    wanted.every((word) => text.includes(word)) &&
    (query.author === undefined || who.includes(query.author.toLowerCase())) &&
    (since === undefined || author.time >= since) &&
    (until === undefined || author.time < until)
  );
}

/** Unix seconds of a date or an age as the server understands them. */
export function momentOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  const age = /^(\d+)(h|d|w|mo|y)$/i.exec(text);
  if (age !== null) {
    return now - Number(age[1]) * (UNITS[age[2]?.toLowerCase() ?? ""] ?? 0);
  }
  // A date alone means its first moment here, not in Greenwich.
  const time = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text);
  return Number.isNaN(time) ? undefined : time / 1000;
}

function withoutPhrases(query: Query): string[] {
  let words = query.words;
  for (const phrase of query.phrases) {
    words = words.replace(phrase, " ");
  }
  return words.split(/\s+/).filter((word) => word !== "");
}
