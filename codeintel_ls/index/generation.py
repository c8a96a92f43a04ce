"""A generation: the immutable snapshot that searches read.

Built from the store and moved forward by what the store says has changed since; the same code
serves the process that writes and one that only reads along. Invariant: publishing a generation
is handing over a reference; nobody ever waits for it and nothing in it changes afterwards.
"""

from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from codeintel_ls.index.segment import ChunkColumns, Segment
from codeintel_ls.index.store import Store
from codeintel_ls.index.terms import posting_bytes, unpack_terms
from codeintel_ls.index.vectors import join_vectors, unpack_vectors

_MOST_SEGMENTS: Final = 8
_MERGE_SHARE: Final = 0.25
_MERGE_LEAST: Final = 2_000


@frozen(eq=False)
class Generation:
    """Segments, the largest first, with their tombstones (bool (n,) each, true: dead)."""

    number: int
    dimension: int
    segments: tuple[Segment, ...] = ()
    tombstones: tuple[NDArray[np.bool_], ...] = ()

    @property
    def chunks(self) -> int:
        """Live chunks."""
        return sum(len(segment) for segment in self.segments) - self.dead

    @property
    def dead(self) -> int:
        """Tombstones."""
        return sum(int(np.count_nonzero(dead)) for dead in self.tombstones)

    @property
    def secondary(self) -> int:
        """Vectors outside the first segment."""
        return sum(len(segment) for segment in self.segments[1:])

    @property
    def nbytes(self) -> int:
        """Bytes held by all segments."""
        return sum(segment.nbytes for segment in self.segments)

    @property
    def wants_merge(self) -> bool:
        """Whether secondary or tombstones have grown past what searches should carry."""
        primary = len(self.segments[0]) if self.segments else 0
        limit = max(_MERGE_LEAST, primary * _MERGE_SHARE)
        return self.secondary > limit or self.dead > limit

    def merged(self) -> "Generation":
        """The same live chunks in a single segment."""
        if len(self.segments) <= 1 and not self.dead:
            return self
        segment = Segment.merge(self.segments, self.tombstones)
        if not len(segment):
            return evolve(self, segments=(), tombstones=())
        return evolve(self, segments=(segment,), tombstones=(np.zeros(len(segment), np.bool_),))

    def with_small_merged(self) -> "Generation":
        """The same live chunks with everything but the primary in one segment."""
        if len(self.segments) <= _MOST_SEGMENTS:
            return self
        small = Segment.merge(self.segments[1:], self.tombstones[1:])
        return evolve(
            self,
            segments=(self.segments[0], small),
            tombstones=(self.tombstones[0], np.zeros(len(small), np.bool_)),
        )


def load_generation(store: Store, dimension: int) -> Generation:
    """The last committed generation as one segment, built from the store alone."""
    return advance_generation(Generation(number=0, dimension=dimension), store)


def advance_generation(generation: Generation, store: Store) -> Generation:
    """`generation` brought up to what the store holds now; loads anew where rows were swept."""
    changes = store.changes_since(generation.number)
    if changes is None:
        return generation
    if changes.whole:
        generation = Generation(number=0, dimension=generation.dimension)
    tombstones = _mark(generation, changes.dead_files)
    return _with_rows(
        evolve(generation, number=changes.generation, tombstones=tombstones), changes.rows
    )


def _mark(generation: Generation, file_ids: list[int]) -> tuple[NDArray[np.bool_], ...]:
    if not file_ids:
        return generation.tombstones
    gone = np.asarray(file_ids, dtype=np.int64)
    marked: list[NDArray[np.bool_]] = []
    for segment, dead in zip(generation.segments, generation.tombstones, strict=True):
        hit = np.isin(segment.file_ids, gone)
        marked.append(dead | hit if hit.any() else dead)
    return tuple(marked)


def _with_rows(generation: Generation, rows: list[tuple[Any, ...]]) -> Generation:
    if not rows:
        return generation
    segment = Segment.build(_columns(rows, generation.dimension))
    grown = evolve(
        generation,
        segments=(*generation.segments, segment),
        tombstones=(*generation.tombstones, np.zeros(len(segment), np.bool_)),
    )
    return grown.with_small_merged()


def _columns(rows: list[tuple[Any, ...]], dimension: int) -> ChunkColumns:
    chunk_ids, file_ids, texts, paths, terms = zip(*rows, strict=True)
    counts = np.array([len(packed) for packed in terms], dtype=np.int64) // posting_bytes()
    unpacked = unpack_terms(b"".join(terms))
    return ChunkColumns(
        chunk_ids=np.array(chunk_ids, dtype=np.int64),
        file_ids=np.array(file_ids, dtype=np.int64),
        vectors=join_vectors(unpack_vectors(texts, dimension), unpack_vectors(paths, dimension)),
        terms=unpacked.terms,
        frequencies=unpacked.frequencies,
        term_counts=counts,
    )
