"""What a generation answers, and what one that was built anew from the stores would."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from codeintel_ls.embedding import Encoder
from codeintel_ls.index.building import BuildTask, BuiltSegment, build
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.ladder import Ladder
from codeintel_ls.index.manifest import Manifest
from codeintel_ls.index.merge_policy import MergePolicy
from codeintel_ls.index.publication import Builder, Publication
from codeintel_ls.index.schema import FileToView
from codeintel_ls.index.store import Store
from codeintel_ls.index.terms import query_terms
from codeintel_ls.search import SearchFilter
from codeintel_ls.search.candidates import (
    RankedChunk,
    dense_candidates,
    lexical_candidates,
    spelling,
)
from codeintel_ls.search.filtering import FilterMasks

TOP = 10


def publication_of(folder: Path, store: Store, dimension: int) -> Publication:
    """What a process that opens the cache now would publish."""
    return Publication(folder, store, dimension, MergePolicy(Ladder()))


def in_process(task: BuildTask) -> BuiltSegment:
    """Builds as the indexing process does, without one."""
    return build(task)


BUILD: Builder = in_process


def live(generation: Generation) -> dict[int, list[float]]:
    """Vectors of the live chunks by id; none is there twice."""
    found: dict[int, list[float]] = {}
    for segment, marks in zip(generation.segments, generation.tombstones, strict=True):
        positions = np.flatnonzero(~marks.dead)
        vectors = segment.dense.vectors_at(positions)
        ids = segment.chunk_ids(positions)
        for number, vector in zip(ids.tolist(), vectors, strict=True):
            assert number not in found, "a chunk is in two places"
            found[number] = vector.round(3).tolist()
        assert marks.count == int(marks.dead.sum())
    assert generation.chunks == len(found)
    return found


def anew(store: Store, dimension: int, files: Iterable[FileToView] | None = None) -> Generation:
    """These files (None: all that live) in one segment, made from the contents alone."""
    changes = store.changes_since(0)
    born = changes.born if files is None else sorted(files, key=lambda file: file.id)
    empty = Generation(manifest=Manifest(store=store.identity, dimension=dimension))
    built, lost = empty.with_changes(
        evolve(changes, born=born, died=[]), store.contents, whole=True
    )
    assert lost == []
    return built


def answers(
    generation: Generation, store: Store, encoder: Encoder, question: str
) -> tuple[list[RankedChunk], list[RankedChunk]]:
    """The best by meaning and by letters."""
    masks = FilterMasks().masks(generation, store, SearchFilter())
    vector = encoder.embed_queries([question])[0]
    return (
        dense_candidates(generation, masks, vector, TOP),
        [*lexical_candidates(generation, masks, query_terms(question), TOP).chunks],
    )


def assert_alike(
    one: Generation, other: Generation, store: Store, encoder: Encoder, questions: Iterable[str]
) -> None:
    """Both hold the same chunks, and answer with the same ones."""
    assert live(one) == live(other)
    for question in questions:
        for mine, theirs in zip(
            answers(one, store, encoder, question),
            answers(other, store, encoder, question),
            strict=True,
        ):
            assert_same_ranking(mine, theirs)
        terms = query_terms(question)
        assert spelling(one, terms) & live(one).keys() == spelling(other, terms)


def assert_same_ranking(mine: list[RankedChunk], theirs: list[RankedChunk]) -> None:
    """The same scores, of the same chunks; of equals, any may come first or be the last."""
    scores = [chunk.score for chunk in theirs]
    assert [chunk.score for chunk in mine] == pytest.approx(scores, abs=1e-5)
    if scores:
        least = scores[-1] + 1e-4
        better = [
            {chunk.chunk_id for chunk in found if chunk.score > least} for found in (mine, theirs)
        ]
        assert better[0] == better[1]
