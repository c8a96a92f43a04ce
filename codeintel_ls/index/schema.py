"""The tables of a store, and the values that travel in and out of it.

`file` rows never change once written: a saved file is a new row, and the old one gets the number
of the generation in which it died. So a reader that still holds an older generation finds its
rows until they are swept.
"""

import os
from typing import Any, Final

from attrs import frozen

APPLICATION_ID: Final = 0x63694C53
"""Marks the file as ours (SQLite's `application_id`)."""

FORMAT: Final = 1
"""The layout below (SQLite's `user_version`); raised when it changes."""

DDL: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE file (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL,
    digest BLOB NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL,
    language TEXT NOT NULL,
    path_vector BLOB NOT NULL,
    born INTEGER NOT NULL,
    died INTEGER
);
CREATE UNIQUE INDEX file_live ON file (path) WHERE died IS NULL;
CREATE INDEX file_born ON file (born);
CREATE INDEX file_died ON file (died) WHERE died IS NOT NULL;
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_id INTEGER NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    start_line INTEGER NOT NULL,
    end_line INTEGER NOT NULL,
    symbol TEXT,
    kind TEXT,
    digest BLOB NOT NULL,
    vector BLOB NOT NULL,
    terms BLOB NOT NULL
);
CREATE INDEX chunk_file ON chunk (file_id);
CREATE TABLE vector (key BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE skipped (
    path TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL
) WITHOUT ROWID;
"""


_LATEST_NS: Final = 2**63 - 1


def storable_mtime(state: os.stat_result) -> int:
    """When a file was written, in ns; what SQLite cannot hold (after the year 2262) is cut off."""
    return min(state.st_mtime_ns, _LATEST_NS)


@frozen
class Moment:
    """When the disk was looked at: after the store's generation, at that time of the clock."""

    generation: int
    clock_ns: int


@frozen
class KnownFile:
    """What the store remembers of a live file, to tell whether it changed on disk.

    `seen_ns` is the clock when it was read: a file written within the clock's grain of that
    moment may have changed without its mtime telling (git's "racy" problem).
    """

    id: int
    digest: bytes
    size: int
    mtime_ns: int
    seen_ns: int


@frozen
class KnownSkip:
    """A file whose content was looked at and left out."""

    reason: str
    size: int
    mtime_ns: int


@frozen
class ChunkRecord:
    """A chunk on its way into the store.

    `digest` is of its text alone (16 bytes), `vector` the key of what was embedded, `terms` the
    packed postings (see `codeintel_ls.index.terms`).
    """

    start_line: int
    end_line: int
    symbol: str | None
    kind: str | None
    digest: bytes
    vector: bytes
    terms: bytes


@frozen
class FileRecord:
    """A file on its way into the store, with all its chunks."""

    path: str
    digest: bytes
    size: int
    mtime_ns: int
    seen_ns: int
    language: str
    path_vector: bytes
    chunks: tuple[ChunkRecord, ...]


@frozen
class ChunkPlace:
    """Where a chunk stands and what it is: all that ranking and presenting need of it."""

    chunk_id: int
    file_id: int
    path: str
    language: str
    file_digest: bytes
    start_line: int
    end_line: int
    symbol: str | None
    kind: str | None
    digest: bytes


@frozen(kw_only=True)
class StoredChanges:
    """What has become of an index since an earlier generation.

    `whole`: it must be built anew, from all `rows`. A row is (chunk id, file id, packed vector of
    the text, packed vector of the path, packed terms).
    """

    generation: int
    whole: bool
    dead_files: list[int]
    rows: list[tuple[Any, ...]]
