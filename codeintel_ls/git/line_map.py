"""Which line of a committed text each line of an edited text is.

Lines are matched as git's blame matches them (`xdiff.py`); where that would take too long, between
lines that occur once on both sides (`anchors.py`). Invariant: only equal lines are mapped, each at
most once, in order; and the work is bounded whatever the texts are.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from attrs import frozen

from codeintel_ls.git.anchors import matches
from codeintel_ls.git.text import as_text
from codeintel_ls.git.xdiff import changes, unchanged


class Piece(NamedTuple):
    """Lines that follow one another in the new text, and in the old, if they stand there."""

    first: int
    length: int
    old_first: int | None


@frozen
class LineMap:
    """Runs of equal lines, in order: where each starts in the new text, in the old, how long."""

    new_starts: tuple[int, ...]
    old_starts: tuple[int, ...]
    lengths: tuple[int, ...]

    def map(self, new_line: int) -> int | None:
        """The old line that `new_line` is, or None for a line that is new or changed."""
        run = bisect_right(self.new_starts, new_line) - 1
        if run < 0:
            return None
        distance = new_line - self.new_starts[run]
        return self.old_starts[run] + distance if distance < self.lengths[run] else None

    def pieces(self, lines: range) -> Iterator[Piece]:
        """`lines` of the new text in order, as runs of what is old or new."""
        at, end = lines.start, lines.stop
        run = max(bisect_right(self.new_starts, at) - 1, 0)
        while at < end and run < len(self.lengths):
            start, old_start = self.new_starts[run], self.old_starts[run]
            if at < start:
                yield Piece(at, min(start, end) - at, None)
                at = start
            stop = min(start + self.lengths[run], end)
            if at < stop:
                yield Piece(at, stop - at, old_start + at - start)
                at = stop
            run += 1
        if at < end:
            yield Piece(at, end - at, None)

    @classmethod
    def between(cls, old: Sequence[str], new: Sequence[str]) -> "LineMap":
        """The map from lines of `new` to lines of `old`."""
        return cls.of_texts(old, as_text(old), new, as_text(new))

    @classmethod
    def of_texts(
        cls, old: Sequence[str], old_text: bytes, new: Sequence[str], new_text: bytes
    ) -> "LineMap":
        """As `between`, given also the texts whose lines they are, with ends."""
        found = changes(old_text, new_text)
        runs = _Runs()
        equal = unchanged(found, len(old)) if found is not None else matches(old, new)
        for old_line, new_line, length in equal:
            runs.add(old_line, new_line, length)
        return runs.line_map()


class _Runs:
    """Joins matches that continue each other."""

    def __init__(self) -> None:
        self.new_starts: list[int] = []
        self.old_starts: list[int] = []
        self.lengths: list[int] = []

    def add(self, old_line: int, new_line: int, length: int) -> None:
        if length == 0:
            return
        if self.lengths:
            reach = self.lengths[-1]
            continues = new_line == self.new_starts[-1] + reach
            if continues and old_line == self.old_starts[-1] + reach:
                self.lengths[-1] += length
                return
        self.new_starts.append(new_line)
        self.old_starts.append(old_line)
        self.lengths.append(length)

    def line_map(self) -> LineMap:
        """What was added."""
        return LineMap(tuple(self.new_starts), tuple(self.old_starts), tuple(self.lengths))
