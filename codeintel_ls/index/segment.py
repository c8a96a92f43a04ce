"""A segment: an immutable run of chunks that can be searched by meaning and by letters.

A view of the store. Nothing in it changes after it was built; what is deleted later is marked in
the generation that holds the segment (tombstones), never here.
"""

from collections.abc import Sequence
from threading import local

import faiss
import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from codeintel_ls.embedding import Vectors
from codeintel_ls.index.lexical import LexicalPostings

_thread = local()


@frozen(eq=False)
class ChunkColumns:
    """What a segment is built from: n chunks, column by column.

    `chunk_ids`, `file_ids` int64 (n,); `vectors` float32 (n, d), unit rows; `terms` uint32 (p,),
    `frequencies` uint8 (p,) and `term_counts` int64 (n,) as `LexicalPostings.build` takes them.
    """

    chunk_ids: NDArray[np.int64]
    file_ids: NDArray[np.int64]
    vectors: Vectors
    terms: NDArray[np.uint32]
    frequencies: NDArray[np.uint8]
    term_counts: NDArray[np.int64]


@frozen(eq=False)
class Segment:
    """n chunks: `chunk_ids` and `file_ids` int64 (n,), an exact FAISS index, and postings."""

    chunk_ids: NDArray[np.int64]
    file_ids: NDArray[np.int64]
    postings: LexicalPostings
    _dense: faiss.IndexFlatIP = field(repr=False)

    @classmethod
    def build(cls, columns: ChunkColumns) -> "Segment":
        """Index the columns; costs a copy of the vectors and a sort of the terms."""
        dense = faiss.IndexFlatIP(columns.vectors.shape[1])
        dense.add(np.ascontiguousarray(columns.vectors))
        postings = LexicalPostings.build(columns.terms, columns.frequencies, columns.term_counts)
        return cls(columns.chunk_ids, columns.file_ids, postings, dense)

    @classmethod
    def merge(cls, segments: Sequence["Segment"], dead: Sequence[NDArray[np.bool_]]) -> "Segment":
        """One segment of all live chunks of several; needs neither store nor encoder."""
        parts = [segment._columns(~gone) for segment, gone in zip(segments, dead, strict=True)]
        return cls.build(
            ChunkColumns(
                chunk_ids=np.concatenate([part.chunk_ids for part in parts]),
                file_ids=np.concatenate([part.file_ids for part in parts]),
                vectors=np.concatenate([part.vectors for part in parts]),
                terms=np.concatenate([part.terms for part in parts]),
                frequencies=np.concatenate([part.frequencies for part in parts]),
                term_counts=np.concatenate([part.term_counts for part in parts]),
            )
        )

    def __len__(self) -> int:
        return len(self.chunk_ids)

    @property
    def dimension(self) -> int:
        """The length of the vectors."""
        return self._dense.d

    @property
    def nbytes(self) -> int:
        """Bytes held in memory, without Python's own overhead."""
        vectors = len(self) * self.dimension * 4
        return vectors + self.postings.nbytes + self.chunk_ids.nbytes + self.file_ids.nbytes

    def nearest(
        self, vector: NDArray[np.float32], k: int, allowed: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Positions and inner products of the k nearest chunks, the best first.

        `vector` has shape (d,). Only positions where `allowed` (bool, (n,)) is true take part.
        """
        _use_one_thread()
        parameters = None
        if allowed is not None:
            k = min(k, int(np.count_nonzero(allowed)))
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits))
            parameters = faiss.SearchParameters(sel=selector)
        k = min(k, len(self))
        if k == 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        query = np.ascontiguousarray(vector[np.newaxis, :], dtype=np.float32)
        scores, positions = self._dense.search(query, k, params=parameters)
        found = positions[0] >= 0
        return positions[0][found], scores[0][found]

    def vector(self, position: int) -> NDArray[np.float32]:
        """The vector of one chunk, shape (d,)."""
        return self._dense.reconstruct(position)

    def _columns(self, live: NDArray[np.bool_]) -> ChunkColumns:
        vectors = self._dense.reconstruct_n(0, len(self))
        terms, frequencies, counts = self.postings.forward()
        kept = np.repeat(live, counts)
        return ChunkColumns(
            chunk_ids=self.chunk_ids[live],
            file_ids=self.file_ids[live],
            vectors=vectors[live],
            terms=terms[kept],
            frequencies=frequencies[kept],
            term_counts=counts[live],
        )


def _use_one_thread() -> None:
    """One OpenMP thread per query: more made single queries slower, and every pool would spin."""
    if not getattr(_thread, "limited", False):
        faiss.omp_set_num_threads(1)
        _thread.limited = True
