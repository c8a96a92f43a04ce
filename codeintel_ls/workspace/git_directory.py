"""What the files of a git directory say by themselves.

They tell where the repository stands, and whether git is at work on it: nothing here runs git.
"""

import os
import time
from typing import Final

from codeintel_ls.workspace.event_sources import WatchedTree

_HEAD_FILES: Final = frozenset({"HEAD", "index", "packed-refs"})
_REF_DIRECTORIES: Final = ("refs", "reftable")
# The log of HEAD grows with every commit, also where the branch's own file is what changes.
_TELLING_FILES: Final = ("HEAD", "index", "packed-refs", "logs/HEAD", "reftable/tables.list")
_LOCK: Final = "index.lock"


def head_tree(directory: str) -> WatchedTree:
    """The parts of a git directory that change when HEAD, a ref or the index does."""

    def skips(path: str) -> bool:
        relative = path[len(directory) + 1 :].replace(os.sep, "/")
        return relative.partition("/")[0] not in _REF_DIRECTORIES

    return WatchedTree(root=directory, skips=skips)


def is_head_file(relative: str) -> bool:
    """Whether this file of a git directory is HEAD, the index or part of a ref."""
    if relative.endswith(".lock"):
        return False
    return relative in _HEAD_FILES or relative.startswith(
        tuple(f"{directory}/" for directory in _REF_DIRECTORIES)
    )


def head_stamp(directory: str) -> tuple[tuple[int, int, int] | None, ...]:
    """Differs from an earlier one when HEAD has moved or the index was written since."""
    return tuple(_stamp(os.path.join(directory, name)) for name in _TELLING_FILES)  # noqa: PTH118 (hot)


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 (hot)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class IndexLock:
    """`index.lock`, which git holds while it writes the files of a work tree.

    It does so from before the first to after the last of them, in a checkout, a reset, a merge, a
    stash and each step of a rebase.
    """

    def __init__(self, directory: str, longest: float) -> None:
        """A lock older than `longest` seconds is none: a git that was killed left it behind."""
        self._path = os.path.join(directory, _LOCK)  # noqa: PTH118 (a str like all paths here)
        self._longest = longest

    def is_held(self) -> bool:
        """Whether git is at work on the files of the work tree now."""
        try:
            age = time.time() - os.stat(self._path).st_mtime  # noqa: PTH116
        except OSError:
            return False
        # One from the future has a clock that cannot be compared.
        return 0 <= age < self._longest
