"""Candidates beyond the first ones, for whoever pages on.

Invariant: what comes first depends on the question alone, never on how much of it is looked at. So
the pages of one answer neither repeat a place nor leave one out.
"""

from collections.abc import Callable, Iterator, Sequence
from math import inf

from codeintel_ls.search.ranking import Candidate


def in_growing_pools(
    ranked: Sequence[Candidate],
    pool: int,
    more: Callable[[int], Sequence[Candidate]],
    most: int,
) -> Iterator[Candidate]:
    """`ranked`, then what `more` ranks in pools twice and four times as large, up to `most`.

    `pool` is the number of candidates of each list that `ranked` comes from. Ends with a pool that
    brings nothing new. Scores never rise from one candidate to the next.
    """
    told: set[int] = set()
    least = inf
    while True:
        new = [candidate for candidate in ranked if candidate.chunk.chunk_id not in told]
        if not new:
            return
        for candidate in new:
            least = min(least, candidate.score)
            yield candidate._replace(score=least)
        told.update(candidate.chunk.chunk_id for candidate in new)
        pool *= 2
        if pool > most:
            return
        ranked = more(pool)
