"""Times and what they come to: percentiles, rows, ratios, goals.

Invariant: a subject and its peer are timed in turns in one run, so that whatever else the machine
does falls on both.
"""

import inspect
import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from attrs import frozen

T = TypeVar("T")

MILLISECONDS = "ms"
SECONDS = "s"
_PER_SECOND = {MILLISECONDS: 1000.0, SECONDS: 1.0}


FEWEST_FOR_P95 = 20
"""Of fewer values the 95th percentile is little else than the largest of them."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie, linear between neighbours."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def p95_of(values: Sequence[float]) -> float | None:
    """The 95th percentile, where there are enough values for one."""
    return percentile(values, 0.95) if len(values) >= FEWEST_FOR_P95 else None


async def in_turn(
    items: Sequence[T], *works: Callable[[T], object], unit: str = MILLISECONDS, block: int = 1
) -> list[tuple[float, ...]]:
    """For each work its times over `items`: A B A B. A work may be a coroutine function.

    `block`: so many items in a row for each, where one work would empty the processor's caches
    for the other.
    """
    times: list[list[float]] = [[] for _ in works]
    for start in range(0, len(items), block):
        for work, its_times in zip(works, times, strict=True):
            for item in items[start : start + block]:
                started = time.perf_counter()
                done = work(item)
                if inspect.isawaitable(done):
                    await done
                its_times.append((time.perf_counter() - started) * _PER_SECOND[unit])
    return [tuple(its_times) for its_times in times]


@frozen
class Goal:
    """A bound on one figure of a row: `p95 ≤ 50`, or `ratio ≤ 0.35`; `max` for few values."""

    of: Literal["p50", "p95", "max", "ratio"]
    at_most: float

    def __str__(self) -> str:
        return f"{self.of} ≤ {self.at_most:g}"


@frozen(kw_only=True)
class Row:
    """The times of one thing, and of its peer where there is one.

    `ratio_of` says what is divided: each pair (both have as many values, the median counts), or
    the 95th percentiles of two series. `on` is what it was measured on; `note` is for a person.
    """

    name: str
    values: Sequence[float]
    unit: str = MILLISECONDS
    on: str = ""
    peer: str = ""
    peer_values: Sequence[float] = ()
    ratio_of: Literal["pairs", "p95"] = "pairs"
    goal: Goal | None = None
    note: str = ""

    @property
    def p50(self) -> float | None:
        """The median."""
        return percentile(self.values, 0.5) if self.values else None

    @property
    def p95(self) -> float | None:
        """See `p95_of`."""
        return p95_of(self.values)

    @property
    def peer_p50(self) -> float | None:
        """The peer's median."""
        return percentile(self.peer_values, 0.5) if self.peer_values else None

    @property
    def peer_p95(self) -> float | None:
        """The peer's."""
        return p95_of(self.peer_values)

    @property
    def ratios(self) -> list[float]:
        """The subject's time as a share of its peer's: below 1 is faster."""
        if not self.values or not self.peer_values:
            return []
        if self.ratio_of == "p95":
            own, others = self.p95, self.peer_p95
            return [] if own is None or others is None else [own / others]
        return [
            own / others
            for own, others in zip(self.values, self.peer_values, strict=True)
            if others
        ]

    @property
    def ratio(self) -> float | None:
        """The median of `ratios`."""
        return statistics.median(self.ratios) if self.ratios else None

    @property
    def worst_ratio(self) -> float | None:
        """The largest of `ratios`, where there are several."""
        return max(self.ratios) if len(self.ratios) > 1 else None

    @property
    def reached(self) -> bool | None:
        """Whether the goal was met; None where there is none, or nothing to compare."""
        if self.goal is None:
            return None
        figure = {
            "p50": self.p50,
            "p95": self.p95,
            "max": max(self.values, default=None),
            "ratio": self.ratio,
        }[self.goal.of]
        return None if figure is None else figure <= self.goal.at_most
