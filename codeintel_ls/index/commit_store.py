"""The commits of a repository by their ids: author, time, paths, terms and vector.

One database serves all work trees of a repository, and whatever their branches reach: a commit is
embedded once, and stays when a branch no longer holds it. Which of them count is for the reader to
say. Nothing of it is lost for good: a damaged one is deleted and made anew.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np
from attrs import frozen
from filelock import FileLock
from numpy.typing import NDArray

from codeintel_ls.index.database import Database, rows_in
from codeintel_ls.index.errors import DamagedCacheError

APPLICATION_ID: Final = 0x6369484C
"""Marks the file as ours (SQLite's `application_id`)."""

FORMAT: Final = 1
"""The layout below (SQLite's `user_version`); raised when it changes."""

DDL: Final = """
CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    UNIQUE (name, email)
);
CREATE TABLE touched (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    parents INTEGER NOT NULL,
    person INTEGER NOT NULL,
    time INTEGER NOT NULL,
    paths BLOB NOT NULL,
    terms BLOB NOT NULL,
    vector BLOB NOT NULL
)
"""

_LONGEST_TIME: Final = (1 << 62) - 1


@frozen(kw_only=True)
class CommitRecord:
    """A commit to be kept; `terms` and `vector` are packed."""

    id: str
    parents: int
    name: str
    email: str
    time: int
    paths: tuple[str, ...]
    terms: bytes
    vector: bytes


@frozen(kw_only=True, eq=False)
class CommitRows:
    """n commits in the order in which they came.

    `numbers`, `times` (Unix seconds) and `people` int64 (n,); `ids` bytes (n,), hexadecimal;
    `merges` bool (n,); `vectors` float16 (n, d); `term_bytes` int64 (n,) of the packed `terms`.
    """

    numbers: NDArray[np.int64]
    ids: NDArray[np.bytes_]
    times: NDArray[np.int64]
    people: NDArray[np.int64]
    merges: NDArray[np.bool_]
    vectors: NDArray[np.float16]
    term_bytes: NDArray[np.int64]
    terms: bytes


class CommitStore(Database):
    """The tables of one repository's commits."""

    def __init__(self, path: Path) -> None:
        """Open or create the database at `path`, readable by its owner alone.

        Raises DamagedCacheError, CacheUnavailableError.
        """
        super().__init__(path)
        self.create(DDL, APPLICATION_ID, FORMAT)

    @classmethod
    def existing(cls, path: Path) -> "CommitStore":
        """Open the database; one that is gone is not made anew. Raises as the constructor does."""
        if not path.exists():
            raise DamagedCacheError("The index of commits was removed while it was in use.")
        return cls(path)

    @classmethod
    def prepared(cls, folder: Path, recipe: str) -> "CommitStore":
        """The store in `folder` of what `recipe` makes of commits; a damaged one is made anew."""
        digest = blake2b(f"{FORMAT}/{recipe}".encode(), digest_size=4).hexdigest()
        path = folder / f"commits-{digest}.sqlite3"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(folder / "commits.lock", mode=0o600):
            with suppress(DamagedCacheError):
                return cls(path)
            for file in folder.glob(f"{path.name}*"):
                file.unlink()
            return cls(path)

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of the commits that are here."""
        wanted = map(bytes.fromhex, ids)
        rows = self.query_each("SELECT id FROM touched WHERE id IN", wanted)
        return {identity.hex() for (identity,) in rows}

    def all_ids(self) -> NDArray[np.bytes_]:
        """The ids of all commits, hexadecimal, bytes (n,)."""
        return np.array(
            [identity.hex() for (identity,) in self.query("SELECT id FROM touched")], "S"
        )

    def write(self, records: Sequence[CommitRecord]) -> None:
        """Keep commits; those that another process was quicker with stay as they are."""
        with self.transaction() as connection:
            authors = {(record.name, record.email) for record in records}
            connection.executemany(
                "INSERT OR IGNORE INTO person (name, email) VALUES (?, ?)", sorted(authors)
            )
            names = rows_in(
                connection,
                "SELECT name, email, id FROM person WHERE email IN",
                {email for _, email in authors},
            )
            people = {(name, email): number for name, email, number in names}
            connection.executemany(
                "INSERT OR IGNORE INTO touched (id, parents, person, time, paths, terms, vector)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        bytes.fromhex(record.id),
                        record.parents,
                        people[record.name, record.email],
                        max(-_LONGEST_TIME, min(record.time, _LONGEST_TIME)),
                        "\0".join(record.paths).encode("utf-8", "surrogateescape"),
                        record.terms,
                        record.vector,
                    )
                    for record in records
                ],
            )

    def count_after(self, number: int) -> int:
        """How many commits came after the one of that number."""
        return self.query("SELECT count(*) FROM touched WHERE number > ?", (number,))[0][0]

    def rows_after(self, number: int, dimension: int) -> CommitRows:
        """The commits that came after the one of that number; vectors of `dimension`."""
        rows = self.query(
            "SELECT number, id, time, person, parents > 1, terms, vector FROM touched"
            " WHERE number > ? AND length(vector) = ? ORDER BY number",
            (number, 2 * dimension),
        )
        columns = zip(*rows, strict=True) if rows else ((),) * 7
        numbers, ids, times, people, merges, terms, vectors = columns
        return CommitRows(
            numbers=np.array(numbers, np.int64),
            ids=np.array([identity.hex() for identity in ids], "S"),
            times=np.array(times, np.int64),
            people=np.array(people, np.int64),
            merges=np.array(merges, np.bool_),
            vectors=np.frombuffer(b"".join(vectors), "<f2").reshape(len(rows), dimension),
            term_bytes=np.array([len(packed) for packed in terms], np.int64),
            terms=b"".join(terms),
        )

    def details(self, numbers: Iterable[int]) -> dict[int, tuple[str, tuple[str, ...]]]:
        """Id and touched paths of commits by their numbers."""
        sql = "SELECT number, id, paths FROM touched WHERE number IN"
        return {
            number: (
                identity.hex(),
                tuple(paths.decode("utf-8", "surrogateescape").split("\0")) if paths else (),
            )
            for number, identity, paths in self.query_each(sql, numbers)
        }

    def people(self) -> list[tuple[int, str, str]]:
        """Number, name and e-mail of every author, as the commits have them."""
        return self.query("SELECT id, name, email FROM person")
