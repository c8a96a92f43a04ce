"""The texts of files that answers lately showed: read again only where the file may have changed.

Invariant: what is handed out is the file's text as of its inode, size and both of its times; a
file that was written within the clock's grain of being read is not remembered (git calls such
files racy, see its racy-git.txt).
"""

import os
import time
from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import Final

from attrs import frozen

from codeintel_ls.index.source import SkippedFileError, read_source, split_lines

_MOST_CHARACTERS: Final = 16_000_000
_GRAIN_NS: Final = 2_000_000_000

_Signature = tuple[int, int, int, int, int]


@frozen
class RecentText:
    """A file's text, and the digest of its bytes."""

    text: str
    digest: bytes

    def lines(self, start: int, end: int) -> list[str]:
        """Lines `start` to `end` (0-based, exclusive), as `split_lines` numbers them."""
        if "\r" in self.text:
            return split_lines(self.text)[start:end]
        lines = self.text.split("\n", end)
        if len(lines) <= end and not lines[-1]:
            lines.pop()
        return lines[start:end]


class RecentTexts:
    """Recently read texts, up to a number of characters in all. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._texts: OrderedDict[Path, tuple[_Signature, RecentText]] = OrderedDict()
        self._characters = 0

    def read(self, path: Path, max_bytes: int) -> RecentText | None:
        """The file's text now; None for what is gone or is no text."""
        signature = _signature(path)
        if signature is None:
            return None
        with self._lock:
            known = self._texts.get(path)
            if known is not None and known[0] == signature:
                self._texts.move_to_end(path)
                return known[1]
        now = time.time_ns()
        try:
            # Its digest tells whether it is the file that passed the limit of line lengths.
            source = read_source(path, max_bytes=max_bytes, max_line_characters=max_bytes)
        except SkippedFileError:
            return None
        read = RecentText(source.text, source.digest)
        if max(signature[3:]) < now - _GRAIN_NS and _signature(path) == signature:
            self._remember(path, signature, read)
        return read

    def _remember(self, path: Path, signature: _Signature, read: RecentText) -> None:
        with self._lock:
            old = self._texts.pop(path, None)
            if old is not None:
                self._characters -= len(old[1].text)
            self._texts[path] = signature, read
            self._characters += len(read.text)
            while self._characters > _MOST_CHARACTERS:
                _, (_, dropped) = self._texts.popitem(last=False)
                self._characters -= len(dropped.text)


def _signature(path: Path) -> _Signature | None:
    try:
        state = os.stat(path)  # noqa: PTH116 (twenty times for each answer)
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns
