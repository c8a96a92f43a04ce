"""What was read of committed files, kept in memory within a bound.

Keys name content that cannot change (commits, blobs, digests of rules), so nothing in here ever
becomes wrong: what is no longer asked falls out. Invariant: the weights never sum above the bound,
except for one entry that is heavier than the bound by itself.
"""

from collections import OrderedDict
from collections.abc import Generator, Hashable
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.line_map import LineMap
from codeintel_ls.git.text import (
    Lines,
    as_text,
    decode,
    is_binary,
    is_lfs_pointer,
    is_utf8,
    split_lines,
)

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_TURN_SECONDS = 0.05
_LINES_OF_POINTER = 20


class BoundedCache(Generic[Key, Value]):
    """Least recently used goes first. Thread-safe."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._weight = 0
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        """The value of `key`, which becomes the most recent."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, weight: int) -> None:
        """Keep `value`, and drop the oldest while the sum of weights is above the bound."""
        with self._lock:
            replaced = self._entries.pop(key, None)
            self._weight += weight - (replaced[1] if replaced else 0)
            self._entries[key] = (value, weight)
            while self._weight > self._bound and len(self._entries) > 1:
                _, (_, dropped) = self._entries.popitem(last=False)
                self._weight -= dropped

    def __contains__(self, key: Key) -> bool:
        """Whether `key` is kept, without making it recent."""
        return key in self._entries

    @property
    def weight(self) -> int:
        """The sum of what is kept."""
        return self._weight


class Turns:
    """One at a time for the same key, so that two who ask the same start one process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._busy: dict[Hashable, tuple[Lock, int]] = {}

    @contextmanager
    def turn(self, key: Hashable, cancellation: Cancellation) -> Generator[None]:
        """Hold the turn of `key` for the block. Raises `CancelledError` while waiting."""
        with self._lock:
            lock, waiting = self._busy.get(key, (Lock(), 0))
            self._busy[key] = (lock, waiting + 1)
        try:
            while not lock.acquire(timeout=_TURN_SECONDS):
                cancellation.raise_if_cancelled()
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._lock:
                lock, waiting = self._busy.pop(key)
                if waiting > 1:
                    self._busy[key] = (lock, waiting - 1)


class CommittedFile:
    """The content of a blob as lines, with the map from the last text that was compared."""

    def __init__(self, content: bytes) -> None:
        self.binary = is_binary(content)
        text = "" if self.binary else decode(content)
        self.lines = split_lines(text)
        # Only what is no UTF-8 may have to be decoded in another way.
        self._content = None if self.binary or is_utf8(content) else content
        # git compares with ends; an editor's are taken for those of most lines here.
        self._end = "\r\n" if 2 * content.count(b"\r\n") > content.count(b"\n") else "\n"
        self._last: tuple[str, Lines, LineMap] | None = None

    @property
    def is_lfs_pointer(self) -> bool:
        """Whether it stands for a content that Git LFS keeps."""
        return len(self.lines) <= _LINES_OF_POINTER and is_lfs_pointer("\n".join(self.lines.lines))

    @property
    def line_count(self) -> int:
        """How many lines git counts."""
        return self.lines.git_lines[-1] + 1 if len(self.lines) else 0

    def map_from(self, text: str) -> tuple[Lines, LineMap]:
        """The lines of `text`, and which lines of this file they are."""
        last = self._last
        if last is not None and last[0] == text:
            return last[1], last[2]
        committed = self.lines.lines
        if self._content is not None and "\ufffd" in text:
            committed = split_lines(decode(self._content, like=text)).lines
        lines = split_lines(text)
        old, new = (
            as_text(each, self._end, ended=self.lines.ended) for each in (committed, lines.lines)
        )
        line_map = LineMap.of_texts(committed, old, lines.lines, new)
        self._last = (text, lines, line_map)
        return lines, line_map
