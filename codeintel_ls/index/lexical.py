"""Lexical postings of one segment, and BM25 over them.

A view: immutable once built, made from the packed terms in the store alone.
"""

from collections.abc import Mapping
from math import log
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

_K1: Final = 1.2
_B: Final = 0.6


@frozen(eq=False)
class LexicalPostings:
    """An inverted index in columns.

    `terms` uint32 (t,), sorted; postings of term i are `documents[offsets[i]:offsets[i + 1]]`
    (int32, ascending positions in the segment) with `frequencies` (uint8) beside them; `lengths`
    float32 (n,) is each document's number of terms.
    """

    terms: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    documents: NDArray[np.int32]
    frequencies: NDArray[np.uint8]
    lengths: NDArray[np.float32]

    @classmethod
    def build(
        cls,
        terms: NDArray[np.uint32],
        frequencies: NDArray[np.uint8],
        counts: NDArray[np.int64],
    ) -> "LexicalPostings":
        """From the concatenated terms of n documents; `counts` (n,) says how many each has."""
        documents = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        order = np.argsort(terms, kind="stable")
        ordered = terms[order]
        begins = np.ones(len(ordered), dtype=np.bool_)
        begins[1:] = ordered[1:] != ordered[:-1]
        starts = np.flatnonzero(begins).astype(np.int64)
        lengths = np.zeros(len(counts), dtype=np.float32)
        np.add.at(lengths, documents, frequencies.astype(np.float32))
        return cls(
            terms=ordered[starts],
            offsets=np.append(starts, len(ordered)).astype(np.int64),
            documents=documents[order],
            frequencies=frequencies[order],
            lengths=lengths,
        )

    def document_frequency(self, term: int) -> int:
        """How many documents hold the term."""
        start, end = self._span(term)
        return end - start

    def holders(self, term: int) -> NDArray[np.int32]:
        """Positions of the documents that hold the term, ascending."""
        start, end = self._span(term)
        return self.documents[start:end]

    def score(
        self, weighted_idf: Mapping[int, float], average_length: float
    ) -> NDArray[np.float32]:
        """BM25 (Robertson & Zaragoza 2009) of every document, float32 (n,); 0 where none match."""
        scores = np.zeros(len(self.lengths), dtype=np.float32)
        for term, idf in weighted_idf.items():
            start, end = self._span(term)
            if start == end:
                continue
            documents = self.documents[start:end]
            frequency = self.frequencies[start:end].astype(np.float32)
            norm = _K1 * (1 - _B + _B * self.lengths[documents] / average_length)
            scores[documents] += np.float32(idf) * frequency * (_K1 + 1) / (frequency + norm)
        return scores

    def forward(self) -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.int64]]:
        """What `build` was given: (terms, frequencies, counts) in the order of documents."""
        terms = np.repeat(self.terms, np.diff(self.offsets))
        order = np.argsort(self.documents, kind="stable")
        counts = np.bincount(self.documents, minlength=len(self.lengths)).astype(np.int64)
        return terms[order], self.frequencies[order], counts

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        arrays = (self.terms, self.offsets, self.documents, self.frequencies, self.lengths)
        return sum(array.nbytes for array in arrays)

    def _span(self, term: int) -> tuple[int, int]:
        index = int(np.searchsorted(self.terms, np.uint32(term)))
        if index == len(self.terms) or int(self.terms[index]) != term:
            return 0, 0
        return int(self.offsets[index]), int(self.offsets[index + 1])


def inverse_document_frequency(documents: int, frequency: int) -> float:
    """BM25's idf, never negative (Lucene's variant)."""
    return log(1 + (documents - frequency + 0.5) / (frequency + 0.5))
