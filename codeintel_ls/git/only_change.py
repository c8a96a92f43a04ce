"""The one place in which two versions of a file differ, where every diff finds the same.

git compares lines with their ends, cuts what is equal at both ends of two files, matches what is
left, and slides an inserted or deleted block up or down where it could as well stand elsewhere
(xdl_trim_ends, xdl_do_diff and xdl_change_compact in its xdiff). Invariant: a place is told only if
nothing in it can be matched, and it can slide nowhere, so that git has no choice.
"""

from typing import NamedTuple


class Change(NamedTuple):
    """Lines `old_first` to `old_end` became `new_first` to `new_end` (0-based, exclusive)."""

    old_first: int
    old_end: int
    new_first: int
    new_end: int


def only_change(old: bytes, new: bytes) -> Change | None:
    """The only place in which `old` and `new` differ; None where git might see it otherwise."""
    start, tail = common_ends(old, new)
    gone, come = (_lines(text[start : len(text) - tail]) for text in (old, new))
    if not (gone or come) or not set(gone).isdisjoint(come):
        return None
    before = old[old.rfind(b"\n", 0, max(start - 1, 0)) + 1 : start]
    after = old[len(old) - tail :].partition(b"\n")
    around = (before, b"".join(after[:2]))
    for lines in (gone, come):
        if lines and (lines[-1] == around[0] or lines[0] == around[1]):
            return None
    first = old.count(b"\n", 0, start)
    return Change(first, first + len(gone), first, first + len(come))


def common_ends(old: bytes, new: bytes) -> tuple[int, int]:
    """How many bytes of whole lines are equal at the start and, beyond those, at the end."""
    start = _common_start(old, new)
    return start, _common_tail(old[start:], new[start:])


def _common_start(old: bytes, new: bytes) -> int:
    """How many bytes of whole lines are equal at the start."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return old.rfind(b"\n", 0, low) + 1


def _common_tail(old: bytes, new: bytes) -> int:
    """How many bytes of whole lines are equal at the end; both texts begin with a line."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old.endswith(new[len(new) - middle : len(new) - low], 0, len(old) - low):
            low = middle
        else:
            high = middle - 1
    if _begins_line(old, len(old) - low) and _begins_line(new, len(new) - low):
        return low
    end = old.find(b"\n", len(old) - low)
    return len(old) - end - 1 if end >= 0 else 0


def _begins_line(text: bytes, at: int) -> bool:
    return at == 0 or text[at - 1 : at] == b"\n"


def _lines(text: bytes) -> list[bytes]:
    """The lines of `text` with their ends; LF alone ends one."""
    lines = [line + b"\n" for line in text.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines
