"""The search itself: candidates, fusion, ranking, presentation over one published generation.

It only reads: neither the store nor the generation changes here, and no search waits for a
writer.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import Encoder, Vectors
from codeintel_ls.index.embedded_text import embedded_text, path_text
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.index import Index
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.store import Store
from codeintel_ls.index.terms import identifier_terms, query_terms
from codeintel_ls.index.vectors import join_vectors
from codeintel_ls.search.candidates import (
    NO_LETTERS,
    FusedChunk,
    LexicalCandidates,
    RankedChunk,
    dense_candidates,
    evidence,
    fuse,
    lexical_candidates,
    spelling,
)
from codeintel_ls.search.deep import Reading
from codeintel_ls.search.errors import InvalidQueryError
from codeintel_ls.search.filtering import FilterMasks
from codeintel_ls.search.paging import in_growing_pools
from codeintel_ls.search.phrases import Phrases
from codeintel_ls.search.presenting import FileReader, Telling, present
from codeintel_ls.search.ranking import Candidate, Question, rank
from codeintel_ls.search.recent_texts import RecentTexts
from codeintel_ls.search.similar import SharedIdentifiers
from codeintel_ls.search.values import Hit, HitFilter, SearchFilter, SearchMode, SearchQuery

_POOL: Final = 120
_FILTERED_POOL: Final = 520
_READ: Final = 40
_LONGEST_QUERY: Final = 10_000
_NEAREST: Final = ThreadPoolExecutor(
    min(2, max(1, (os.cpu_count() or 1) // 2)), thread_name_prefix="codeintel-nearest"
)
"""FAISS needs no interpreter: letters are looked up meanwhile."""


@frozen
class Answer:
    """Hits, the number of the generation they come from, and paths found changed on disk.

    `stopped_early` and `evidence` as in `SearchResult`.
    """

    hits: tuple[Hit, ...]
    generation: int
    changed: frozenset[str]
    stopped_early: bool | None = None
    evidence: float = 0.0


class _Candidates(NamedTuple):
    """Those by meaning, the first model's and what a deeper one makes of them, and by letters."""

    first: Sequence[RankedChunk]
    near: Sequence[RankedChunk]
    lexical: LexicalCandidates


@frozen(kw_only=True)
class SimilarTo:
    """A piece of code to find the like of: lines (0-based, inclusive) of a file, as `text`."""

    path: str
    first_line: int
    last_line: int
    text: str


class Refiner(Protocol):
    """A deeper model that may know better which chunks are near to a question."""

    def candidates(
        self,
        text: str,
        wanted: SearchFilter,
        k: int,
        first: Sequence[RankedChunk],
        generation: Generation,
        store: Store,
        /,
    ) -> Sequence[RankedChunk]:
        """Those that take the place of `first`; `first` where it cannot help now."""
        ...

    def reads(self, chunks: int, /) -> bool:
        """Whether it could help by reading the best candidates of so many chunks now."""
        ...

    def read(
        self,
        text: str,
        readings: Sequence[Reading],
        first: Sequence[RankedChunk],
        cancellation: Cancellation,
        /,
    ) -> Sequence[RankedChunk]:
        """Those that take the place of `first` once it has read some; see `DeepVectors.read`."""
        ...


