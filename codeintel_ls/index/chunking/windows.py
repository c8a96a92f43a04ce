"""Runs of lines cut into windows of a good size, at the least harmful places.

Works on lines alone, so that it serves every language and every broken file. Invariant: the
windows of a run are contiguous, none is empty, and together they are the run.
"""

from bisect import bisect_right
from collections.abc import Collection
from itertools import accumulate

# A window's load is 1 at 40 lines, or at 2,000 characters where lines are long.
_LINE_LOAD = 1 / 40
_CHARACTER_LOAD = 1 / 2_000

_CLOSERS = (")", "]", "}", "end", "else", "elif", "except", "catch", "finally", "fi", "done", "</")
_COMMENT_STARTS = ("#", "//", "--", "*", "/*", "<!--", "%", ";;", "@")
_DEEPEST_COLUMN = 24
_COLUMN_COST = 0.25
_OUT_OF_STATEMENT_COST = 3.0
_CLOSER_COST = 5.0
_AFTER_COMMENT_COST = 4.0
_AFTER_BLANK_GAIN = 1.5
_OFF_GOAL_COST = 3.0


class Lines:
    """A text's lines with what measuring and cutting them needs. Never changes."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        loads = (max(_LINE_LOAD, len(line) * _CHARACTER_LOAD) for line in lines)
        self._load_before = list(accumulate(loads, initial=0.0))

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, row: int) -> str:
        return self._lines[row]

    def is_blank(self, row: int) -> bool:
        """Whether a line holds only white space."""
        line = self._lines[row]
        return not line or line.isspace()

    def load(self, start: int, end: int) -> float:
        """How full lines `start` to `end` (exclusive) would make a chunk: 1 is a good size."""
        return self._load_before[end] - self._load_before[start]

    def written(self, start: int, end: int) -> int:
        """How many of the lines are not blank."""
        return sum(not self.is_blank(row) for row in range(start, end))

    def reach(self, start: int, load: float) -> int:
        """The furthest exclusive end with which a chunk from `start` stays within `load`."""
        return bisect_right(self._load_before, self._load_before[start] + load) - 1

    def windows(
        self, start: int, end: int, limit: float, statements: Collection[int] = ()
    ) -> list[tuple[int, int]]:
        """Cut a run into windows with a load of about 1, none above 1.5 but single lines.

        A run within `limit` stays whole. `statements` are the rows where a statement starts:
        other rows are cut at unwillingly.
        """
        windows: list[tuple[int, int]] = []
        while self.load(start, end) > limit and end - start > 1:
            cut = self._best_cut(start, end, statements)
            windows.append((start, cut))
            start = cut
        windows.append((start, end))
        return windows

    def _best_cut(self, start: int, end: int, statements: Collection[int]) -> int:
        total = self.load(start, end)
        goal = total / max(2, round(total))
        nearest = max(start + 1, self.reach(start, goal * 0.5))
        furthest = min(end - 1, self.reach(start, goal * 1.5))
        if furthest <= nearest:
            return min(nearest, end - 1) if furthest < nearest else nearest
        return min(
            range(nearest, furthest + 1),
            key=lambda row: (
                self._cut_cost(row, statements)
                + _OFF_GOAL_COST * abs(self.load(start, row) / goal - 1)
            ),
        )

    def _cut_cost(self, row: int, statements: Collection[int]) -> float:
        """How much a cut before this line tears apart."""
        line = self._lines[row]
        code = line.lstrip()
        if not code:
            return _CLOSER_COST * 2
        tabs = line.count("\t", 0, len(line) - len(code))
        column = len(line) - len(code) + 3 * tabs
        cost = min(column, _DEEPEST_COLUMN) * _COLUMN_COST
        if statements and row not in statements and not code.startswith(_COMMENT_STARTS):
            cost += _OUT_OF_STATEMENT_COST
        if code.startswith(_CLOSERS):
            cost += _CLOSER_COST
        before = self._lines[row - 1].lstrip()
        if not before:
            cost -= _AFTER_BLANK_GAIN
        elif before.startswith(_COMMENT_STARTS):
            cost += _AFTER_COMMENT_COST
        return cost
