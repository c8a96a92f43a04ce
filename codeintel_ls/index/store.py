"""The store: the truth about what is indexed, in one SQLite database.

Files, chunks and vectors live here; every other structure is a view that can be built from it
without embedding anything again. Invariant: a transaction is one generation, so a crash leaves
the last whole one. Thread-safe.
"""

import sqlite3
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from codeintel_ls.index.database import Database
from codeintel_ls.index.errors import DamagedCacheError, NewerCacheError
from codeintel_ls.index.schema import (
    APPLICATION_ID,
    DDL,
    FORMAT,
    ChunkPlace,
    FileRecord,
    KnownFile,
    KnownSkip,
    Moment,
    StoredChanges,
)

_VARIABLES: Final = 500
_KNOWN: Final = "path, id, digest, size, mtime_ns, seen_ns FROM file WHERE died IS NULL"
_PLACE: Final = (
    "chunk.id, file.id, path, language, file.digest, start_line, end_line, symbol, kind,"
    " chunk.digest FROM chunk JOIN file ON file.id = file_id"
)
_VIEWED: Final = (
    # CROSS JOIN and INDEXED BY: few files are new, and the planner would walk all chunks.
    "SELECT chunk.id, file.id, text.data, path.data, terms FROM file INDEXED BY file_born"
    " CROSS JOIN chunk ON chunk.file_id = file.id"
    " CROSS JOIN vector AS text ON text.key = chunk.vector"
    " CROSS JOIN vector AS path ON path.key = file.path_vector"
    " WHERE born > ? AND died IS NULL"
)


class Store(Database):
    """The tables of an index: what is known, and how it is written."""

    def __init__(self, path: Path) -> None:
        """Open or create the database at `path`, readable by its owner alone.

        Raises NewerCacheError, DamagedCacheError, CacheUnavailableError.
        """
        super().__init__(path)
        try:
            if _is_new(self.query("PRAGMA user_version"), self.query("PRAGMA application_id")):
                self._create()
            self._check()
        except BaseException:
            self.close()
            raise

    def _create(self) -> None:
        with self.transaction() as connection:
            versions = (
                connection.execute(f"PRAGMA {name}").fetchall()
                for name in ("user_version", "application_id")
            )
            # Another process may have come first.
            if not _is_new(*versions):
                return
            for statement in DDL.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")

    def _check(self) -> None:
        ((version,),) = self.query("PRAGMA user_version")
        ((application,),) = self.query("PRAGMA application_id")
        if application != APPLICATION_ID or version < FORMAT:
            raise DamagedCacheError("The index cache is not a database of this program.")
        if version > FORMAT:
            raise NewerCacheError(
                f"The index cache has format {version}; this version knows up to {FORMAT}."
            )

    # -- what is known -------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A remembered fact about the whole index."""
        rows = self.query("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def generation(self) -> int:
        """The number of the last committed generation; 0 for a new store."""
        return int(self.meta("generation") or 0)

    def moment(self) -> Moment:
        """Now: to be taken before looking at files on disk, for `commit`."""
        return Moment(self.generation(), time.time_ns())

    def changes_since(self, generation: int) -> StoredChanges | None:
        """What makes the last committed generation of an earlier one; None where they are one.

        All of it as of one moment, whatever is committed or swept meanwhile.
        """
        with self.snapshot() as connection:
            number = _number(connection, "generation")
            if number == generation:
                return None
            whole = number < generation or _number(connection, "swept") > generation
            since = 0 if whole else generation
            died = connection.execute(
                "SELECT id FROM file WHERE died > ? AND born <= ?", (since, since)
            ).fetchall()
            return StoredChanges(
                generation=number,
                whole=whole,
                dead_files=[row[0] for row in died],
                rows=connection.execute(_VIEWED, (since,)).fetchall(),
            )

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

    def paths_at(self, generation: int) -> list[tuple[int, str, str]]:
        """(file id, path, language) of every file that lived in a generation, unless swept."""
        return self.query(
            "SELECT id, path, language FROM file WHERE born <= ?1 AND (died IS NULL OR died > ?1)",
            (generation,),
        )

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
        touched: Sequence[tuple[str, bytes, int, int, int]] = (),
        skipped: Mapping[str, KnownSkip] | None = None,
        vectors: Mapping[bytes, bytes] | None = None,
        looked: Moment | None = None,
    ) -> int:
        """Write one generation and return its number.

        `replaced` files take the place of what stood at their path, `removed` paths die,
        `touched` are (path, digest, size, mtime_ns, seen_ns) of files that still have that
        content, `skipped` die and are left out from now on, `vectors` are embeddings by key.
        `looked` is from before any of these files was looked at: what was committed since, and
        read from disk later than they were, stays as it is (a save may overtake a full index).
        """
        with self.transaction() as connection:
            generation = _number(connection, "generation") + 1
            gone = [
                path for path in (*removed, *(skipped or {})) if _is_last(connection, path, looked)
            ]
            replaced = [
                file
                for file in replaced
                if _is_last(connection, file.path, looked and evolve(looked, clock_ns=file.seen_ns))
            ]
            changed = [*gone, *(file.path for file in replaced)]
            connection.executemany(
                "INSERT OR REPLACE INTO vector VALUES (?, ?)", (vectors or {}).items()
            )
            connection.executemany(
                "UPDATE file SET died = ? WHERE path = ? AND died IS NULL",
                [(generation, path) for path in changed],
            )
            connection.executemany(
                "DELETE FROM skipped WHERE path = ?", [(path,) for path in changed]
            )
            for file in replaced:
                _insert_file(connection, file, generation)
            connection.executemany(
                "UPDATE file SET size = ?, mtime_ns = ?, seen_ns = ?"
                " WHERE path = ? AND digest = ? AND died IS NULL",
                [(size, mtime, seen, path, digest) for path, digest, size, mtime, seen in touched],
            )
            _insert_skips(connection, skipped or {}, set(gone))
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
            generation = _number(connection, "generation") + 1
            _set_meta(connection, "generation", str(generation))
            _set_meta(connection, "swept", str(generation))


def _is_new(user_version: list[tuple[Any, ...]], application_id: list[tuple[Any, ...]]) -> bool:
    return user_version == application_id == [(0,)]


def _number(connection: sqlite3.Connection, key: str) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return int(row[0]) if row else 0


def _is_last(connection: sqlite3.Connection, path: str, looked: Moment | None) -> bool:
    """Whether nobody who looked at the file later has committed since."""
    if looked is None:
        return True
    # The clock may have been set back: it only decides between what was read at the same time.
    row = connection.execute(
        "SELECT 1 FROM file WHERE path = ? AND died IS NULL AND born > ? AND seen_ns > ?",
        (path, looked.generation, looked.clock_ns),
    ).fetchone()
    return row is None


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


def _insert_skips(
    connection: sqlite3.Connection, skipped: Mapping[str, KnownSkip], gone: set[str]
) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO skipped VALUES (?, ?, ?, ?)",
        [
            (path, skip.reason, skip.size, skip.mtime_ns)
            for path, skip in skipped.items()
            if path in gone
        ],
    )
