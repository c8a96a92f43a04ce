"""Candidates: the chunks of one generation that may answer, by meaning and by letters."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_ls.index.generation import Generation
from codeintel_ls.index.lexical import highest_score, inverse_document_frequency
from codeintel_ls.search.filtering import Masks

_LETTERS: Final = 1.1
"""What a chunk that covers the whole question by letters has beside one that is nearest to it."""
_AGREED: Final = 0.73
"""The coverage from which on question and code surely use the same words."""


# Values of which every search makes hundreds are named tuples: frozen attrs classes take five
# times as long to make.


class RankedChunk(NamedTuple):
    """One entry of a candidate list: a chunk's id and its score there."""

    chunk_id: int
    score: float


class FusedChunk(NamedTuple):
    """A chunk with its 1-based ranks and scores in both lists; `fused` lies in 0..1.

    `spells` says that it holds an identifier of the question letter by letter, `quoted` that it
    holds what the question quotes.
    """

    chunk_id: int
    dense_rank: int | None
    dense_score: float | None
    lexical_rank: int | None
    lexical_score: float | None
    fused: float
    spells: bool = False
    quoted: bool = False


class LexicalCandidates(NamedTuple):
    """What the letters say of a question.

    `highest` is the score that no chunk can exceed. `agreement` (0..1): 1 where some chunk holds
    the question's rare words often, near 0 where people and code use different words.
    """

    chunks: Sequence[RankedChunk]
    highest: float
    agreement: float

    @classmethod
    def of(cls, chunks: Sequence[RankedChunk], highest: float) -> "LexicalCandidates":
        """`chunks` are the best first."""
        coverage = chunks[0].score / highest if chunks and highest > 0 else 0.0
        return cls(chunks, highest, min(coverage / _AGREED, 1.0))


NO_LETTERS: Final = LexicalCandidates((), 0.0, 0.0)


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
) -> LexicalCandidates:
    """The k best chunks by BM25 over all segments."""
    weighted, highest = weighed(terms, generation.chunks, partial(document_frequency, generation))
    found: list[RankedChunk] = []
    for segment, mask in zip(generation.segments, masks, strict=True):
        allowed = mask.allowed if mask is not None else None
        positions, scores = segment.postings.best(weighted, k, allowed)
        ids = segment.chunk_ids(positions)
        found.extend(map(RankedChunk, ids.tolist(), scores.tolist()))
    return LexicalCandidates.of(_best(found, k), highest)


def weighed(
    terms: Mapping[int, float], documents: int, frequency_of: Callable[[int], int]
) -> tuple[dict[int, float], float]:
    """The idf of each term that occurs, times its weight; and the highest score of all terms.

    Words that nothing holds count for the latter: nothing can answer them by letters.
    """
    documents = max(documents, 1)
    frequencies = {term: frequency_of(term) for term in terms}
    weighted = {
        term: weight * inverse_document_frequency(documents, frequencies[term])
        for term, weight in terms.items()
    }
    highest = highest_score(weighted.values())
    return {term: idf for term, idf in weighted.items() if frequencies[term]}, highest


def spelling(generation: Generation, terms: Collection[int]) -> frozenset[int]:
    """Ids of the chunks that hold one of the terms, where that tells anything.

    A term in more than a hundredth of all chunks tells nothing.
    """
    found: set[int] = set()
    for term in terms:
        if document_frequency(generation, term) > max(generation.chunks // 100, 20):
            continue
        for segment in generation.segments:
            found.update(segment.chunk_ids(segment.postings.holders(term)).tolist())
    return frozenset(found)


def fuse(
    dense: Sequence[RankedChunk],
    lexical: LexicalCandidates,
    spelled: frozenset[int] = frozenset(),
) -> list[FusedChunk]:
    """Both lists in one, the best first, by a weighted sum of scores.

    By meaning a chunk counts as near as it is beside the nearest one; by letters as much of the
    question as it covers, so that they say little where nothing covers much. Scaled so that a chunk
    which is first in every list that has entries gets 1. `spelled` are the ids of `spelling`.
    """
    near, covering = _nearness(dense), _coverage(lexical)
    # What only the letters found is at most as near as the last of the near ones.
    far = min(near.values(), default=0.0)
    best = max(near.values(), default=0.0) + _LETTERS * max(covering.values(), default=0.0)
    dense_ranks, lexical_ranks = _ranks(dense), _ranks(lexical.chunks)
    fused: list[FusedChunk] = []
    for chunk_id in dict.fromkeys((*near, *covering)):
        total = near.get(chunk_id, far) + _LETTERS * covering.get(chunk_id, 0.0)
        dense_rank, lexical_rank = dense_ranks.get(chunk_id), lexical_ranks.get(chunk_id)
        fused.append(
            FusedChunk(
                chunk_id,
                dense_rank,
                dense[dense_rank - 1].score if dense_rank else None,
                lexical_rank,
                lexical.chunks[lexical_rank - 1].score if lexical_rank else None,
                total / best if best > 0 else 0.0,
                chunk_id in spelled,
            )
        )
    return sorted(fused, key=lambda chunk: (-chunk.fused, chunk.chunk_id))


def evidence(dense: Sequence[RankedChunk], lexical: LexicalCandidates) -> float:
    """How much the best of both lists say, by itself and not beside one another.

    Fused scores are relative to the best of one index; by this those of several compare.
    """
    nearest = max(dense[0].score, 0.0) if dense else 0.0
    return nearest + _LETTERS * max(_coverage(lexical).values(), default=0.0)


def _nearness(dense: Sequence[RankedChunk]) -> dict[int, float]:
    best = dense[0].score if dense else 0.0
    return {chunk.chunk_id: max(chunk.score, 0.0) / best if best > 0 else 0.0 for chunk in dense}


def _coverage(lexical: LexicalCandidates) -> dict[int, float]:
    highest = lexical.highest
    return {chunk.chunk_id: chunk.score / highest for chunk in lexical.chunks if highest > 0}


def _ranks(chunks: Sequence[RankedChunk]) -> dict[int, int]:
    """1-based ranks by id. Equal scores share one: ids tell only in which order files came in."""
    ranks: dict[int, int] = {}
    rank, before = 0, float("nan")
    for number, chunk in enumerate(chunks, 1):
        if chunk.score != before:
            rank, before = number, chunk.score
        ranks[chunk.chunk_id] = rank
    return ranks


def document_frequency(generation: Generation, term: int) -> int:
    """In how many live chunks the term occurs."""
    return sum(
        segment.postings.document_frequency(term, marks.dead if marks.count else None)
        for segment, marks in zip(generation.segments, generation.tombstones, strict=True)
    )


def _best(found: list[RankedChunk], k: int) -> list[RankedChunk]:
    return sorted(found, key=lambda chunk: (-chunk.score, chunk.chunk_id))[:k]
