"""The lines of two texts that match, where both are too large to be compared whole.

Lines that occur once on both sides anchor the rest (as in Bram Cohen's patience diff); each gap
between two anchors is compared as git would compare it alone, or crudely if it is too large, too.
Invariant: matches ascend on both sides, and the work is bounded whatever the texts are.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from codeintel_ls.git.text import as_text
from codeintel_ls.git.xdiff import changes, unchanged

_MOST_GAPS_COMPARED: Final = 500

Pairs = list[tuple[int, int]]
# The first line in the old text, in the new, and how many match from there on.
Run = tuple[int, int, int]


def matches(old: Sequence[str], new: Sequence[str]) -> Iterator[Run]:
    """Runs of matching lines, in order; some have no line."""
    compared = 0
    old_from = new_from = 0
    for old_line, new_line in [*_ascending(_unique_in_both(old, new)), (len(old), len(new))]:
        gaps = old[old_from:old_line], new[new_from:new_line]
        # What is empty on one side, or equal, is quickly told.
        compared += gaps[0] != gaps[1] and all(gaps)
        for old_at, new_at, length in _in_gap(*gaps, exactly=compared <= _MOST_GAPS_COMPARED):
            yield old_from + old_at, new_from + new_at, length
        if old_line < len(old):
            yield old_line, new_line, 1
        old_from, new_from = old_line + 1, new_line + 1


def _in_gap(old: Sequence[str], new: Sequence[str], *, exactly: bool) -> Iterator[Run]:
    if old == new:
        yield 0, 0, len(old)
    elif old and new:
        found = changes(as_text(old), as_text(new)) if exactly else None
        if found is not None:
            yield from unchanged(found, len(old))
        else:
            for old_line, new_line in _ascending(_same_occurrence(old, new)):
                yield old_line, new_line, 1


def _unique_in_both(old: Sequence[str], new: Sequence[str]) -> Pairs:
    old_counts, new_counts = Counter(old), Counter(new)
    places = {item: line for line, item in enumerate(old) if old_counts[item] == 1}
    return [
        (places[item], line)
        for line, item in enumerate(new)
        if item in places and new_counts[item] == 1
    ]


def _same_occurrence(old: Sequence[str], new: Sequence[str]) -> Pairs:
    """The n-th of equal items here with the n-th there: crude, but never slow."""
    places = {occurrence: line for line, occurrence in enumerate(_occurrences(old))}
    return [
        (places[occurrence], line)
        for line, occurrence in enumerate(_occurrences(new))
        if occurrence in places
    ]


def _occurrences(items: Sequence[str]) -> list[tuple[str, int]]:
    counts: Counter[str] = Counter()
    numbered: list[tuple[str, int]] = []
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
