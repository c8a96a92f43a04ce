"""The commits of a store as they are searched: immutable segments in memory, a few of them.

A view: made from the store alone. New commits make a new segment; one that is not more than twice
as large as what comes behind it is made one with it, so that there are never many, and each commit
is read a few times at most.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.index.commit_store import CommitRows, CommitStore
from codeintel_ls.index.dense import DenseIndex
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.lexical import LexicalPostings, posting_keys
from codeintel_ls.index.terms import posting_bytes, unpack_terms

_FLAT_UP_TO: Final = 10_000
"""Exact up to here, and above it by 8-bit vectors, which take a quarter of the memory."""


@frozen(kw_only=True, eq=False)
class CommitSegment:
    """n commits at positions 0 to n - 1; the arrays are those of `CommitRows`."""

    numbers: NDArray[np.int64]
    ids: NDArray[np.bytes_]
    times: NDArray[np.int64]
    people: NDArray[np.int64]
    merges: NDArray[np.bool_]
    dense: DenseIndex
    postings: LexicalPostings

    @classmethod
    def of(cls, rows: CommitRows) -> "CommitSegment":
        """The segment of these commits."""
        size = len(rows.numbers)
        kind = PrimaryKind.FLAT if size <= _FLAT_UP_TO else PrimaryKind.SQ8
        keys = posting_keys(unpack_terms(rows.terms), rows.term_bytes // posting_bytes())
        return cls(
            numbers=rows.numbers,
            ids=rows.ids,
            times=rows.times,
            people=rows.people,
            merges=rows.merges,
            dense=DenseIndex.build(kind, rows.vectors),
            postings=LexicalPostings.of(keys, size),
        )

    def __len__(self) -> int:
        return len(self.numbers)


@frozen(eq=False)
class CommitView:
    """Segments in the order of their commits' numbers."""

    segments: tuple[CommitSegment, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.segments))

    def brought_up_to_date(self, store: CommitStore, dimension: int) -> "CommitView":
        """With what the store has got since; the same view where that is nothing."""
        kept: Sequence[CommitSegment] = self.segments
        new = store.count_after(_last(kept))
        if not new:
            return self
        while kept and len(kept[-1]) <= 2 * new:
            new += len(kept[-1])
            kept = kept[:-1]
        rows = store.rows_after(_last(kept), dimension)
        return CommitView((*kept, CommitSegment.of(rows))) if len(rows.numbers) else self


def _last(segments: Sequence[CommitSegment]) -> int:
    return int(segments[-1].numbers[-1]) if segments else 0
