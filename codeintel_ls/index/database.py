"""One SQLite database (WAL) and the connections to it.

Thread-safe: each statement borrows a connection of its own. Invariants: what is returned to the
pool is in no transaction; a file that was removed or replaced under us is never taken for the one
that was opened; no error of SQLite leaves this module under its own name.
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from threading import Condition
from types import TracebackType
from typing import Any, Final, Self

from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError

_BUSY_SECONDS: Final = 10.0
_DAMAGE: Final = ("malformed", "no such table", "no such column")


class Database:
    """An open database. Raises DamagedCacheError wherever its file is broken or gone."""

    def __init__(self, path: Path) -> None:
        """Open or create the file at `path`, readable by its owner alone.

        Raises CacheUnavailableError.
        """
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._borrowers = 0
        self._returned = Condition()
        self._closed = False
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            raise unavailable(error) from error
        self._identity = self._identify()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a reading statement."""
        with self._guarded() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextlib.contextmanager
    def snapshot(self) -> Generator[sqlite3.Connection]:
        """Read several times as of one moment, whatever is committed meanwhile."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextlib.contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Write all or nothing."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Let running statements end, then close. Later use raises CacheUnavailableError."""
        with self._returned:
            self._closed = True
            self._returned.wait_for(lambda: self._borrowers == 0, _BUSY_SECONDS)
            connections, self._idle = self._idle, []
        for connection in connections:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Generator[sqlite3.Connection]:
        with self._guarded() as connection:
            connection.execute(begin)
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                # SQLite itself ends a transaction for which there is no space.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _guarded(self) -> Generator[sqlite3.Connection]:
        """Lend a connection, and turn SQLite's errors into this room's."""
        try:
            with self._borrowed() as connection:
                yield connection
        except sqlite3.OperationalError as error:
            text = str(error)
            if any(sign in text for sign in _DAMAGE):
                raise DamagedCacheError("The index cache is damaged.") from error
            raise CacheUnavailableError(f"The index cache cannot be used: {text}.") from error
        except sqlite3.DatabaseError as error:
            raise DamagedCacheError("The index cache is damaged.") from error

    @contextlib.contextmanager
    def _borrowed(self) -> Generator[sqlite3.Connection]:
        """A connection that nobody else uses meanwhile."""
        with self._returned:
            if self._closed:
                raise CacheUnavailableError("The index was closed.")
            if self._identify() != self._identity:
                raise DamagedCacheError("The index cache was removed while it was in use.")
            self._borrowers += 1
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or self._connect()
            yield connection
        finally:
            with self._returned:
                self._borrowers -= 1
                if connection is not None and self._closed:
                    connection.close()
                elif connection is not None:
                    self._idle.append(connection)
                self._returned.notify_all()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _use_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _identify(self) -> tuple[int, int] | None:
        try:
            state = self.path.stat()
        except OSError:
            return None
        return state.st_dev, state.st_ino


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging, also while other processes make the same file.

    SQLite does not wait for them by itself: two that want to switch would wait for each other.
    """
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            return


def unavailable(error: OSError) -> CacheUnavailableError:
    """The sentence for what the system refused."""
    reason = error.strerror or "unknown reason"
    return CacheUnavailableError(f"The index cache cannot be used: {reason}.")
