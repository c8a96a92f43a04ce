"""The store: the truth about which files of a workspace folder are indexed, in one database.

What is in the files lies in the repository's store of contents, which is attached; every other
structure is a view that can be built from the two without embedding anything again. Invariant: a
transaction is one generation, so a crash leaves the last whole one. Thread-safe.
"""

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Final
from uuid import uuid4

from attrs import evolve, frozen

from codeintel_ls.index.contents import ContentStore, StoredPlaces
from codeintel_ls.index.database import Database, rows_in
from codeintel_ls.index.schema import (
    APPLICATION_ID,
    DDL,
    FORMAT,
    ChunkPlace,
    FileRecord,
    FileToView,
    KnownFile,
    KnownSkip,
    Moment,
    StoredChanges,
    file_and_ordinal,
)

_KNOWN: Final = "path, id, digest, size, mtime_ns, seen_ns FROM file WHERE died IS NULL"
_VIEWED: Final = "id, path, content, path_content, chunks, born FROM file"
_VIEWED_AT: Final = "id, path, content, path_content, chunks, born, died FROM file WHERE path IN"
_PLACED: Final = (
    "file.id, path, language, digest, places, digests FROM file"
    " JOIN contents.content ON content.key = file.content WHERE file.id IN"
)
_UNSTORED: Final = (
    "NOT EXISTS (SELECT 1 FROM contents.content WHERE key = file.content)"
    " OR NOT EXISTS (SELECT 1 FROM contents.content WHERE key = file.path_content)"
)
_NAMED: Final = "INSERT INTO meta VALUES ('store', '{}')"
_REMEMBERED_FILES: Final = 2_048
_REMEMBERED_PLACES: Final = 16_384


@frozen
class _PlacedFile:
    """A file's row with its chunks' places: rows never change, so that it may be remembered."""

    path: str
    language: str
    digest: bytes
    places: StoredPlaces


