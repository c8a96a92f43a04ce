"""Filters over a generation: what lived in it, whatever was committed since."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from codeintel_ls.embedding import StaticEncoder
from codeintel_ls.index.generation import advance_generation, load_generation
from codeintel_ls.index.store import Store
from codeintel_ls.search import SearchFilter
from codeintel_ls.search.filtering import FilterMasks
from tests.unit.index.records import make_file

EVERYTHING = SearchFilter()
PYTHON = SearchFilter(globs=("*.py",))


@pytest.fixture
def store(tmp_path: Path, encoder: StaticEncoder) -> Iterator[Store]:
    with Store(tmp_path / "index.sqlite3") as opened:
        for path in ("a.py", "b.py", "c.js"):
            file, vectors = make_file(encoder, path, [f"text of {path}"])
            opened.commit(replaced=[file], vectors=vectors)
        yield opened


def test_a_file_that_was_saved_and_not_published_yet_is_still_found(
    store: Store, encoder: StaticEncoder
) -> None:
    generation = load_generation(store, encoder.dimension)
    file, vectors = make_file(encoder, "a.py", ["new text"])
    store.commit(replaced=[file], vectors=vectors)
    (mask,) = FilterMasks().masks(generation, store, PYTHON)
    assert mask is not None
    assert np.count_nonzero(mask) == 2


@pytest.mark.parametrize("wanted", [EVERYTHING, PYTHON])
def test_masks_fit_a_merged_generation_of_the_same_number(
    store: Store, encoder: StaticEncoder, wanted: SearchFilter
) -> None:
    masks = FilterMasks()
    generation = load_generation(store, encoder.dimension)
    store.commit(removed=["a.py"])
    generation = advance_generation(generation, store)
    (before,) = masks.masks(generation, store, wanted)
    merged = generation.merged()
    (after,) = masks.masks(merged, store, wanted)
    assert before is not None
    assert len(before) == 3
    assert after is None or len(after) == 2
    assert masks.masks(merged, store, wanted) is masks.masks(merged, store, wanted)
