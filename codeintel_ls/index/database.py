"""One SQLite database (WAL) and the connections to it.

Thread-safe: each statement borrows a connection of its own. Invariants: what is returned to the
pool is in no transaction; a file that was removed or replaced under us is never taken for the one
that was opened; no error of SQLite leaves this module under its own name.
"""

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from threading import Condition
from types import TracebackType
from typing import Any, Final, Self

from codeintel_ls.index.errors import (
    CacheUnavailableError,
    DamagedCacheError,
    NewerCacheError,
)

_VARIABLES: Final = 500
_BUSY_SECONDS: Final = 10.0
_LITTLE_SPACE: Final = 1 << 20
_DAMAGE: Final = ("malformed", "no such table", "no such column")


class Database:
    """An open database. Raises DamagedCacheError wherever its file is broken or gone."""

    def __init__(self, path: Path, attached: "Database | None" = None) -> None:
        """Open or create the file at `path`, readable by its owner alone.

        The tables of `attached` can be named in every statement. Raises CacheUnavailableError.
        """
        self.path = path
        self._attached = attached
        self._idle: list[sqlite3.Connection] = []
        self._borrowers = 0
        self._returned = Condition()
        self._closed = False
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Never opened where it exists: closing it would let go of the locks that SQLite has on
            # it for other connections of this process (fcntl(2)), and its log would be deleted.
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise unavailable(error) from error
        self._identity = self._identify()

    def create(self, ddl: str, application_id: int, version: int) -> None:
        """Make the tables where there are none yet, and check that they are of this format.

        Closes the database where it raises NewerCacheError, DamagedCacheError (an older format,
        too) or CacheUnavailableError.
        """
        try:
            if self._versions() == (0, 0):
                self._create(ddl, application_id, version)
            application, found = self._versions()
            if application != application_id or found < version:
                raise DamagedCacheError("The index cache is not a database of this version.")
            if found > version:
                raise NewerCacheError(
                    f"The index cache has format {found}; this version knows up to {version}."
                )
        except BaseException:
            self.close()
            raise

    def query_each(self, sql: str, values: Iterable[object]) -> Generator[tuple[Any, ...]]:
        """Rows of `sql`, which ends in IN, over any number of values."""
        with self.snapshot() as connection:
            yield from rows_in(connection, sql, values)

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a reading statement."""
        with self._guarded() as connection:
            return connection.execute(sql, parameters).fetchall()

    def is_sound(self) -> bool:
        """Whether SQLite finds no damage anywhere in the file; reads all of it."""
        try:
            return self.query("PRAGMA main.quick_check(1)") == [("ok",)]
        except DamagedCacheError:
            return False

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

    def _versions(self) -> tuple[int, int]:
        ((application,),) = self.query("PRAGMA application_id")
        ((version,),) = self.query("PRAGMA user_version")
        return application, version

    def _create(self, ddl: str, application_id: int, version: int) -> None:
        with self.transaction() as connection:
            # Another process may have come first.
            if connection.execute("PRAGMA application_id").fetchall() != [(0,)]:
                return
            for statement in ddl.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {application_id}")
            connection.execute(f"PRAGMA user_version = {version}")

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
            if "disk I/O" in text and self._is_disk_full():
                text = "no space left on device"
            raise CacheUnavailableError(f"The index cache cannot be used: {text}.") from error
        # A message that quotes damaged bytes cannot be read either.
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise DamagedCacheError("The index cache is damaged.") from error

    @contextlib.contextmanager
    def _borrowed(self) -> Generator[sqlite3.Connection]:
        """A connection that nobody else uses meanwhile."""
        with self._returned:
            if self._closed:
                raise CacheUnavailableError("The index was closed.")
            if not self.is_there():
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
            if self._attached is not None:
                connection.execute("ATTACH DATABASE ? AS contents", (str(self._attached.path),))
        except BaseException:
            connection.close()
            raise
        return connection

    def _is_disk_full(self) -> bool:
        """SQLite does not tell in every case that this is the trouble."""
        try:
            return shutil.disk_usage(self.path.parent).free < _LITTLE_SPACE
        except OSError:
            return False

    def is_there(self) -> bool:
        """Whether the file that was opened, and that of what is attached, is still in its place."""
        attached = self._attached
        return self._identify() == self._identity and (attached is None or attached.is_there())

    def _identify(self) -> tuple[int, int] | None:
        try:
            state = self.path.stat()
        except OSError:
            return None
        return state.st_dev, state.st_ino


def rows_in(
    connection: sqlite3.Connection, sql: str, values: Iterable[object]
) -> Generator[tuple[Any, ...]]:
    """Rows of `sql`, which ends in IN, over any number of values."""
    wanted = list(values)
    for first in range(0, len(wanted), _VARIABLES):
        some = wanted[first : first + _VARIABLES]
        yield from connection.execute(f"{sql} ({','.join('?' * len(some))})", some)


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
