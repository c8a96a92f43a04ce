"""How much more a cap lets into an index.

Counting all chunks takes long where there are many: what is known to be left is used up first,
and what was counted holds until something is removed. Thread-safe.
"""

import sys
from collections.abc import Callable
from threading import Lock
from typing import Final

_ORDINARY: Final = 100
"""Chunks of a file that tells by not fitting that others will hardly fit, either."""


class Room:
    """What is left of a cap on chunks. Invariant: never more than there is."""

    def __init__(self, count: Callable[[], int]) -> None:
        """`count` counts the chunks that are in; there is no cap yet."""
        self._count = count
        self._lock = Lock()
        self._most = sys.maxsize
        self._left = 0
        self._counted = False
        self._refused_at: int | None = None

    @property
    def most(self) -> int:
        """The cap, in chunks."""
        return self._most

    @most.setter
    def most(self, most: int) -> None:
        with self._lock:
            if most > self._most:
                self._refused_at = None
            if most != self._most:
                self._most, self._left, self._counted = most, 0, False

    @property
    def is_full(self) -> bool:
        """Whether it is no use to prepare another new file."""
        with self._lock:
            if self._refused_at is not None:
                return True
            if self._left <= 0 and not self._counted:
                self._recount()
            return self._left <= 0

    def look_again(self) -> int:
        """Count anew what is in; returns how many more chunks may come, 0 where it is full."""
        with self._lock:
            self._recount()
            if self._refused_at is not None and self._most - self._left < self._refused_at:
                self._refused_at = None
            return 0 if self._refused_at is not None else max(0, self._left)

    def take(self, chunks: int, uncommitted: int = 0) -> bool:
        """Whether so many more may come; then they are taken.

        `uncommitted` were taken before and cannot be counted yet.
        """
        with self._lock:
            if chunks > max(self._left, 0) and not self._counted:
                self._recount()
                self._left -= uncommitted
            if chunks > max(self._left, 0):
                if chunks <= _ORDINARY:
                    self._refused_at = self._most - self._left
                return False
            self._left -= chunks
            return True

    def freed(self) -> None:
        """Something was removed: there may be room again."""
        with self._lock:
            self._counted, self._refused_at = False, None

    def _recount(self) -> None:
        self._left, self._counted = self._most - self._count(), True
