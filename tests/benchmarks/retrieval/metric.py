"""NDCG@10 with binary gain, and recall: pure arithmetic over places and targets.

Lines are 1-based and inclusive; paths are relative to the repository, with `/`.
"""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from attrs import frozen

DEPTH = 10


@frozen(kw_only=True)
class Target:
    """An answer: a file, or some lines of it.

    `whole_path` says that the path is the repository's own; otherwise it may be any end of it.
    """

    path: str
    first_line: int | None = None
    last_line: int | None = None
    whole_path: bool = False


class Place(NamedTuple):
    """Where a result lies."""

    path: str
    first_line: int
    last_line: int


class Estimate(NamedTuple):
    """A mean and its standard error; None where there are fewer than two values."""

    mean: float
    error: float | None


def is_hit(place: Place, target: Target) -> bool:
    """Whether the place lies in the target's file and, where that has lines, overlaps them."""
    same = place.path == target.path or (
        not target.whole_path and place.path.endswith(f"/{target.path}")
    )
    if not same or target.first_line is None or target.last_line is None:
        return same
    return place.first_line <= target.last_line and target.first_line <= place.last_line


def hit_ranks(places: Sequence[Place], targets: Sequence[Target]) -> tuple[int | None, ...]:
    """For each target the first rank, from 1, whose place hits it; None where none does."""
    return tuple(
        next((rank for rank, place in enumerate(places, 1) if is_hit(place, target)), None)
        for target in targets
    )


def ndcg(ranks: Sequence[int | None], depth: int = DEPTH) -> float:
    """The discounted gain of the targets' ranks, as a share of the best possible.

    Targets that are hit at one rank count once. Raises ValueError without targets.
    """
    if not ranks:
        raise ValueError("A question without answers has no score.")
    found = {rank for rank in ranks if rank is not None and rank <= depth}
    ideal = range(1, min(depth, len(ranks)) + 1)
    return math.fsum(map(_gain, found)) / math.fsum(map(_gain, ideal))


def count_within(ranks: Sequence[int | None], depth: int) -> int:
    """How many of the targets are hit at `depth` or before."""
    return sum(rank is not None and rank <= depth for rank in ranks)


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of independent values, and how far it may be trusted."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return Estimate(statistics.fmean(values), error)


def _gain(rank: int) -> float:
    return 1 / math.log2(rank + 1)
