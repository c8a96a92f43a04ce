"""Which line of a committed text each line of an edited text is.

Common ends are matched first; the rest by a shortest edit script (Myers, "An O(ND) Difference
Algorithm"), which is what git's blame does; where that would take too long, lines that occur once
on both sides anchor it, and the gaps are matched alone. Invariant: only equal lines are mapped,
each at most once, in order; and the work is bounded whatever the texts are.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from attrs import frozen

# Steps of the edit script search: some 10 ms in all.
_STEPS = 40_000
_STEPS_PER_GAP = 10_000

Pairs = list[tuple[int, int]]


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
        if old == new:
            return cls((0,), (0,), (len(new),))
        head, tail = _common_ends(old, new)
        middle = _matches(old[head : len(old) - tail], new[head : len(new) - tail])
        runs = _Runs()
        runs.add(0, 0, head)
        for old_line, new_line in middle:
            runs.add(head + old_line, head + new_line, 1)
        runs.add(len(old) - tail, len(new) - tail, tail)
        return cls(tuple(runs.new_starts), tuple(runs.old_starts), tuple(runs.lengths))


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


def _common_ends(old: Sequence[Hashable], new: Sequence[Hashable]) -> tuple[int, int]:
    """How many first and, beyond those, last items are equal."""
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def _matches(old: Sequence[str], new: Sequence[str]) -> Pairs:
    """Matching lines of two texts, as (old, new), in order."""
    numbers: dict[str, int] = {}
    old_numbers = [numbers.setdefault(line, len(numbers)) for line in old]
    new_numbers = [numbers.setdefault(line, len(numbers)) for line in new]
    return _Matcher().match(old_numbers, new_numbers)


class _Matcher:
    """Matches sequences of numbers within a budget of steps shared by all gaps."""

    def __init__(self) -> None:
        self._steps = _STEPS

    def match(self, old: list[int], new: list[int]) -> Pairs:
        # What occurs on one side only can match nothing, and costs the most steps.
        old_common, new_common = set(new), set(old)
        old_at = [line for line, item in enumerate(old) if item in old_common]
        new_at = [line for line, item in enumerate(new) if item in new_common]
        kept_old, kept_new = [old[line] for line in old_at], [new[line] for line in new_at]
        head, tail = _common_ends(kept_old, kept_new)
        pairs = [(line, line) for line in range(head)]
        inner = self._match_inner(
            kept_old[head : len(kept_old) - tail], kept_new[head : len(kept_new) - tail]
        )
        pairs += [(head + old_line, head + new_line) for old_line, new_line in inner]
        pairs += [(len(kept_old) - back, len(kept_new) - back) for back in range(tail, 0, -1)]
        return [(old_at[old_line], new_at[new_line]) for old_line, new_line in pairs]

    def _match_inner(self, old: list[int], new: list[int]) -> Pairs:
        if not old or not new:
            return []
        if self._steps <= 0:
            return _ascending(_same_occurrence(old, new))
        allowed = min(self._steps, max(self._steps // 2, _STEPS_PER_GAP))
        found, used = _shortest_edit(old, new, allowed)
        self._steps -= used
        if found is not None:
            return found
        anchors = _ascending(_unique_in_both(old, new))
        if not anchors:
            return _ascending(_same_occurrence(old, new))
        return self._between_anchors(old, new, anchors)

    def _between_anchors(self, old: list[int], new: list[int], anchors: Pairs) -> Pairs:
        pairs: Pairs = []
        old_from = new_from = 0
        for old_line, new_line in [*anchors, (len(old), len(new))]:
            gap = self.match(old[old_from:old_line], new[new_from:new_line])
            pairs += [(old_from + first, new_from + second) for first, second in gap]
            if old_line < len(old):
                pairs.append((old_line, new_line))
            old_from, new_from = old_line + 1, new_line + 1
        return pairs


def _shortest_edit(old: list[int], new: list[int], allowed: int) -> tuple[Pairs | None, int]:
    """Matches of a shortest edit script, or None if it takes more than `allowed` steps; steps."""
    old_count, new_count = len(old), len(new)
    reached = {1: 0}
    rounds: list[dict[int, int]] = []
    used = 0
    for edits in range(old_count + new_count + 1):
        rounds.append(reached)
        used += edits + 1
        if used > allowed:
            return None, used
        current: dict[int, int] = {}
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (
                diagonal != edits and reached[diagonal - 1] < reached[diagonal + 1]
            )
            x = reached[diagonal + 1] if down else reached[diagonal - 1] + 1
            y = x - diagonal
            while x < old_count and y < new_count and old[x] == new[y]:
                x += 1
                y += 1
            current[diagonal] = x
            if x >= old_count and y >= new_count:
                return _walk_back(rounds, old_count, new_count), used
        reached = current
    return [], used


def _walk_back(rounds: list[dict[int, int]], x: int, y: int) -> Pairs:
    """The matches on the way that `rounds` (what each count of edits had reached) found."""
    pairs: Pairs = []
    for edits in range(len(rounds) - 1, -1, -1):
        reached, diagonal = rounds[edits], x - y
        down = diagonal == -edits or (
            diagonal != edits and reached[diagonal - 1] < reached[diagonal + 1]
        )
        before = diagonal + 1 if down else diagonal - 1
        start = reached[before] if down else reached[before] + 1
        while x > start:
            x -= 1
            y -= 1
            pairs.append((x, y))
        x, y = (start, y - 1) if down else (start - 1, y)
    pairs.reverse()
    return pairs


def _unique_in_both(old: list[int], new: list[int]) -> Pairs:
    old_counts, new_counts = Counter(old), Counter(new)
    places = {item: line for line, item in enumerate(old) if old_counts[item] == 1}
    return [
        (places[item], line)
        for line, item in enumerate(new)
        if item in places and new_counts[item] == 1
    ]


def _same_occurrence(old: list[int], new: list[int]) -> Pairs:
    """The n-th of equal items here with the n-th there: crude, but never slow."""
    places = {occurrence: line for line, occurrence in enumerate(_occurrences(old))}
    return [
        (places[occurrence], line)
        for line, occurrence in enumerate(_occurrences(new))
        if occurrence in places
    ]


def _occurrences(items: list[int]) -> list[tuple[int, int]]:
    counts: Counter[int] = Counter()
    numbered: list[tuple[int, int]] = []
    for item in items:
        numbered.append((item, counts[item]))
        counts[item] += 1
    return numbered


def _ascending(candidates: Pairs) -> Pairs:
    """A longest part of `candidates` (in order of their new lines) whose old lines ascend too."""
    tops: list[int] = []
    top_candidates: list[int] = []
    before: list[int] = []
    for number, (old_line, _) in enumerate(candidates):
        pile = bisect_left(tops, old_line)
        before.append(top_candidates[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [old_line]
        top_candidates[pile : pile + 1] = [number]
    pairs: Pairs = []
    number = top_candidates[-1] if top_candidates else -1
    while number >= 0:
        pairs.append(candidates[number])
        number = before[number]
    pairs.reverse()
    return pairs
