"""Candidates: the chunks of one generation that may answer, by meaning and by letters."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_ls.index.generation import Generation
from codeintel_ls.index.lexical import inverse_document_frequency
from codeintel_ls.search.filtering import Masks

_RRF_CONSTANT: Final = 60


# Values of which every search makes hundreds are named tuples: frozen attrs classes take five
# times as long to make.


class RankedChunk(NamedTuple):
    """One entry of a candidate list: a chunk's id and its score there."""

    chunk_id: int
    score: float


class FusedChunk(NamedTuple):
    """A chunk with its 1-based ranks and scores in both lists; `fused` lies in 0..1.

    `spells` says that it holds an identifier of the question letter by letter.
    """

    chunk_id: int
    dense_rank: int | None
    dense_score: float | None
    lexical_rank: int | None
    lexical_score: float | None
    fused: float
    spells: bool = False


def dense_candidates(
    generation: Generation, masks: Masks, vector: NDArray[np.float32] | None, k: int
) -> list[RankedChunk]:
    """The k nearest chunks to `vector` (d,), the best first; none to None or to nothing."""
    found: list[RankedChunk] = []
    if vector is None or not vector.any():
        return found
    for segment, mask in zip(generation.segments, masks, strict=True):
        if mask is None:
            positions, scores = segment.dense.search(vector, k)
        else:
            positions, scores = segment.dense.search(vector, k, mask.bits, mask.count)
        ids = segment.chunk_ids(positions)
        found.extend(map(RankedChunk, ids.tolist(), scores.tolist()))
    return _best(found, k)


def lexical_candidates(
    generation: Generation, masks: Masks, terms: Mapping[int, float], k: int
) -> list[RankedChunk]:
    """The k best chunks by BM25 over all segments, the best first."""
    documents = max(generation.chunks, 1)
    weighted = {
        term: weight * inverse_document_frequency(documents, frequency)
        for term, weight in terms.items()
        if (frequency := _frequency(generation, term))
    }
    found: list[RankedChunk] = []
    for segment, mask in zip(generation.segments, masks, strict=True):
        allowed = mask.allowed if mask is not None else None
        positions, scores = segment.postings.best(weighted, k, allowed)
        ids = segment.chunk_ids(positions)
        found.extend(map(RankedChunk, ids.tolist(), scores.tolist()))
    return _best(found, k)


def spelling(generation: Generation, terms: Collection[int]) -> frozenset[int]:
    """Ids of the chunks that hold one of the terms, where that tells anything.

    A term in more than a hundredth of all chunks tells nothing.
    """
    found: set[int] = set()
    for term in terms:
        if _frequency(generation, term) > max(generation.chunks // 100, 20):
            continue
        for segment in generation.segments:
            found.update(segment.chunk_ids(segment.postings.holders(term)).tolist())
    return frozenset(found)


def fuse(
    dense: Sequence[RankedChunk],
    lexical: Sequence[RankedChunk],
    spelled: frozenset[int] = frozenset(),
) -> list[FusedChunk]:
    """Reciprocal rank fusion (Cormack, Clarke & Büttcher 2009).

    Scaled so that a chunk which is first in every list that has entries gets 1. `spelled` are the
    ids of `spelling`.
    """
    dense_ranks, lexical_ranks = _ranks(dense), _ranks(lexical)
    lists = [ranks for ranks in (dense_ranks, lexical_ranks) if ranks]
    best = len(lists) / (_RRF_CONSTANT + 1)
    fused: list[FusedChunk] = []
    for chunk_id in dict.fromkeys((*dense_ranks, *lexical_ranks)):
        dense_rank, lexical_rank = dense_ranks.get(chunk_id), lexical_ranks.get(chunk_id)
        total = sum(
            1 / (_RRF_CONSTANT + rank) for rank in (dense_rank, lexical_rank) if rank is not None
        )
        fused.append(
            FusedChunk(
                chunk_id=chunk_id,
                dense_rank=dense_rank,
                dense_score=dense[dense_rank - 1].score if dense_rank else None,
                lexical_rank=lexical_rank,
                lexical_score=lexical[lexical_rank - 1].score if lexical_rank else None,
                fused=total / best,
                spells=chunk_id in spelled,
            )
        )
    return sorted(fused, key=lambda chunk: (-chunk.fused, chunk.chunk_id))


def _ranks(chunks: Sequence[RankedChunk]) -> dict[int, int]:
    """1-based ranks by id. Equal scores share one: ids tell only in which order files came in."""
    ranks: dict[int, int] = {}
    rank, before = 0, float("nan")
    for number, chunk in enumerate(chunks, 1):
        if chunk.score != before:
            rank, before = number, chunk.score
        ranks[chunk.chunk_id] = rank
    return ranks


def _frequency(generation: Generation, term: int) -> int:
    """In how many live chunks the term occurs."""
    return sum(
        segment.postings.document_frequency(term, marks.dead if marks.count else None)
        for segment, marks in zip(generation.segments, generation.tombstones, strict=True)
    )


def _best(found: list[RankedChunk], k: int) -> list[RankedChunk]:
    return sorted(found, key=lambda chunk: (-chunk.score, chunk.chunk_id))[:k]
