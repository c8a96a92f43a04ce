"""How long requests took, by operation: histograms with fixed bounds, for as long as we run.

Invariant: it takes the same memory however many requests there were.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from attrs import define, field

_BOUNDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000)
"""Upper bounds in milliseconds; what took longer is in one more."""


@define(eq=False)
class _Histogram:
    counts: list[int] = field(factory=lambda: [0] * (len(_BOUNDS) + 1))
    total: int = 0
    refused: int = 0
    longest: float = 0.0

    def add(self, milliseconds: float, *, refused: bool) -> None:
        self.counts[bisect_left(_BOUNDS, milliseconds)] += 1
        self.total += 1
        self.refused += refused
        self.longest = max(self.longest, milliseconds)

    def below(self, share: float) -> str:
        """The bound below which such a share of the requests lies."""
        seen = 0
        for bound, count in zip(_BOUNDS, self.counts, strict=False):
            seen += count
            if seen >= share * self.total:
                return f"≤ {bound:,} ms"
        return f"> {_BOUNDS[-1]:,} ms"


class Latencies:
    """Of all sessions of one process. Used on its event loop."""

    def __init__(self) -> None:
        self._operations: dict[str, _Histogram] = {}

    def add(self, operation: str, seconds: float, *, refused: bool) -> None:
        """One more request was answered; `refused` is one that ended with an error."""
        histogram = self._operations.setdefault(operation, _Histogram())
        histogram.add(seconds * 1000, refused=refused)

    def describe(self) -> Iterator[str]:
        """A line for each operation, in the order of their names."""
        for name, one in sorted(self._operations.items()):
            yield (
                f"latency {name}: {one.total:,} answered, half {one.below(0.5)}, "
                f"95 % {one.below(0.95)}, longest {one.longest:,.1f} ms, "
                f"{one.refused:,} with an error"
            )
