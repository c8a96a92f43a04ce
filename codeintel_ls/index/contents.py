"""The contents of a repository's files by their hashes: chunks, terms and vectors.

One store serves every workspace folder of a repository (branches, stashes, linked worktrees): what
was cut and embedded once is never cut or embedded again. It knows no files and no generations.
Thread-safe and safe between processes (SQLite, WAL). Invariants: a content is written together
with its vectors or not at all; a row whose bytes were damaged counts as one that is not there.
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeVar
from zlib import crc32

import numpy as np
import orjson
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.embedding import Vectors
from codeintel_ls.index.database import Database, rows_in
from codeintel_ls.index.errors import DamagedCacheError
from codeintel_ls.index.schema import ChunkRecord
from codeintel_ls.index.terms import posting_bytes

APPLICATION_ID: Final = 0x63694C43
"""Marks the file as ours (SQLite's `application_id`)."""

FORMAT: Final = 1
"""The layout below (SQLite's `user_version`); raised when it changes."""

DDL: Final = """
CREATE TABLE vector (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL UNIQUE,
    data BLOB NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE TABLE content (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL UNIQUE,
    places BLOB NOT NULL,
    digests BLOB NOT NULL,
    vectors BLOB NOT NULL,
    counts BLOB NOT NULL,
    terms BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    used INTEGER NOT NULL
)
"""

_VARIABLES: Final = 1_000
_DAY_SECONDS: Final = 86_400
_DIGEST_BYTES: Final = 16
_COLLECTED_AT_ONCE: Final = 500
_PAUSE_SECONDS: Final = 0.01
_T = TypeVar("_T")
_COLUMNS: Final = "key, places, digests, vectors, counts, terms, checksum, used"
_READ: Final = f"{_COLUMNS} FROM content WHERE key IN"
_WRITE: Final = "INSERT OR REPLACE INTO content VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)"


def content_key(recipe: str, language: str, digest: bytes, place: str = "") -> bytes:
    """The 16-byte key of what a file's bytes (`digest`) become in a language, by this recipe.

    `place` is what is read of the file's path together with them, if anything is.
    """
    placed = f"{place}\0" if place else ""
    name = f"content\0{recipe}\0{language}\0{placed}".encode("utf-8", "surrogatepass")
    return blake2b(name + digest, digest_size=16).digest()


@frozen
class ContentRecord:
    """What a file's content was cut into; a path's text is one with no place and one vector.

    `vectors` are the keys of what was embedded.
    """

    key: bytes
    chunks: tuple[ChunkRecord, ...]
    vectors: tuple[bytes, ...]


@frozen
class StoredContent:
    """A content read back: n chunks in order.

    `vectors` int64 (n,) are row ids; `counts` uint32 (n,) says how many of the packed `terms`
    belong to each chunk.
    """

    vectors: NDArray[np.int64]
    counts: NDArray[np.uint32]
    terms: bytes


class ContentStore(Database):
    """The tables of one repository's contents."""

    def __init__(self, path: Path) -> None:
        """Open or create the database at `path`, readable by its owner alone.

        Raises NewerCacheError, DamagedCacheError, CacheUnavailableError.
        """
        super().__init__(path)
        self.create(DDL, APPLICATION_ID, FORMAT)

    @classmethod
    def existing(cls, path: Path) -> "ContentStore":
        """Open the database; one that is gone is not made anew. Raises as the constructor does."""
        if not path.exists():
            raise DamagedCacheError("The index cache was removed while it was in use.")
        return cls(path)

    def known(self, keys: Iterable[bytes]) -> set[bytes]:
        """Those of the contents that are here whole; they count as used today."""
        found: set[bytes] = set()
        old: list[bytes] = []
        today = _today()
        for *columns, used in self._content_rows(keys):
            if _is_whole(columns):
                found.add(columns[0])
                if used < today:
                    old.append(columns[0])
        if old:
            with self.transaction() as connection:
                connection.executemany(
                    "UPDATE content SET used = ? WHERE key = ?", [(today, key) for key in old]
                )
        return found

    def chunk_counts(self, keys: Iterable[bytes]) -> dict[bytes, int]:
        """How many chunks the contents have."""
        sql = "SELECT key, length(digests) FROM content WHERE key IN"
        rows = self.query_each(sql, dict.fromkeys(keys))
        return {key: size // _DIGEST_BYTES for key, size in rows}

    def missing_vectors(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those keys, without repeats, for which nothing was embedded yet."""
        wanted = list(dict.fromkeys(keys))
        rows = self.query_each("SELECT key, data, checksum FROM vector WHERE key IN", wanted)
        known = {key for key, data, checksum in rows if crc32(data) == checksum}
        return [key for key in wanted if key not in known]

    def write(self, contents: Sequence[ContentRecord], vectors: Mapping[bytes, bytes]) -> None:
        """Keep contents and the packed vectors that are new with them; replaces what is there."""
        today = _today()
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO vector (key, data, checksum) VALUES (?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE"
                " SET data = excluded.data, checksum = excluded.checksum",
                [(key, data, crc32(data)) for key, data in vectors.items()],
            )
            ids = _vector_ids(connection, [key for content in contents for key in content.vectors])
            connection.executemany(
                _WRITE,
                [(*_row(content, ids), today) for content in contents],
            )

    def counts(self) -> tuple[int, int]:
        """How many contents and how many vectors there are."""
        return (
            self.query("SELECT count(*) FROM content")[0][0],
            self.query("SELECT count(*) FROM vector")[0][0],
        )

    def forget(self, keys: Iterable[bytes]) -> None:
        """Take contents out whose vectors were lost, so that they are made anew."""
        with self.transaction() as connection:
            connection.executemany("DELETE FROM content WHERE key = ?", [(key,) for key in keys])

    def contents(self, keys: Iterable[bytes]) -> dict[bytes, StoredContent]:
        """Those of the contents that are here whole, by key."""
        found: dict[bytes, StoredContent] = {}
        for *columns, _ in self._content_rows(keys):
            if _is_whole(columns):
                key, _, _, vectors, counts, terms, _ = columns
                found[key] = StoredContent(
                    np.frombuffer(vectors, "<i8"), np.frombuffer(counts, "<u4"), terms
                )
        return found

    def vectors(self, ids: NDArray[np.int64], dimension: int) -> tuple[Vectors, NDArray[np.bool_]]:
        """Vectors by row id, float32 (n, dimension), and which of them are here whole, bool (n,).

        The others are zeros.
        """
        wanted, places = np.unique(ids, return_inverse=True)
        vectors = np.zeros((len(wanted), dimension), dtype=np.float32)
        found = np.zeros(len(wanted), dtype=np.bool_)
        size = 2 * dimension
        place_of = {number: place for place, number in enumerate(wanted.tolist())}
        positions: list[int] = []
        packed: list[bytes] = []
        for number, data, checksum in self._vector_rows(wanted):
            place = place_of.get(number)
            if place is not None and len(data) == size and crc32(data) == checksum:
                positions.append(place)
                packed.append(data)
        if positions:
            read = np.frombuffer(b"".join(packed), dtype="<f2").reshape(len(packed), dimension)
            vectors[positions] = read
            found[positions] = True
        return vectors[places], found[places]

    def collect(self, referenced: Callable[[], set[bytes]], *, unused_days: int) -> int:
        """Delete contents that are not `referenced` and were last used so many days ago or more.

        Vectors that no content names (any more) go, too. It is done in small steps between which
        others may write; what they find to be known meanwhile stays, and so does what is referenced
        by then. Returns how many rows went.
        """
        today = _today()
        before = today - unused_days
        rows = self.query("SELECT key FROM content WHERE used <= ?", (before,))
        named = referenced()
        unnamed = [key for (key,) in rows if key not in named]
        if unnamed and before == today:
            # Whoever finds one of them from now on makes it one of today's again.
            before = today - 1
            for step in _steps(unnamed):
                with self.transaction() as connection:
                    connection.executemany(
                        "UPDATE content SET used = ? WHERE key = ? AND used > ?",
                        [(before, key, before) for key in step],
                    )
        if unnamed:
            named = referenced()
        gone = 0
        for step in _steps([key for key in unnamed if key not in named]):
            with self.transaction() as connection:
                gone += connection.executemany(
                    "DELETE FROM content WHERE key = ? AND used <= ?",
                    [(key, before) for key in step],
                ).rowcount
        return gone + self._collect_vectors()

    def _collect_vectors(self) -> int:
        with self.snapshot() as connection:
            ids = _integers(connection.execute("SELECT id FROM vector"))
            last, named = _named_since(connection, 0)
        gone = 0
        for step in _steps(np.setdiff1d(ids, named).tolist()):
            with self.transaction() as connection:
                # A content that was written since may name what nobody did before.
                last, newly = _named_since(connection, last)
                named = np.union1d(named, newly) if len(newly) else named
                unnamed = np.setdiff1d(np.array(step, dtype=np.int64), named).tolist()
                gone += connection.executemany(
                    "DELETE FROM vector WHERE id = ?", [(number,) for number in unnamed]
                ).rowcount
        return gone

    def _content_rows(self, keys: Iterable[bytes]) -> Iterator[tuple[Any, ...]]:
        return self.query_each(f"SELECT {_READ}", dict.fromkeys(keys))

    def _vector_rows(self, ids: NDArray[np.int64]) -> Iterator[tuple[Any, ...]]:
        """Rows of at least these ids; what was written together is read in one run."""
        for first in range(0, len(ids), _VARIABLES):
            some = ids[first : first + _VARIABLES]
            low, high = int(some[0]), int(some[-1])
            if high - low < 2 * len(some):
                yield from self.query(
                    "SELECT id, data, checksum FROM vector WHERE id BETWEEN ? AND ?", (low, high)
                )
            else:
                yield from self.query_each(
                    "SELECT id, data, checksum FROM vector WHERE id IN", some.tolist()
                )


Place = tuple[int, int, str | None, str | None, bytes]
"""Start line, end line (exclusive), symbol, kind and digest of a chunk."""


@frozen
class StoredPlaces:
    """The places of a content's chunks, unpacked one by one: an answer wants few of a file's."""

    lines: list[bytes]
    digests: bytes

    @classmethod
    def of(cls, places: bytes, digests: bytes) -> "StoredPlaces":
        """From the columns of a content."""
        return cls(places.split(b"\n") if places else [], digests)

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, ordinal: int) -> Place:
        start, end, symbol, kind = orjson.loads(self.lines[ordinal])
        first = ordinal * _DIGEST_BYTES
        return start, end, symbol, kind, self.digests[first : first + _DIGEST_BYTES]


def _steps(rows: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """A few rows at a time, with a pause for those who wait to write."""
    for first in range(0, len(rows), _COLLECTED_AT_ONCE):
        if first:
            time.sleep(_PAUSE_SECONDS)
        yield rows[first : first + _COLLECTED_AT_ONCE]


def _named_since(connection: sqlite3.Connection, content: int) -> tuple[int, NDArray[np.int64]]:
    """The last content, and the vectors that the contents behind the row `content` name."""
    parts: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)]
    rows = connection.execute(
        "SELECT id, vectors FROM content WHERE id > ? ORDER BY id", (content,)
    )
    for number, vectors in rows:
        content = number
        # Damaged bytes of another length count as a content that is not there.
        parts.append(np.frombuffer(vectors, "<i8", count=len(vectors) // 8))
    return content, np.unique(np.concatenate(parts))


def _integers(rows: Iterable[tuple[int]]) -> NDArray[np.int64]:
    return np.fromiter((number for (number,) in rows), dtype=np.int64)


def _row(content: ContentRecord, ids: Mapping[bytes, int]) -> tuple[Any, ...]:
    chunks, size = content.chunks, posting_bytes()
    columns = (
        b"\n".join(
            orjson.dumps((chunk.start_line, chunk.end_line, chunk.symbol, chunk.kind))
            for chunk in chunks
        ),
        b"".join(chunk.digest for chunk in chunks),
        np.array([ids[key] for key in content.vectors], dtype="<i8").tobytes(),
        np.array([len(chunk.terms) // size for chunk in chunks], dtype="<u4").tobytes(),
        b"".join(chunk.terms for chunk in chunks),
    )
    return (content.key, *columns, _checksum(columns))


def _vector_ids(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, int]:
    return dict(rows_in(connection, "SELECT key, id FROM vector WHERE key IN", dict.fromkeys(keys)))


def _is_whole(columns: Sequence[Any]) -> bool:
    return _checksum(columns[1:-1]) == columns[-1]


def _checksum(columns: Iterable[bytes]) -> int:
    checksum = 0
    for column in columns:
        checksum = crc32(column, checksum)
    return checksum


def _today() -> int:
    return int(time.time()) // _DAY_SECONDS
