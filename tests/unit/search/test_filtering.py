"""Filters over a generation: what lived in it, whatever was committed since."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.merge_policy import Step
from codeintel_ls.index.publication import Publication
from codeintel_ls.index.schema import ChunkPlace
from codeintel_ls.index.store import Store
from codeintel_ls.index.terms import query_terms
from codeintel_ls.search import SearchFilter
from codeintel_ls.search.candidates import (
    RankedChunk,
    dense_candidates,
    lexical_candidates,
    spelling,
)
from codeintel_ls.search.filtering import FilterMasks, Masks
from tests.unit.index.generations import BUILD, publication_of
from tests.unit.index.records import FakeEncoder, save, stores

ENCODER = FakeEncoder()
EVERYTHING = SearchFilter()
PYTHON = SearchFilter(globs=("*.py",))
MERGE = Step(0, PrimaryKind.FLAT)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stores(tmp_path) as opened:
        for path in ("a.py", "b.py", "c.js"):
            save(opened, ENCODER, {path: [f"text of {path}"]})
        yield opened


@pytest.fixture
def publication(tmp_path: Path, store: Store) -> Publication:
    made = publication_of(tmp_path, store, ENCODER.dimension)
    made.load()
    return made


def allowed(masks: Masks, generation: Generation, store: Store) -> list[str]:
    """The paths of the chunks that may be found; the two forms of a mask say the same."""
    found: list[int] = []
    for segment, mask in zip(generation.segments, masks, strict=True):
        flags = np.ones(len(segment), dtype=np.bool_) if mask is None else mask.allowed
        if mask is not None:
            bits = np.unpackbits(mask.bits, count=len(segment), bitorder="little")
            assert bits.astype(np.bool_).tolist() == flags.tolist()
            assert mask.count == flags.sum()
        found += segment.chunk_ids(np.flatnonzero(flags)).tolist()
    return sorted(place.path for place in store.places(found).values())


def test_a_file_that_was_saved_and_not_published_yet_is_still_found(
    store: Store, publication: Publication
) -> None:
    generation = publication.current
    save(store, ENCODER, {"a.py": ["new text"]})
    masks = FilterMasks().masks(generation, store, PYTHON)
    assert allowed(masks, generation, store) == ["a.py", "b.py"]


def test_tombstones_are_never_found(store: Store, publication: Publication) -> None:
    store.commit(removed=["a.py"])
    publication.publish()
    generation = publication.current
    for wanted, paths in ((EVERYTHING, ["b.py", "c.js"]), (PYTHON, ["b.py"])):
        masks = FilterMasks().masks(generation, store, wanted)
        assert allowed(masks, generation, store) == paths


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        (EVERYTHING, ["a.py", "b.py", "c.js", "pkg/d.py", "pkg/deep/e.py"]),
        (SearchFilter(under=("pkg",)), ["pkg/d.py", "pkg/deep/e.py"]),
        (SearchFilter(under=("/pkg/deep/", "c.js")), ["c.js", "pkg/deep/e.py"]),
        (SearchFilter(globs=("*.py", "!pkg/*.py")), ["a.py", "b.py", "pkg/deep/e.py"]),
        (SearchFilter(languages=frozenset({"rust"})), []),
        (SearchFilter(languages=frozenset({"python"}), under=("pk",)), []),
    ],
)
def test_filters_over_segments_on_disk_and_in_memory(
    store: Store, publication: Publication, wanted: SearchFilter, paths: list[str]
) -> None:
    publication.carry_out(MERGE, BUILD)
    save(store, ENCODER, {"pkg/d.py": ["one"], "pkg/deep/e.py": ["two"]})
    publication.publish()
    generation = publication.current
    assert len(generation.segments) == 2
    masks = FilterMasks().masks(generation, store, wanted)
    assert allowed(masks, generation, store) == paths
    vector = ENCODER.embed_queries(["text"])[0]
    dense = dense_candidates(generation, masks, vector, 10)
    assert sorted(place.path for place in places(store, dense)) == paths
    lexical = lexical_candidates(generation, masks, query_terms("text one two"), 10)
    assert sorted(place.path for place in places(store, lexical.chunks)) == paths


def places(store: Store, found: Sequence[RankedChunk]) -> list[ChunkPlace]:
    return list(store.places(chunk.chunk_id for chunk in found).values())


@pytest.mark.parametrize("wanted", [EVERYTHING, PYTHON])
def test_masks_fit_a_merged_generation_of_the_same_number(
    store: Store, publication: Publication, wanted: SearchFilter
) -> None:
    masks = FilterMasks()
    store.commit(removed=["a.py"])
    publication.publish()
    (before,) = masks.masks(publication.current, store, wanted)
    number = publication.current.number
    merged = publication.carry_out(MERGE, BUILD)
    assert merged.number == number
    (after,) = masks.masks(merged, store, wanted)
    assert before is not None
    assert len(before.allowed) == 3
    assert after is None or len(after.allowed) == 2
    assert masks.masks(merged, store, wanted) is masks.masks(merged, store, wanted)


def test_a_broken_pattern_is_refused_and_the_next_filter_works(
    store: Store, publication: Publication
) -> None:
    masks = FilterMasks()
    with pytest.raises(InvalidRequestError, match="glob"):
        masks.masks(publication.current, store, SearchFilter(globs=("[z-a]/**{",)))
    found = masks.masks(publication.current, store, PYTHON)
    assert allowed(found, publication.current, store) == ["a.py", "b.py"]


def test_what_is_spelled_tells_nothing_where_everybody_spells_it(
    store: Store, publication: Publication
) -> None:
    save(store, ENCODER, {"many.py": [f"common word {number}" for number in range(30)]})
    save(store, ENCODER, {"few.py": ["rare_name", "other"]})
    publication.publish()
    assert spelling(publication.current, query_terms("common")) == frozenset()
    (found,) = store.places(spelling(publication.current, query_terms("rare_name"))).values()
    assert found.path == "few.py"


def test_frequencies_count_the_living_alone(store: Store, publication: Publication) -> None:
    """What died weighs nothing, so that answers do not change with a merge."""
    save(store, ENCODER, {f"{number}.py": ["parse"] for number in range(20)})
    publication.publish()
    store.commit(removed=[f"{number}.py" for number in range(19)])
    publication.publish()

    def score() -> float:
        masks = FilterMasks().masks(publication.current, store, EVERYTHING)
        (found,) = lexical_candidates(publication.current, masks, query_terms("parse"), 10).chunks
        return found.score

    before = score()
    publication.carry_out(MERGE, BUILD)
    assert score() == pytest.approx(before)
