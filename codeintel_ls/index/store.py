"""The store: the truth about what is indexed, in one SQLite database (WAL).

Files, chunks and vectors live here; every other structure is a view that can be built from it
without embedding anything again. Invariant: a transaction is one generation, so a crash leaves
the last whole one. Thread-safe: each statement borrows a connection of its own.
"""

import contextlib
import os
import sqlite3
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Condition
from types import TracebackType
from typing import Any, Self

from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError, NewerCacheError
from codeintel_ls.index.schema import (
    APPLICATION_ID,
    DDL,
    FORMAT,
    ChunkPlace,
    FileRecord,
    KnownFile,
    KnownSkip,
)

_BUSY_SECONDS = 10.0
_VARIABLES = 500
_KNOWN = "path, id, digest, size, mtime_ns, seen_ns FROM file WHERE died IS NULL"
_PLACE = (
    "chunk.id, file.id, path, language, file.digest, start_line, end_line, symbol, kind,"
    " chunk.digest FROM chunk JOIN file ON file.id = file_id"
)


class Store:
    """An open database. Raises DamagedCacheError wherever SQLite finds its file broken."""

    def __init__(self, path: Path) -> None:
        """Open or create the database at `path`, readable by its owner alone.

        Raises NewerCacheError, DamagedCacheError, CacheUnavailableError.
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
            raise _unavailable(error) from error
        with self.guard() as connection:
            self._prepare(connection)

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        application: int = connection.execute("PRAGMA application_id").fetchone()[0]
        if version == 0 and application == 0:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.executescript(f"BEGIN; {DDL} PRAGMA user_version = {FORMAT}; COMMIT;")
        elif application != APPLICATION_ID or version < FORMAT:
            raise DamagedCacheError("The index cache is not a database of this program.")
        elif version > FORMAT:
            raise NewerCacheError(
                f"The index cache has format {version}; this version knows up to {FORMAT}."
            )

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA mmap_size = 268435456")
        return connection

    @contextlib.contextmanager
    def _borrowed(self) -> Generator[sqlite3.Connection]:
        """A connection that nobody else uses meanwhile."""
        with self._returned:
            if self._closed:
                raise CacheUnavailableError("The index was closed.")
            self._borrowers += 1
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or self._connect()
            yield connection
        finally:
            with self._returned:
                self._borrowers -= 1
                if connection is not None:
                    self._idle.append(connection)
                self._returned.notify_all()

    @contextlib.contextmanager
    def guard(self) -> Generator[sqlite3.Connection]:
        """Lend a connection, and turn SQLite's errors into this room's."""
        try:
            with self._borrowed() as connection:
                yield connection
        except sqlite3.OperationalError as error:
            text = str(error)
            if "malformed" in text or "no such table" in text or "no such column" in text:
                raise DamagedCacheError("The index cache is damaged.") from error
            raise CacheUnavailableError(f"The index cache cannot be used: {text}.") from error
        except sqlite3.DatabaseError as error:
            raise DamagedCacheError("The index cache is damaged.") from error

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a reading statement."""
        with self.guard() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """Write all or nothing."""
        with self.guard() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

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

    # -- what is known -------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A remembered fact about the whole index."""
        rows = self.query("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def generation(self) -> int:
        """The number of the last committed generation; 0 for a new store."""
        return int(self.meta("generation") or 0)

    def swept(self) -> int:
        """Rows that died up to this generation are gone."""
        return int(self.meta("swept") or 0)

    def files(self) -> dict[str, KnownFile]:
        """The live files by path."""
        return {row[0]: KnownFile(*row[1:]) for row in self.query(f"SELECT {_KNOWN}")}

    def skips(self) -> dict[str, KnownSkip]:
        """Files left out for their content, by path."""
        rows = self.query("SELECT path, reason, size, mtime_ns FROM skipped")
        return {row[0]: KnownSkip(*row[1:]) for row in rows}

    def files_at(self, paths: Iterable[str]) -> dict[str, KnownFile]:
        """Those of the paths that are live files."""
        sql = f"SELECT {_KNOWN} AND path IN"
        return {row[0]: KnownFile(*row[1:]) for row in self._query_each(sql, paths)}

    def skips_at(self, paths: Iterable[str]) -> dict[str, KnownSkip]:
        """Those of the paths that are left out for their content."""
        sql = "SELECT path, reason, size, mtime_ns FROM skipped WHERE path IN"
        return {row[0]: KnownSkip(*row[1:]) for row in self._query_each(sql, paths)}

    def paths_below(self, folder: str) -> list[str]:
        """Live files and skips inside a folder."""
        bounds = (f"{folder}/", f"{folder}0")  # "0" follows "/"
        files = self.query(
            "SELECT path FROM file WHERE died IS NULL AND path > ? AND path < ?", bounds
        )
        skips = self.query("SELECT path FROM skipped WHERE path > ? AND path < ?", bounds)
        return [row[0] for row in (*files, *skips)]

    def skip_counts(self) -> dict[str, int]:
        """How many files are left out for their content, by reason."""
        return dict(self.query("SELECT reason, count(*) FROM skipped GROUP BY reason"))

    def live_paths(self) -> list[tuple[int, str, str]]:
        """(file id, path, language) of every live file."""
        return self.query("SELECT id, path, language FROM file WHERE died IS NULL")

    def count_files(self) -> int:
        """Live files."""
        return self.query("SELECT count(*) FROM file WHERE died IS NULL")[0][0]

    def places(self, chunk_ids: Iterable[int]) -> dict[int, ChunkPlace]:
        """What and where the chunks are; ids that were swept are missing."""
        sql = f"SELECT {_PLACE} WHERE chunk.id IN"
        return {row[0]: ChunkPlace(*row) for row in self._query_each(sql, chunk_ids)}

    def chunks_of(self, path: str) -> list[ChunkPlace]:
        """The chunks of a live file in order."""
        sql = f"SELECT {_PLACE} WHERE path = ? AND died IS NULL ORDER BY start_line"
        return [ChunkPlace(*row) for row in self.query(sql, (path,))]

    def missing_vectors(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those keys, without repeats, for which nothing was embedded yet."""
        wanted = list(dict.fromkeys(keys))
        rows = self._query_each("SELECT key FROM vector WHERE key IN", wanted)
        known = {row[0] for row in rows}
        return [key for key in wanted if key not in known]

    def _query_each(self, sql: str, values: Iterable[object]) -> Generator[tuple[Any, ...]]:
        """Rows of `sql`, which ends in IN, over any number of values."""
        wanted = list(values)
        for first in range(0, len(wanted), _VARIABLES):
            some = wanted[first : first + _VARIABLES]
            yield from self.query(f"{sql} ({','.join('?' * len(some))})", some)

    # -- writing -------------------------------------------------------------------------------

    def set_meta(self, key: str, value: str) -> None:
        """Remember a fact about the whole index."""
        with self.transaction() as connection:
            _set_meta(connection, key, value)

    def commit(
        self,
        *,
        replaced: Sequence[FileRecord] = (),
        removed: Sequence[str] = (),
        touched: Sequence[tuple[str, int, int, int]] = (),
        skipped: Mapping[str, KnownSkip | None] | None = None,
        vectors: Mapping[bytes, bytes] | None = None,
    ) -> int:
        """Write one generation and return its number.

        `replaced` files take the place of what stood at their path, unless that was read from
        disk later than they were (a save may overtake a full index); `removed` paths die,
        `touched` are (path, size, mtime_ns, seen_ns) of files whose content did not change,
        `skipped` are left out from now on (None: no longer), `vectors` are embeddings by key.
        """
        with self.transaction() as connection:
            generation = _next_generation(connection)
            replaced = [file for file in replaced if _is_newest(connection, file)]
            connection.executemany(
                "INSERT OR REPLACE INTO vector VALUES (?, ?)", (vectors or {}).items()
            )
            connection.executemany(
                "UPDATE file SET died = ? WHERE path = ? AND died IS NULL",
                [(generation, path) for path in (*removed, *(file.path for file in replaced))],
            )
            for file in replaced:
                _insert_file(connection, file, generation)
            connection.executemany(
                "UPDATE file SET size = ?, mtime_ns = ?, seen_ns = ?"
                " WHERE path = ? AND died IS NULL",
                [(size, mtime, seen, path) for path, size, mtime, seen in touched],
            )
            _note_skips(connection, skipped or {}, (*removed, *(file.path for file in replaced)))
            _set_meta(connection, "generation", str(generation))
        return generation

    def sweep(self, generation: int) -> None:
        """Delete what died up to `generation`, and vectors that nothing refers to."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM file WHERE died <= ?", (generation,))
            _set_meta(connection, "swept", str(generation))

    def collect_vectors(self) -> int:
        """Delete vectors that no chunk and no file refers to; returns how many."""
        with self.transaction() as connection:
            return connection.execute(
                "DELETE FROM vector WHERE key NOT IN (SELECT vector FROM chunk)"
                " AND key NOT IN (SELECT path_vector FROM file)"
            ).rowcount

    def forget_files(self) -> None:
        """Drop files, chunks and skips, but keep the vectors, so that nothing is embedded twice."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM file")
            connection.execute("DELETE FROM skipped")
            generation = _next_generation(connection)
            _set_meta(connection, "generation", str(generation))
            _set_meta(connection, "swept", str(generation))


def _unavailable(error: OSError) -> CacheUnavailableError:
    reason = error.strerror or "unknown reason"
    return CacheUnavailableError(f"The index cache cannot be used: {reason}.")


def _next_generation(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
    return int(row[0] if row else 0) + 1


def _is_newest(connection: sqlite3.Connection, file: FileRecord) -> bool:
    row = connection.execute(
        "SELECT seen_ns FROM file WHERE path = ? AND died IS NULL", (file.path,)
    ).fetchone()
    return row is None or row[0] <= file.seen_ns


def _set_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _insert_file(connection: sqlite3.Connection, file: FileRecord, generation: int) -> None:
    cursor = connection.execute(
        "INSERT INTO file (path, digest, size, mtime_ns, seen_ns, language, path_vector, born)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            file.path,
            file.digest,
            file.size,
            file.mtime_ns,
            file.seen_ns,
            file.language,
            file.path_vector,
            generation,
        ),
    )
    connection.executemany(
        "INSERT INTO chunk (file_id, start_line, end_line, symbol, kind, digest, vector, terms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                cursor.lastrowid,
                chunk.start_line,
                chunk.end_line,
                chunk.symbol,
                chunk.kind,
                chunk.digest,
                chunk.vector,
                chunk.terms,
            )
            for chunk in file.chunks
        ],
    )


def _note_skips(
    connection: sqlite3.Connection, skipped: Mapping[str, KnownSkip | None], gone: Sequence[str]
) -> None:
    forgotten = [path for path, skip in skipped.items() if skip is None]
    connection.executemany(
        "DELETE FROM skipped WHERE path = ?", [(path,) for path in (*gone, *forgotten)]
    )
    connection.executemany(
        "INSERT OR REPLACE INTO skipped VALUES (?, ?, ?, ?)",
        [
            (path, skip.reason, skip.size, skip.mtime_ns)
            for path, skip in skipped.items()
            if skip is not None
        ],
    )
