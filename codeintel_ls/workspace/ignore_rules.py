"""Ignore files in every directory of a tree, as gitignore(5) combines them.

Invariant: reading them follows no link, waits for nothing and is bounded; an ignore file that
cannot be read counts as if it were not there.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from codeintel_ls.gitignore import IgnoreList

_LARGEST: Final = 1 << 18


_NO_RULES: Final = IgnoreList(())


@frozen
class _Placed:
    """An ignore list and how long the path of its directory is, with the slash."""

    start: int
    rules: IgnoreList


_Lists = tuple[_Placed, ...] | None
"""What holds in a directory, the weakest first; None: the directory itself is ignored."""


class IgnoreRules:
    """The ignore files called `file_names` below `root`, the later name the stronger.

    `weaker` lists hold for the whole tree where no file says otherwise. With `per_repository`
    the rules begin anew in a directory that holds a `.git`, as they do for git. What was read is
    remembered: make a new object when an ignore file changes.
    """

    def __init__(
        self,
        root: Path,
        file_names: Sequence[str] = (),
        *,
        weaker: Sequence[IgnoreList] = (),
        per_repository: bool = False,
    ) -> None:
        self._root = str(root)
        self._file_names = tuple(file_names)
        self._per_repository = per_repository
        everywhere = tuple(_Placed(0, rules) for rules in weaker if rules)
        self._known: dict[str, _Lists] = {"": everywhere + self._read("")}

    def ignores(self, path: str) -> bool:
        """Whether a file (a path relative to `root` with `/`) is ignored."""
        lists = self._lists(path.rpartition("/")[0])
        return lists is None or (bool(lists) and _verdict(lists, path, is_directory=False))

    def ignores_directory(self, path: str) -> bool:
        """Whether a directory, and with it all that lies in it, is ignored."""
        return self._lists(path) is None

    def _lists(self, directory: str) -> _Lists:
        if directory in self._known:
            return self._known[directory]
        lists = self._known[""]
        for ancestor in with_ancestors(directory):
            if ancestor not in self._known:
                self._known[ancestor] = self._entered(ancestor, lists)
            lists = self._known[ancestor]
        return lists

    def _entered(self, directory: str, outside: _Lists) -> _Lists:
        if outside is None or _verdict(outside, directory, is_directory=True):
            return None
        if self._per_repository and os.path.lexists(f"{self._root}/{directory}/.git"):
            outside = ()
        return outside + self._read(directory)

    def _read(self, directory: str) -> tuple[_Placed, ...]:
        place = f"{self._root}/{directory}" if directory else self._root
        start = len(directory) + 1 if directory else 0
        lists = (read_ignore_file(f"{place}/{name}") for name in self._file_names)
        return tuple(_Placed(start, rules) for rules in lists if rules)


def read_ignore_file(path: str) -> IgnoreList:
    """The rules in a file; none where it cannot be read or is no regular file."""
    # As git does, a link is not followed; a named pipe must not make us wait.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return _NO_RULES
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return _NO_RULES
        content = file.read(_LARGEST)
    return IgnoreList(os.fsdecode(content.removeprefix(b"\xef\xbb\xbf")).split("\n"))


def with_ancestors(path: str) -> Iterator[str]:
    """`a`, `a/b`, `a/b/c` for `a/b/c`; nothing for the empty path."""
    end = path.find("/")
    while end != -1:
        yield path[:end]
        end = path.find("/", end + 1)
    if path:
        yield path


def _verdict(lists: tuple[_Placed, ...], path: str, *, is_directory: bool) -> bool:
    for placed in reversed(lists):
        verdict = placed.rules.verdict(path[placed.start :], is_directory=is_directory)
        if verdict is not None:
            return verdict
    return False
