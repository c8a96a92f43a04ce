"""Nearness by the deep model, half and half with that by the first one.

The deep model judges better and is slow to read. Where it has read nearly all of a folder its own
nearest chunks take part; wherever it has not, the best candidates can be read when they are asked
for. Invariant: a chunk that the deep model has not read keeps its nearness by the first model.
"""

import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from threading import Lock
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import DeepEncoder
from codeintel_ls.index.embedded_text import placed_text, text_digest
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.store import Store
from codeintel_ls.search.candidates import RankedChunk
from codeintel_ls.search.refined import RefinedVectors
from codeintel_ls.search.values import SearchFilter

_SECONDS: Final = 0.4
_REMEMBERED: Final = 4_000


@frozen
class Reading:
    """A chunk that is to be read: its id, its file's path, and the text that is embedded for it."""

    chunk_id: int
    path: str
    text: str


class DeepVectors:
    """Refines candidates with the deep model. Thread-safe."""

    def __init__(self, refined: RefinedVectors, encoder: DeepEncoder) -> None:
        """`refined` holds what the encoder has read so far."""
        self._refined = refined
        self._encoder = encoder
        self._read = _Read()

    def candidates(
        self,
        text: str,
        wanted: SearchFilter,
        k: int,
        first: Sequence[RankedChunk],
        generation: Generation,
        store: Store,
    ) -> Sequence[RankedChunk]:
        """The chunks nearest to a question by both models; `first` while too little is read.

        Raises as `RefinedVectors.candidates` does.
        """
        if not self._refined.helps(generation.chunks):
            return first
        deep, unreached = self._refined.nearest(text, wanted, k, first, store)
        scores = {chunk.chunk_id: chunk.score for chunk in deep}
        return averaged(first, scores, {chunk.chunk_id for _, chunk in unreached})[:k]

    def read(
        self,
        text: str,
        readings: Sequence[Reading],
        first: Sequence[RankedChunk],
        cancellation: Cancellation,
    ) -> Sequence[RankedChunk]:
        """`first` once as many of `readings`, in their order, are read as there is time for.

        Raises CancelledError.
        """
        end = time.monotonic() + _SECONDS
        vector = self._encoder.embed_queries([text])[0]
        texts = {it.chunk_id: placed_text(it.path, it.text) for it in readings}
        missing = [one for one in dict.fromkeys(texts.values()) if self._read.get(one) is None]
        read = iter(missing)
        for found in self._encoder.embed_in_lots(missing):
            for one in found:
                self._read.keep(next(read), one)
            cancellation.raise_if_cancelled()
            if time.monotonic() >= end:
                break
        scores: dict[int, float] = {}
        for chunk_id, one in texts.items():
            known = self._read.get(one)
            if known is not None:
                scores[chunk_id] = float(known @ vector)
        return averaged(first, scores, ())


def averaged(
    first: Sequence[RankedChunk], deep: Mapping[int, float], unread: Collection[int]
) -> list[RankedChunk]:
    """Chunks by the mean of both nearnesses, each relative to the nearest; the best first.

    What only one model has found is at most as near to the other as the last that this one found;
    `unread` chunks are as near to the deep model as to the first one.
    """
    if not deep:
        return list(first)
    near = _relative({chunk.chunk_id: chunk.score for chunk in first})
    deeper = _relative(deep)
    far, farther = min(near.values(), default=0.0), min(deeper.values())
    scored: list[RankedChunk] = []
    for chunk in dict.fromkeys((*near, *deeper)):
        shallow = near.get(chunk, far)
        told = deeper.get(chunk, shallow if chunk in unread else min(farther, shallow))
        scored.append(RankedChunk(chunk, (shallow + told) / 2))
    return sorted(scored, key=lambda chunk: (-chunk.score, chunk.chunk_id))


def _relative(scores: Mapping[int, float]) -> dict[int, float]:
    best = max(scores.values(), default=0.0)
    return {chunk: max(score, 0.0) / best if best > 0 else 0.0 for chunk, score in scores.items()}


class _Read:
    """Vectors of texts that were read for a question, by their digests."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._vectors: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    def get(self, text: str) -> NDArray[np.float32] | None:
        with self._lock:
            return self._vectors.get(text_digest(text))

    def keep(self, text: str, vector: NDArray[np.float32]) -> None:
        with self._lock:
            self._vectors[text_digest(text)] = vector
            while len(self._vectors) > _REMEMBERED:
                self._vectors.popitem(last=False)
