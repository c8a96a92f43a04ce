"""Nearness by a second, deeper model, told of the chunks of the index that answers.

The two indexes hold the same files, cut in the same way; each goes its own pace. Invariant: a
chunk is found by the deeper model only where that has seen the very bytes that the answering index
has; every other one keeps its rank by the first model, so that nothing is lost by being new.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

from codeintel_ls.embedding import Encoder
from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError, IndexingError
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.index import Index
from codeintel_ls.index.schema import KnownFile, chunk_id, file_and_ordinal
from codeintel_ls.index.store import Store
from codeintel_ls.search.candidates import RankedChunk, dense_candidates
from codeintel_ls.search.filtering import FilterMasks
from codeintel_ls.search.values import SearchFilter

_ENOUGH: Final = 0.9
"""Below this share of the chunks the first model answers alone."""


class AnsweringStoreError(IndexingError):
    """The store of the index that answers is damaged, not that of the second one."""

    def __init__(self, error: DamagedCacheError) -> None:
        super().__init__(str(error))
        self.error = error


class RefinedVectors:
    """A second index over the same folder, and the encoder of its vectors. Thread-safe."""

    def __init__(self, index: Index, encoder: Encoder) -> None:
        """Nothing is asked of either yet."""
        self._index = index
        self._encoder = encoder
        self._filters = FilterMasks()

    def share(self, chunks: int) -> float:
        """How much of an index of so many chunks is there, 0 to 1."""
        # It may be lost at this moment, which is no trouble of the index that answers.
        with suppress(CacheUnavailableError):
            return min(self._index.counts.chunks / chunks, 1.0) if chunks else 0.0
        return 0.0

    def helps(self, chunks: int) -> bool:
        """Whether enough of an index of so many chunks is there to ask for a question's vector."""
        return self.share(chunks) >= _ENOUGH

    def candidates(
        self,
        text: str,
        wanted: SearchFilter,
        k: int,
        first: Sequence[RankedChunk],
        generation: Generation,
        store: Store,
    ) -> Sequence[RankedChunk]:
        """The chunks of `generation` nearest to a question, the best first.

        `first` are those by the first model; they are the answer while too little is there.
        Raises EmbeddingError, the errors of the second index's store, InvalidGlobError, and
        AnsweringStoreError.
        """
        if not self.helps(generation.chunks):
            return first
        deep, unreached = self.nearest(text, wanted, k, first, store)
        return _interleaved(deep, unreached)[:k]

    def nearest(
        self, text: str, wanted: SearchFilter, k: int, first: Sequence[RankedChunk], store: Store
    ) -> tuple[list[RankedChunk], list[tuple[int, RankedChunk]]]:
        """The k nearest that are the same in both indexes, under the ids of `store`.

        And those of `first` that were not reached as they are, each with its rank. Raises as
        `candidates` does.
        """
        vector = self._encoder.embed_queries([text])[0]
        own = self._index.published
        masks = self._filters.masks(own, self._index.store, wanted)
        found = dense_candidates(own, masks, vector, k)
        places = self._index.store.places(chunk.chunk_id for chunk in found)
        seen = {place.path: place.file_digest for place in places.values()}
        with _answering():
            known = store.files_at(seen)
        deep = [
            RankedChunk(chunk_id(file.id, file_and_ordinal(chunk.chunk_id)[1]), chunk.score)
            for chunk in found
            if (place := places.get(chunk.chunk_id)) is not None
            and (file := known.get(place.path)) is not None
            and file.digest == place.file_digest
        ]
        return deep, self._unreached(first, store, own)

    def _unreached(
        self, first: Sequence[RankedChunk], store: Store, own: Generation
    ) -> list[tuple[int, RankedChunk]]:
        """Those that `own` does not hold as they are, each with its rank."""
        with _answering():
            places = store.places(chunk.chunk_id for chunk in first)
        reached = self._index.store.files_at({place.path for place in places.values()})
        # What is committed and not published yet could not be found.
        held = own.holding([file.id for file in reached.values()])

        def is_new(digest: bytes, file: KnownFile | None) -> bool:
            return file is None or file.digest != digest or file.id not in held

        return [
            (rank, chunk)
            for rank, chunk in enumerate(first)
            if (place := places.get(chunk.chunk_id)) is not None
            and is_new(place.file_digest, reached.get(place.path))
        ]


@contextmanager
def _answering() -> Generator[None]:
    """Tell damage of the index that answers from that of the second one."""
    try:
        yield
    except DamagedCacheError as error:
        raise AnsweringStoreError(error) from error


def _interleaved(
    deep: Sequence[RankedChunk], others: Sequence[tuple[int, RankedChunk]]
) -> list[RankedChunk]:
    """Both lists in one, by rank; where ranks are equal the deeper model goes first.

    Cosines of two models do not compare, and of many models all are high: each chunk gets a score
    for its rank, from 1 down to a half, spaced as the deeper model's.
    """
    if not deep:
        return [chunk for _, chunk in others]
    best, worst = deep[0].score, deep[-1].score
    spread = 2 * (best - worst) or 1.0
    scores = [1.0 - (best - chunk.score) / spread for chunk in deep]
    ranked = [(rank, 0, chunk) for rank, chunk in enumerate(deep)]
    ranked += [(rank, 1, chunk) for rank, chunk in others]
    return [
        RankedChunk(chunk.chunk_id, scores[min(rank, len(scores) - 1)])
        for rank, _, chunk in sorted(ranked, key=lambda entry: entry[:2])
    ]
