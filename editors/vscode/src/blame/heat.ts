/** How old lines are, in steps: 1 for the newest of a file, `HEATS` for its oldest. Knows no editor. */

export const HEATS = 7;

/**
 * The heat of each time. What counts is the rank among the times of the file: a file that nobody
 * has touched for years would be of one colour otherwise.
 */
export function heats(times: readonly number[]): ReadonlyMap<number, number> {
  const newestFirst = [...new Set(times)].sort((one, other) => other - one);
  const most = Math.max(newestFirst.length - 1, 1);
  return new Map(newestFirst.map((time, rank) => [time, 1 + Math.round((rank * (HEATS - 1)) / most)]));
}
