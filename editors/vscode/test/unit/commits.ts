/** A commit for tests. */
import type { Commit } from "../../src/protocol";

const PERSON = { name: "Ada Byron", email: "ada@example.org", time: 1_600_000_000, offset: 120 };

export function commitWith(change: Partial<Commit> = {}): Commit {
  return {
    id: "0123456789abcdef0123456789abcdef01234567",
    shortId: "0123456789",
    author: PERSON,
    committer: PERSON,
    summary: "Bound the cache",
    message: "Bound the cache\n\nWithout a bound it leaks.",
    parents: [],
    ...change,
  };
}