class SearchEngine:
    """Answers questions about one folder. Thread-safe; blocks for a few milliseconds."""

    def __init__(
        self,
        root: Path,
        index: Index,
        encoder: Encoder | None,
        limits: ReadLimits,
        refiner: Refiner | None = None,
    ) -> None:
        """Without an encoder only the letters are searched. `limits` are those of indexing."""
        self.refiner = refiner
        self.limits = limits
        self._root = root
        self._index = index
        self._encoder = encoder
        self._filters = FilterMasks()
        self._texts = RecentTexts()

    def search(
        self,
        query: SearchQuery,
        cancellation: Cancellation,
        *,
        only: HitFilter | None = None,
        patient: bool = False,
    ) -> Answer:
        """Ranked hits that pass `only`. Raises InvalidQueryError, InvalidGlobError, CancelledError.

        With a filter, more candidates are ranked. Whoever is `patient` has the best of them read by
        the deeper model where it `would_read` them. What stands on one page of a generation's
        answer stands on no other, unless that model reads meanwhile.
        """
        text = _checked(query)
        generation = self._index.published
        masks = self._filters.masks(generation, self._index.store, query.filter)
        quoted = Phrases.of(text)
        pool = _POOL if only is None and not quoted else _FILTERED_POOL
        semantic = self._means(query)
        literal = query.mode is not SearchMode.SEMANTIC or self._encoder is None
        vector = self._embed(text) if semantic else None
        cancellation.raise_if_cancelled()
        refiner = self.refiner if semantic else None
        reader = FileReader(self._root, self.limits, self._texts)

        def candidates(k: int) -> _Candidates:
            nearest = _NEAREST.submit(dense_candidates, generation, masks, vector, k)
            lexical = lexical_candidates(generation, masks, query_terms(text), k if literal else 1)
            first: Sequence[RankedChunk] = nearest.result()
            near = first
            if refiner is not None:
                near = refiner.candidates(
                    text, query.filter, k, first, generation, self._index.store
                )
            cancellation.raise_if_cancelled()
            return _Candidates(first, near, lexical)

        def ranked_by(near: Sequence[RankedChunk], letters: LexicalCandidates) -> list[Candidate]:
            found = self._places(fuse(near, letters, spelled))
            return rank(question, quoted.mark(found, reader.text))

        def more(k: int) -> list[Candidate]:
            _, near, lexical = candidates(k)
            return ranked_by(near, lexical if literal else NO_LETTERS)

        first, near, lexical = candidates(pool)
        question = Question.of(text, lexical.agreement)
        spelled = spelling(generation, identifier_terms(question.identifiers))
        letters = lexical if literal else NO_LETTERS
        said = evidence(first, letters)
        ranked = ranked_by(near, letters)
        if refiner is not None and patient and refiner.reads(generation.chunks):
            near = refiner.read(text, self._readings(ranked, reader), first, cancellation)
            ranked = ranked_by(near, letters)
        if max(len(first), len(near), len(letters.chunks)) >= pool:
            # Twice what a page can need: of some the files are gone.
            most = 2 * (query.offset + query.limit + pool)
            ranked = in_growing_pools(ranked, pool, more, most)
        answer = self._present(ranked, query, generation.number, cancellation, only)
        return evolve(answer, evidence=said)

    def would_read(self, query: SearchQuery) -> bool:
        """Whether the deeper model would read the best candidates of a patient search."""
        refiner = self.refiner if self._means(query) else None
        return refiner is not None and refiner.reads(self._index.counts.chunks)

    def find_similar(
        self, like: SimilarTo, query: SearchQuery, cancellation: Cancellation
    ) -> Answer:
        """Chunks whose meaning is nearest to the lines; `query` gives limits and filter alone."""
        if self._encoder is None:
            raise InvalidQueryError("Similar code cannot be found without an embedding model.")
        if not like.text.strip():
            raise InvalidQueryError(f"The lines of {like.path} are blank: select some code.")
        _check_page(query)
        generation = self._index.published
        masks = self._filters.masks(generation, self._index.store, query.filter)
        vectors = self._encoder.embed_documents([like.text, path_text(like.path)])
        vector = join_vectors(vectors[:1], vectors[1:])[0]
        pool = _POOL + query.offset + query.limit
        nearest = fuse(dense_candidates(generation, masks, vector, pool), NO_LETTERS)
        others = [
            Candidate(chunk=found.chunk, place=found.place, score=max(_cosine(found), 0.0))
            for found in self._places(nearest)
            if not _overlaps(found, like)
        ]
        answer = self._present(others, query, generation.number, cancellation)
        shared = SharedIdentifiers(like.text, generation)
        hits = tuple(evolve(hit, shared=shared.within(self._lines(hit))) for hit in answer.hits)
        return evolve(answer, hits=hits)

    def _lines(self, hit: Hit) -> str:
        """The text of a place, which was read a moment ago."""
        read = self._texts.read(self._root / hit.path, self.limits.max_file_bytes)
        lines = read.lines(hit.start_line, hit.end_line) if read and not hit.stale else ()
        return "\n".join(lines)

    def _means(self, query: SearchQuery) -> bool:
        """Whether meaning takes part in the answer."""
        return query.mode is not SearchMode.LEXICAL and self._encoder is not None

    def _embed(self, text: str) -> NDArray[np.float32] | None:
        if self._encoder is None:
            return None
        vectors: Vectors = self._encoder.embed_queries([text])
        return vectors[0]

    def _places(self, fused: Sequence[FusedChunk]) -> list[Candidate]:
        places = self._index.store.places(chunk.chunk_id for chunk in fused)
        return [
            Candidate(chunk=chunk, place=places[chunk.chunk_id], score=chunk.fused)
            for chunk in fused
            if chunk.chunk_id in places
        ]

    @staticmethod
    def _readings(ranked: Sequence[Candidate], reader: FileReader) -> list[Reading]:
        readings: list[Reading] = []
        for candidate in ranked[:_READ]:
            place, text = candidate.place, reader.text(candidate.place)
            if text is not None:
                read = embedded_text(place.symbol, text)
                readings.append(Reading(candidate.chunk.chunk_id, place.path, read))
        return readings

    def _present(
        self,
        ranked: Iterable[Candidate],
        query: SearchQuery,
        generation: int,
        cancellation: Cancellation,
        only: HitFilter | None = None,
    ) -> Answer:
        reader = FileReader(self._root, self.limits, self._texts)
        hits = self._hits(ranked, query, reader, cancellation)
        end, stopped_early = query.offset + query.limit, None
        if only is None:
            first = list(islice(hits, end))
        else:
            first, stopped_early = only.first(hits, end, cancellation)
        page = tuple(first[query.offset :])
        return Answer(page, generation, frozenset(reader.changed), stopped_early)

    @staticmethod
    def _hits(
        ranked: Iterable[Candidate],
        query: SearchQuery,
        reader: FileReader,
        cancellation: Cancellation,
    ) -> Iterator[Hit]:
        asked, scale = Telling.of(query.text), 0.0
        for candidate in ranked:
            cancellation.raise_if_cancelled()
            # Scores are told relative to what a perfect, fully boosted hit would have.
            scale = scale or 1.0 / max(candidate.score, 1.0)
            score = candidate.score * scale
            hit = present(
                candidate, score, reader, asked, query.snippet_lines, explain=query.explain
            )
            if hit is not None:
                yield hit


def _check_page(query: SearchQuery) -> None:
    if query.limit < 0 or query.offset < 0:
        raise InvalidQueryError("A search cannot have a negative limit or offset.")


def _checked(query: SearchQuery) -> str:
    _check_page(query)
    text = query.text
    if not text.strip():
        raise InvalidQueryError("The query is empty: type what the code should do.")
    if len(text) > _LONGEST_QUERY:
        raise InvalidQueryError(
            f"The query has {len(text):,} characters; at most {_LONGEST_QUERY:,} are searched for."
        )
    return text


def _cosine(candidate: Candidate) -> float:
    return candidate.chunk.dense_score or 0.0


def _overlaps(candidate: Candidate, like: SimilarTo) -> bool:
    place = candidate.place
    return (
        place.path == like.path
        and place.start_line <= like.last_line
        and like.first_line < place.end_line
    )
