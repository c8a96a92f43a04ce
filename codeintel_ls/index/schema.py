"""The tables of a workspace's store, and the values that travel in and out of it.

`file` rows never change once written but for `size`, `mtime_ns` and `seen_ns`: a saved file is a
new row, and the old one gets the number of the generation in which it died. So a reader that
still holds an older generation finds its rows until they are swept.
"""

import os
from typing import Final, NamedTuple

from attrs import frozen

APPLICATION_ID: Final = 0x63694C53
"""Marks the file as ours (SQLite's `application_id`)."""

FORMAT: Final = 2
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
    content BLOB NOT NULL,
    path_content BLOB NOT NULL,
    chunks INTEGER NOT NULL,
    born INTEGER NOT NULL,
    died INTEGER
);
CREATE INDEX file_path ON file (path);
CREATE UNIQUE INDEX file_live ON file (path) WHERE died IS NULL;
CREATE INDEX file_born ON file (born);
CREATE INDEX file_died ON file (died) WHERE died IS NOT NULL;
CREATE TABLE skipped (
    path TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL
) WITHOUT ROWID
"""

_ORDINAL_BITS: Final = 20
_LATEST_NS: Final = 2**63 - 1


def chunk_id(file_id: int, ordinal: int) -> int:
    """The number of a file's chunk: unique, and telling of both."""
    return file_id << _ORDINAL_BITS | ordinal


def file_and_ordinal(chunk: int) -> tuple[int, int]:
    """The reverse of `chunk_id`."""
    return chunk >> _ORDINAL_BITS, chunk & ((1 << _ORDINAL_BITS) - 1)


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
    """A chunk on its way into the store of contents.

    `digest` is of its text alone (16 bytes), `terms` are its packed postings (see
    `codeintel_ls.index.terms`).
    """

    start_line: int
    end_line: int
    symbol: str | None
    kind: str | None
    digest: bytes
    terms: bytes


@frozen
class FileRecord:
    """A file on its way into the store: its content and its path's are in the store of contents.

    `embedded` texts had no vector before.
    """

    path: str
    digest: bytes
    size: int
    mtime_ns: int
    seen_ns: int
    language: str
    content: bytes
    path_content: bytes
    chunks: int
    embedded: int = 0


class ChunkPlace(NamedTuple):
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


@frozen
class FileToView:
    """A live file of a generation, as what views are built from."""

    id: int
    path: str
    content: bytes
    path_content: bytes
    chunks: int
    born: int


@frozen(kw_only=True)
class StoredChanges:
    """What has become of an index between two generations: `born` files live in the later one.

    `last_file` is the largest id that any file of the later one may have.
    """

    generation: int
    last_file: int
    died: list[int]
    born: list[FileToView]
