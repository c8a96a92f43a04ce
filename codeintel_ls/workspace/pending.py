"""What is known to have changed and is not searchable yet: the freshness of every answer.

Thread-safe. Invariant: a change that was noted counts until it is searchable, or until a look at
the whole folder that began later has ended.
"""

from collections.abc import Collection
from threading import Lock


class Pending:
    """Files that wait, files that are being indexed, and looks at the whole folder."""

    def __init__(self) -> None:
        """The first look is asked for already."""
        self._lock = Lock()
        self._waiting: set[str] = set()
        self._saving: set[str] = set()
        self._bulk = 0
        self._asked, self._answered = 1, 0

    @property
    def files(self) -> int:
        """How many files are known to have changed and are not searchable yet."""
        with self._lock:
            return self._bulk + len(self._waiting | self._saving)

    @property
    def compared(self) -> bool:
        """Whether the whole folder was compared with the index since that was last asked for."""
        return self._answered == self._asked

    def note(self, paths: Collection[str]) -> None:
        """These files may have changed."""
        with self._lock:
            self._waiting.update(paths)

    def take(self) -> frozenset[str]:
        """The files that wait; they are being indexed from now on."""
        with self._lock:
            self._saving, self._waiting = self._waiting, set()
            return frozenset(self._saving)

    def taken(self) -> None:
        """What was taken is searchable, or left to a look at the whole folder."""
        with self._lock:
            self._saving = set()

    def ask(self) -> None:
        """Anything may have changed."""
        with self._lock:
            self._asked += 1

    def begin(self) -> int:
        """A look at the whole folder begins; returns what it will answer."""
        return self._asked

    def differs(self, asked: int) -> None:
        """The look found the index to be behind."""
        with self._lock:
            self._answered = min(self._answered, asked - 1)

    def answer(self, asked: int) -> None:
        """The look has ended, and what it found is searchable."""
        with self._lock:
            self._answered = max(self._answered, asked)

    def set_bulk(self, files: int) -> None:
        """So many files of a large update are still to come."""
        self._bulk = files