class Store(Database):
    """The tables of a workspace: what is known, and how it is written."""

    def __init__(self, path: Path, contents: ContentStore) -> None:
        """Open or create the database at `path`, readable by its owner alone.

        Raises NewerCacheError, DamagedCacheError, CacheUnavailableError.
        """
        super().__init__(path, attached=contents)
        self.contents = contents
        self._placed: OrderedDict[int, _PlacedFile] = OrderedDict()
        self._placing = Lock()
        self._places: dict[int, ChunkPlace] = {}
        self._damaged: set[int] = set()
        self.create(f"{DDL}; {_NAMED.format(uuid4().hex)}", APPLICATION_ID, FORMAT)

    # -- what is known -------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A remembered fact about the whole index."""
        rows = self.query("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    @property
    def identity(self) -> str:
        """A name that no other store has: its file ids mean nothing elsewhere."""
        return self.meta("store") or ""

    def generation(self) -> int:
        """The number of the last committed generation; 0 for a new store."""
        return int(self.meta("generation") or 0)

    def swept(self) -> int:
        """Of generations before this one, it is not known any more what died since."""
        return int(self.meta("swept") or 0)

    def moment(self) -> Moment:
        """Now: to be taken before looking at files on disk, for `commit`."""
        return Moment(self.generation(), time.time_ns())

    def changes_since(self, generation: int) -> StoredChanges:
        """What makes the last committed generation of an earlier one.

        All of it as of one moment, whatever is committed or swept meanwhile. Files that died are
        those that had lived in the earlier generation or were born since.
        """
        with self.snapshot() as connection:
            died = connection.execute("SELECT id FROM file WHERE died > ?", (generation,))
            gone = [row[0] for row in died]
            born = connection.execute(
                f"SELECT {_VIEWED} WHERE born > ? AND died IS NULL ORDER BY id",
                (generation,),
            )
            return StoredChanges(
                generation=_number(connection, "generation"),
                last_file=_last_file(connection),
                died=gone,
                born=[FileToView(*row) for row in born],
            )

    def died_between(self, since: int, upto: int) -> list[int]:
        """Ids of the files that died after generation `since`, up to `upto`."""
        rows = self.query("SELECT id FROM file WHERE died > ? AND died <= ?", (since, upto))
        return [row[0] for row in rows]

    def chunks_since(self, generation: int) -> list[tuple[int, int]]:
        """(file id, number of chunks) of the live files that were born after a generation."""
        return self.query(
            "SELECT id, chunks FROM file WHERE born > ? AND died IS NULL", (generation,)
        )

    def changes_at(self, paths: Iterable[str], generation: int) -> StoredChanges:
        """The same for some paths alone."""
        with self.snapshot() as connection:
            rows = sorted(rows_in(connection, f"SELECT {_VIEWED_AT}", paths))
            return StoredChanges(
                generation=_number(connection, "generation"),
                last_file=_last_file(connection),
                died=[row[0] for row in rows if row[-1] is not None and row[-1] > generation],
                born=[
                    file
                    for *columns, ended in rows
                    if ended is None and (file := FileToView(*columns)).born > generation
                ],
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
        return {row[0]: KnownFile(*row[1:]) for row in self.query_each(sql, paths)}

    def chunks_at(self, paths: Iterable[str]) -> dict[str, int]:
        """How many chunks those of the paths have that are live files."""
        return dict(
            self.query_each("SELECT path, chunks FROM file WHERE died IS NULL AND path IN", paths)
        )

    def skips_at(self, paths: Iterable[str]) -> dict[str, KnownSkip]:
        """Those of the paths that are left out for their content."""
        sql = "SELECT path, reason, size, mtime_ns FROM skipped WHERE path IN"
        return {row[0]: KnownSkip(*row[1:]) for row in self.query_each(sql, paths)}

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

    def all_paths(self) -> list[tuple[int, str, str]]:
        """(file id, path, language) of every file, also of those that died and are not swept."""
        return self.query("SELECT id, path, language FROM file")

    def count_files(self) -> int:
        """Live files."""
        return self.query("SELECT count(*) FROM file WHERE died IS NULL")[0][0]

    def count_chunks(self) -> int:
        """Chunks of the live files."""
        return self.query("SELECT ifnull(sum(chunks), 0) FROM file WHERE died IS NULL")[0][0]

    def unstored(self) -> list[FileToView]:
        """Live files whose contents are not in the store of contents (any more)."""
        rows = self.query(f"SELECT {_VIEWED} WHERE died IS NULL AND ({_UNSTORED})")
        return [FileToView(*row) for row in rows]

    def contents_named(self) -> set[bytes]:
        """The keys of all contents that a file names, the dead ones' too."""
        rows = self.query("SELECT content FROM file UNION SELECT path_content FROM file")
        return {row[0] for row in rows}

    def places(self, chunk_ids: Iterable[int]) -> dict[int, ChunkPlace]:
        """What and where the chunks are; ids of files that were swept may be missing."""
        known, ids = self._places, list(chunk_ids)
        found = {number: known[number] for number in ids if number in known}
        missing = [number for number in ids if number not in found]
        return found | self._read_places(missing) if missing else found

    def _read_places(self, chunk_ids: Iterable[int]) -> dict[int, ChunkPlace]:
        wanted = [(number, *file_and_ordinal(number)) for number in chunk_ids]
        files = self._placed_files({file_id for _, file_id, _ in wanted})
        found: dict[int, ChunkPlace] = {}
        for number, file_id, ordinal in wanted:
            file = files.get(file_id)
            if file is None:
                continue
            try:
                found[number] = ChunkPlace(
                    number, file_id, file.path, file.language, file.digest, *file.places[ordinal]
                )
            except (ValueError, TypeError, IndexError):
                # Damaged bytes: not there, as everywhere.
                self._damaged.add(file_id)
        if len(self._places) + len(found) > _REMEMBERED_PLACES:
            # Other threads go on with the one that they hold.
            self._places = {}
        if len(found) <= _REMEMBERED_PLACES:
            self._places.update(found)
        return found

    @property
    def has_damaged(self) -> bool:
        """Whether `take_damaged` has something to tell."""
        return bool(self._damaged)

    def take_damaged(self) -> list[FileToView]:
        """Live files whose places turned out to be damaged since this was last asked."""
        damaged, self._damaged = self._damaged, set()
        sql = f"SELECT {_VIEWED} WHERE died IS NULL AND id IN"
        return [FileToView(*row) for row in self.query_each(sql, damaged)]

    def _placed_files(self, file_ids: set[int]) -> dict[int, _PlacedFile]:
        with self._placing:
            found = {number: self._placed[number] for number in file_ids if number in self._placed}
            for number in found:
                self._placed.move_to_end(number)
        missing = file_ids.difference(found)
        if missing:
            for number, path, language, digest, places, digests in self.query_each(
                f"SELECT {_PLACED}", missing
            ):
                placed = StoredPlaces.of(places, digests)
                found[number] = _PlacedFile(path, language, digest, placed)
            with self._placing:
                self._placed.update((number, found[number]) for number in missing & found.keys())
                while len(self._placed) > _REMEMBERED_FILES:
                    self._placed.popitem(last=False)
        return found

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
        looked: Moment | None = None,
    ) -> int:
        """Write one generation and return its number.

        `replaced` files take the place of what stood at their path, `removed` paths die,
        `touched` are (path, digest, size, mtime_ns, seen_ns) of files that still have that
        content, `skipped` die and are left out from now on.
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
                "UPDATE file SET died = ? WHERE path = ? AND died IS NULL",
                [(generation, path) for path in changed],
            )
            connection.executemany(
                "DELETE FROM skipped WHERE path = ?", [(path,) for path in changed]
            )
            _insert_files(connection, replaced, generation)
            connection.executemany(
                "UPDATE file SET size = ?, mtime_ns = ?, seen_ns = ?"
                " WHERE path = ? AND digest = ? AND died IS NULL",
                [(size, mtime, seen, path, digest) for path, digest, size, mtime, seen in touched],
            )
            _insert_skips(connection, skipped or {}, set(gone))
            _set_meta(connection, "generation", str(generation))
        return generation

    def sweep(self, generation: int) -> None:
        """Delete what died up to `generation`."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM file WHERE died <= ?", (generation,))
            if generation > _number(connection, "swept"):
                _set_meta(connection, "swept", str(generation))

    def forget_files(self) -> None:
        """Drop files and skips; the contents stay, so that nothing is embedded twice."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM file")
            connection.execute("DELETE FROM skipped")
            generation = _number(connection, "generation") + 1
            _set_meta(connection, "generation", str(generation))
            _set_meta(connection, "swept", str(generation))
            _set_meta(connection, "store", uuid4().hex)


def _number(connection: sqlite3.Connection, key: str) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return int(row[0]) if row else 0


def _last_file(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'file'").fetchone()
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


def _insert_files(
    connection: sqlite3.Connection, files: Sequence[FileRecord], generation: int
) -> None:
    rows: list[tuple[Any, ...]] = [
        (
            file.path,
            file.digest,
            file.size,
            file.mtime_ns,
            file.seen_ns,
            file.language,
            file.content,
            file.path_content,
            file.chunks,
            generation,
        )
        for file in files
    ]
    connection.executemany(
        "INSERT INTO file (path, digest, size, mtime_ns, seen_ns, language, content, path_content,"
        " chunks, born) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
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
