"""The texts of files that answers lately showed: read again only where the file may have changed.

Invariant: what is handed out is the file's text as of its inode, size and both of its times; a
file that was written within the clock's grain of being read is not remembered (git calls such
files racy, see its racy-git.txt).
"""

import os
import time
from collections import OrderedDict
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.index.source import SkippedFileError, read_source, with_plain_ends

_MOST_CHARACTERS: Final = 16_000_000
_GRAIN_NS: Final = 2_000_000_000

_Signature = tuple[int, int, int, int, int]


@frozen
class RecentText:
    r"""A file's text, its lines ended by `\n` whatever ends them, and the digest of its bytes."""

    text: str
    digest: bytes

    @classmethod
    def of(cls, text: str, digest: bytes) -> "RecentText":
        """From a text as it was read."""
        return cls(with_plain_ends(text), digest)

    def lines(self, start: int, end: int) -> list[str]:
        """Lines `start` to `end` (0-based, exclusive), as `split_lines` numbers them."""
        starts = self._starts
        end = min(end, len(starts) - 1)
        if start >= end:
            return []
        return self.text[int(starts[start]) : int(starts[end]) - 1].split("\n")

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """Where each line begins in the text, and where one more would.

        A long file is shown from more than once, and splitting all of it each time is dear.
        """
        encoding, letter = ("ascii", "u1") if self.text.isascii() else ("utf-32-le", "<u4")
        letters = np.frombuffer(self.text.encode(encoding, "surrogatepass"), dtype=letter)
        starts = np.append(0, np.flatnonzero(letters == ord("\n")) + 1)
        is_open = self.text and not self.text.endswith("\n")
        return np.append(starts, len(self.text) + 1) if is_open else starts


class RecentTexts:
    """Recently read texts, up to a number of characters in all. Thread-safe.

    Known by their inodes: package stores and checkouts hold many links to one file.
    """

    def __init__(self, grain_ns: int = _GRAIN_NS) -> None:
        """A file that was written less than `grain_ns` before it is read is not remembered."""
        self._grain_ns = grain_ns
        self._lock = Lock()
        self._texts: OrderedDict[tuple[int, int], tuple[_Signature, RecentText]] = OrderedDict()
        self._characters = 0

    def read(self, path: str | Path, max_bytes: int) -> RecentText | None:
        """The file's text now; None for what is gone or is no text."""
        signature = _signature(path)
        if signature is None:
            return None
        with self._lock:
            known = self._texts.get(signature[:2])
            if known is not None and known[0] == signature:
                self._texts.move_to_end(signature[:2])
                return known[1]
        now = time.time_ns()
        try:
            # Its digest tells whether it is the file that passed the limit of line lengths.
            source = read_source(Path(path), max_bytes=max_bytes, max_line_characters=max_bytes)
        except SkippedFileError:
            return None
        read = RecentText.of(source.text, source.digest)
        if max(signature[3:]) < now - self._grain_ns and _signature(path) == signature:
            self._remember(signature, read)
        return read

    def _remember(self, signature: _Signature, read: RecentText) -> None:
        with self._lock:
            old = self._texts.pop(signature[:2], None)
            if old is not None:
                self._characters -= len(old[1].text)
            self._texts[signature[:2]] = signature, read
            self._characters += len(read.text)
            while self._characters > _MOST_CHARACTERS:
                _, (_, dropped) = self._texts.popitem(last=False)
                self._characters -= len(dropped.text)


def _signature(path: str | Path) -> _Signature | None:
    try:
        state = os.stat(path)  # noqa: PTH116 (twenty times for each answer)
    except (OSError, ValueError):
        return None
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns
