"""Lexical postings of one segment, and BM25 over them.

A view: immutable once built, made from the packed terms in the store alone. How much a term counts
for a chunk depends on that chunk alone (a fixed pivot stands for the average length), so that the
same chunks score the same however they came into the index.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from math import log
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.index.errors import DamagedSegmentError, SegmentTooLargeError
from codeintel_ls.index.terms import TermCounts

LARGEST: Final = 1 << 24
"""At most so many documents fit one segment's postings."""

_DOCUMENT: Final = np.uint64((LARGEST - 1) << 8)
_K1: Final = 1.2
_B: Final = 0.6
_PIVOT: Final = 110.0
"""The length (terms, repeats counted) at which a chunk is neither short nor long."""

_DAMAGED: Final = "A segment of the index is damaged."

_STEPS: Final = 255
_FEW_SHARE: Final = 16
_GROUP: Final = 64
_ROUNDING: Final = 1e-5
_IMPACTS: Final = (np.arange(_STEPS + 1) * ((_K1 + 1) / _STEPS)).astype(np.float32)


@frozen(eq=False)
class LexicalPostings:
    """An inverted index in columns, over `size` documents.

    `terms` uint32 (t,), sorted; postings of term i are `documents[offsets[i]:offsets[i + 1]]`
    (uint32, ascending positions in the segment) with `impacts` (uint8) beside them: BM25's share
    of the term in that document, in 255ths of the largest possible. Searching raises
    DamagedCacheError where the arrays turn out to make no sense.
    """

    size: int
    terms: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    documents: NDArray[np.uint32]
    impacts: NDArray[np.uint8]

    @classmethod
    def of(cls, keys: NDArray[np.uint64], size: int) -> "LexicalPostings":
        """From the sorted keys of `posting_keys` over `size` documents.

        Raises SegmentTooLargeError.
        """
        require_size(size)
        terms, starts = _terms_of(keys)
        return cls(
            size=size,
            terms=terms,
            offsets=np.append(starts, len(keys)),
            documents=documents_of(keys),
            impacts=keys.astype(np.uint8),
        )

    def document_frequency(self, term: int, dead: NDArray[np.bool_] | None = None) -> int:
        """How many documents hold the term, those that are `dead` (bool (size,)) not counted."""
        start, end = self._span(term)
        if dead is None or start == end:
            return end - start
        with _sound():
            return end - start - int(np.count_nonzero(dead[self.documents[start:end]]))

    def holders(self, term: int) -> NDArray[np.uint32]:
        """Positions of the documents that hold the term, ascending."""
        start, end = self._span(term)
        return self.documents[start:end]

    def score(self, weighted_idf: Mapping[int, float]) -> NDArray[np.float32]:
        """BM25 (Robertson & Zaragoza 2009) of every document, float32 (n,); 0 where none match."""
        scores = np.zeros(self.size, dtype=np.float32)
        for term, idf in _rarest_first(weighted_idf):
            self._add(scores, term, idf)
        return scores

    def best(
        self, weighted_idf: Mapping[int, float], k: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Positions and scores of the k best documents (of equal ones, any), in no order.

        Only positions where `allowed` (bool (size,)) is true take part. Rare terms come first;
        what they leave too far behind for the common ones to lift among the best is not looked at
        again (MaxScore, Turtle & Flood 1995).
        """
        scores = np.zeros(self.size, dtype=np.float32)
        terms = _rarest_first(weighted_idf)
        more = sum(idf for _, idf in terms) * (_K1 + 1)
        for number, (term, idf) in enumerate(terms):
            start, end = self._span(term)
            reached = _a_kth(scores, k) if end - start > self.size // _GROUP else 0.0
            if reached > more:
                positions = _at_least(scores, reached - more)
                if len(positions) < (end - start) // _FEW_SHARE:
                    own = scores[positions]
                    for common, weight in terms[number:]:
                        self._add_to(own, positions, common, weight)
                    return _best(positions, own, k)
            self._add(scores, term, idf)
            more -= idf * (_K1 + 1)
            if allowed is not None:
                scores *= allowed
        positions = _at_least(scores, _a_kth(scores, k))
        return _best(positions, scores[positions], k)

    def _add(self, scores: NDArray[np.float32], term: int, idf: float) -> None:
        """Add a term's share to the scores (float32 (size,)) of all documents."""
        start, end = self._span(term)
        if start != end:
            with _sound():
                scores[self.documents[start:end]] += _shares(idf)[self.impacts[start:end]]

    def _add_to(
        self, own: NDArray[np.float32], positions: NDArray[np.int64], term: int, idf: float
    ) -> None:
        """Add a term's share to the scores `own` of the documents at `positions`, ascending."""
        start, end = self._span(term)
        if start == end:
            return
        holders = self.documents[start:end]
        places = np.searchsorted(holders, positions.astype(np.uint32))
        places[places == len(holders)] = 0
        held = holders[places] == positions
        own[held] += _shares(idf)[self.impacts[start:end][places[held]]]

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        arrays = (self.terms, self.offsets, self.documents, self.impacts)
        return sum(array.nbytes for array in arrays)

    def _span(self, term: int) -> tuple[int, int]:
        index = int(np.searchsorted(self.terms, np.uint32(term)))
        if index == len(self.terms) or int(self.terms[index]) != term:
            return 0, 0
        start, end = int(self.offsets[index]), int(self.offsets[index + 1])
        if not 0 <= start <= end <= len(self.documents):
            raise DamagedSegmentError(_DAMAGED)
        return start, end


def _rarest_first(weighted_idf: Mapping[int, float]) -> list[tuple[int, float]]:
    """Always the same order, so that the same document has the same sum however it is found."""
    return sorted(weighted_idf.items(), key=lambda item: (-item[1], item[0]))


def _shares(idf: float) -> NDArray[np.float32]:
    return _IMPACTS * np.float32(idf)


def _a_kth(scores: NDArray[np.float32], k: int) -> float:
    """A number that at least k of the scores reach, near the k-th best; 0 for fewer than k.

    The k-th best of the maxima of many groups: cheaper than the k-th best of all.
    """
    width = len(scores) // _GROUP
    maxima = scores[: width * _GROUP].reshape(_GROUP, width).max(axis=0)
    positive = maxima[maxima > 0]
    if len(positive) < k:
        return 0.0
    positive.partition(len(positive) - k)
    return float(positive[len(positive) - k])


def _at_least(scores: NDArray[np.float32], least: float) -> NDArray[np.int64]:
    """Positions of the scores that reach `least` and are any."""
    # A little less: sums of float32 are rounded.
    floor = np.float32(least - _ROUNDING * abs(least))
    return np.flatnonzero(scores >= floor if floor > 0 else scores > 0)


def _best(
    positions: NDArray[np.int64], scores: NDArray[np.float32], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    if len(positions) <= k:
        return positions, scores
    chosen = np.argpartition(-scores, k)[:k]
    return positions[chosen], scores[chosen]


@contextmanager
def _sound() -> Generator[None]:
    """What leads out of an array was damaged on disk: nothing is checked before it is used."""
    try:
        yield
    except IndexError as error:
        raise DamagedSegmentError(_DAMAGED) from error


def require_size(documents: int) -> None:
    """Raise SegmentTooLargeError where one segment's postings cannot hold so many documents."""
    if documents > LARGEST:
        raise SegmentTooLargeError(
            f"The index would have {documents:,} chunks; at most {LARGEST:,} fit. "
            "Exclude folders with index.exclude, or lower index.maxChunks."
        )


def posting_keys(counts: TermCounts, term_counts: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The postings of n documents, one number each, ascending: term, document, impact.

    `term_counts` (n,) says how many of the concatenated terms each document has; a term may be
    there twice, and its frequencies add up. In a key, the term takes the upper 32 bits, the
    document the next 24, the impact the lowest 8. Raises SegmentTooLargeError.
    """
    require_size(len(term_counts))
    documents = np.repeat(np.arange(len(term_counts), dtype=np.uint64), term_counts)
    keys = counts.terms.astype(np.uint64) << np.uint64(32)
    keys |= documents << np.uint64(8)
    keys |= counts.frequencies
    keys.sort()
    places = keys >> np.uint64(8)
    first = np.ones(len(keys), dtype=np.bool_)
    np.not_equal(places[1:], places[:-1], out=first[1:])
    starts = np.flatnonzero(first)
    if not len(starts):
        return keys
    frequencies = np.add.reduceat((keys & np.uint64(0xFF)).astype(np.float32), starts)
    places = places[starts]
    positions = (places & np.uint64(LARGEST - 1)).astype(np.int64)
    lengths = np.bincount(positions, weights=frequencies, minlength=len(term_counts))
    norms = _K1 * (1 - _B + _B * lengths / _PIVOT)
    shares = frequencies / (frequencies + norms[positions])
    return (places << np.uint64(8)) | np.rint(shares * _STEPS).astype(np.uint64)


def moved(keys: NDArray[np.uint64], documents: int) -> NDArray[np.uint64]:
    """The same postings of documents that stand `documents` places further on."""
    return keys + np.uint64(documents << 8)


def placed(keys: NDArray[np.uint64], places: NDArray[np.int64]) -> NDArray[np.uint64]:
    """The same postings of documents in another order: the i-th now stands at `places[i]`."""
    own = places[documents_of(keys)].astype(np.uint64)
    keys = (keys & ~_DOCUMENT) | (own << np.uint64(8))
    keys.sort()
    return keys


def documents_of(keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The document of each key."""
    return (keys >> np.uint64(8)).astype(np.uint32) & np.uint32(LARGEST - 1)


def kept(keys: NDArray[np.uint64], live: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """The postings of the documents that are `live`, which close ranks."""
    documents = documents_of(keys)
    chosen = live[documents]
    places = (np.cumsum(live) - 1)[documents[chosen]].astype(np.uint64)
    return (keys[chosen] & ~_DOCUMENT) | (places << np.uint64(8))


def merge_runs(runs: Sequence[NDArray[np.uint64]], size: int) -> LexicalPostings:
    """One set of postings from sorted runs whose documents follow one another.

    Raises SegmentTooLargeError.
    """
    require_size(size)
    parts = [_terms_of(run) for run in runs]
    terms = np.unique(np.concatenate([terms for terms, _ in parts]))
    places = [np.searchsorted(terms, own) for own, _ in parts]
    lengths = [
        np.diff(np.append(starts, len(run))) for run, (_, starts) in zip(runs, parts, strict=True)
    ]
    totals = np.zeros(len(terms), dtype=np.int64)
    for place, length in zip(places, lengths, strict=True):
        totals[place] += length
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(totals)])
    documents = np.empty(int(offsets[-1]), dtype=np.uint32)
    impacts = np.empty(int(offsets[-1]), dtype=np.uint8)
    filled = offsets[:-1].copy()
    for run, (_, starts), place, length in zip(runs, parts, places, lengths, strict=True):
        targets = np.repeat(filled[place] - starts, length) + np.arange(len(run))
        documents[targets] = documents_of(run)
        impacts[targets] = run.astype(np.uint8)
        filled[place] += length
    return LexicalPostings(size, terms, offsets, documents, impacts)


def _terms_of(keys: NDArray[np.uint64]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The different terms of sorted keys, and where each begins."""
    terms = (keys >> np.uint64(32)).astype(np.uint32)
    begins = np.ones(len(terms), dtype=np.bool_)
    np.not_equal(terms[1:], terms[:-1], out=begins[1:])
    starts = np.flatnonzero(begins).astype(np.int64)
    return terms[starts], starts


def highest_score(frequencies: Iterable[float]) -> float:
    """The score of a document that is nothing but a question; its terms' weighted idfs are given.

    A document comes the nearer to it the more often it holds every term.
    """
    return sum(frequencies) * (_K1 + 1)


def inverse_document_frequency(documents: int, frequency: int) -> float:
    """BM25's idf, never negative (Lucene's variant)."""
    return log(1 + (documents - frequency + 0.5) / (frequency + 0.5))
