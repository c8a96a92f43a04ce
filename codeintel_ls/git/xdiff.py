"""The changes between two texts as git's blame sees them.

Which of several equal lines is the new one is a matter of git's own diff (xdiff: Myers' algorithm
with shortcuts, then blocks slid to where a reader expects them), so its implementation in libgit2
is asked, on what git's blame would give it. Invariant: what is told is what `git blame` finds with
git's default algorithm, or nothing is told.
"""

import importlib
from collections.abc import Iterable, Iterator
from typing import Final

from codeintel_ls.git.only_change import Change, common_ends, only_change

# The library keeps all threads waiting: some 20 ms with this much to read, or to match.
_MOST_BYTES: Final = 2_000_000
_MOST_LINES: Final = 10_000

_LIBRARY: Final = "pygit2"

_BLOCK: Final = 1024


def changes(old: bytes, new: bytes) -> list[Change] | None:
    """All places in which `new` differs from `old`, in order; None if they are too large."""
    if old == new:
        return []
    only = only_change(old, new)
    if only is not None:
        return [only]
    head, tail = common_ends(old, new)
    if len(old) + len(new) > _MOST_BYTES or any(
        text.count(b"\n", head, len(text) - tail) > _MOST_LINES for text in (old, new)
    ):
        return None
    return _asked(*_without_common_tail(old, new))


def prepare() -> None:
    """Load what comparing needs, so that the first edit need not wait for it."""
    importlib.import_module(_LIBRARY)


def unchanged(found: Iterable[Change], old_count: int) -> Iterator[tuple[int, int, int]]:
    """The runs of lines beside changes: the first of each in the old text, in the new, how many."""
    old_at = new_at = 0
    for change in found:
        yield old_at, new_at, change.old_first - old_at
        old_at, new_at = change.old_end, change.new_end
    yield old_at, new_at, old_count - old_at


def _without_common_tail(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """What git compares where nobody wants to see the lines around a change.

    It leaves out blocks of 1,024 bytes that are equal at the end, but for the rest of the line that
    the first of them begins in. That matters, as blocks cannot slide into what is left out
    (trim_common_tail in git's xdiff-interface.c).
    """
    low, high = 0, min(len(old), len(new)) // _BLOCK
    while low < high:
        middle = (low + high + 1) // 2
        if old.endswith(new[len(new) - middle * _BLOCK :]):
            low = middle
        else:
            high = middle - 1
    cut = low * _BLOCK
    line_end = old.find(b"\n", len(old) - cut)
    if line_end < 0:
        return old, new
    left_out = len(old) - line_end - 1
    return old[: len(old) - left_out], new[: len(new) - left_out]


def _asked(old: bytes, new: bytes) -> list[Change]:
    # Importing it takes longer than most comparisons, and few processes make any.
    import pygit2
    from pygit2.enums import DiffOption

    patch = pygit2.Patch.create_from(
        old,
        new,
        flag=DiffOption.INDENT_HEURISTIC | DiffOption.FORCE_TEXT,
        context_lines=0,
        interhunk_lines=0,
    )
    found: list[Change] = []
    for hunk in patch.hunks:
        # A side without lines is told by the line before it.
        old_first = hunk.old_start - (hunk.old_lines > 0)
        new_first = hunk.new_start - (hunk.new_lines > 0)
        found.append(
            Change(old_first, old_first + hunk.old_lines, new_first, new_first + hunk.new_lines)
        )
    return found
