"""A segment: an immutable run of chunks that can be searched by meaning and by letters.

A view of the store. Nothing in it changes after it was built; what is deleted later is marked in
the generation that holds the segment (tombstones), never here. The small ones live in memory, the
large ones are files that are mapped (see `segment_files`).
"""

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.index.dense import DenseIndex
from codeintel_ls.index.errors import DamagedCacheError
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.lexical import LexicalPostings
from codeintel_ls.index.rows import ChunkRows
from codeintel_ls.index.schema import chunk_id


@frozen(eq=False)
class Segment:
    """n chunks of f files.

    `files` int64 (f,), ascending ids; `starts` int64 (f + 1,): the chunks of file i are the
    positions `starts[i]` to `starts[i + 1]`. `rows` is there where the segment lives in memory,
    `name` where it is a folder on disk.
    """

    files: NDArray[np.int64]
    starts: NDArray[np.int64]
    postings: LexicalPostings
    dense: DenseIndex
    rows: ChunkRows | None = None
    name: str | None = None

    @classmethod
    def of(cls, rows: ChunkRows) -> "Segment":
        """An exact segment in memory."""
        return cls(
            files=rows.files,
            starts=starts_of(rows.counts),
            postings=LexicalPostings.of(rows.postings, len(rows)),
            dense=DenseIndex.build(PrimaryKind.FLAT, rows.vectors),
            rows=rows,
        )

    def __len__(self) -> int:
        return int(self.starts[-1])

    @property
    def nbytes(self) -> int:
        """Bytes in memory, or in mapped files, without Python's own overhead."""
        return self.dense.nbytes + self.postings.nbytes + self.files.nbytes + self.starts.nbytes

    def addresses(self) -> list[int]:
        """An address in each array and in the codes of the vectors, good while this is held."""
        postings = self.postings
        arrays: tuple[NDArray[Any], ...] = (
            self.files,
            self.starts,
            postings.terms,
            postings.offsets,
            postings.documents,
            postings.impacts,
        )
        # An empty array has an address all the same, and what lies there is not its own.
        found = [array.ctypes.data for array in arrays if array.nbytes]
        codes = self.dense.codes_address()
        return found if codes is None else [*found, codes]

    def chunk_ids(self, positions: NDArray[np.integer]) -> NDArray[np.int64]:
        """The ids of the chunks at positions. Raises DamagedCacheError where there are none."""
        places = np.searchsorted(self.starts, positions, side="right") - 1
        try:
            # Files without a chunk share their start with the next: the last of them holds it.
            ids = self.files[places]
        except IndexError as error:
            raise DamagedCacheError("A segment of the index is damaged.") from error
        return chunk_ids(ids, positions - self.starts[places])

    def of_files(self, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which positions belong to the wanted files, bool (n,), from bool (f,)."""
        return np.repeat(wanted, np.diff(self.starts))

    def places_of(self, file_ids: NDArray[np.int64]) -> NDArray[np.intp]:
        """Where in `files` those of them lie that are here."""
        if not len(self.files):
            return np.empty(0, dtype=np.intp)
        places = np.minimum(np.searchsorted(self.files, file_ids), len(self.files) - 1)
        return places[self.files[places] == file_ids]

    def spans(self, file_ids: NDArray[np.int64]) -> list[tuple[int, int]]:
        """The positions of those of the files that are here, as (first, end)."""
        here = self.places_of(file_ids)
        return list(zip(self.starts[here].tolist(), self.starts[here + 1].tolist(), strict=True))


def chunk_ids(files: NDArray[np.int64], ordinals: NDArray[np.integer]) -> NDArray[np.int64]:
    """`schema.chunk_id` of arrays."""
    return files * chunk_id(1, 0) + ordinals


def starts_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each file's chunks begin, and behind them the number of all, int64 (f + 1,)."""
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts, dtype=np.int64)])
