"""The ladder: which kind for which size, and what it costs in bytes."""

import faiss
import numpy as np
import pytest

from codeintel_ls.index.ladder import (
    Ladder,
    PrimaryKind,
    empty_index,
    estimate_memory_usage,
    list_count,
    workable_kind,
)


@pytest.mark.parametrize(
    ("vectors", "kind"),
    [
        (0, PrimaryKind.FLAT),
        (10_000, PrimaryKind.FLAT),
        (10_001, PrimaryKind.RABITQ),
        (100_000, PrimaryKind.RABITQ),
        (100_001, PrimaryKind.IVF_SQ8),
        (5_000_000, PrimaryKind.IVF_SQ8),
    ],
)
def test_the_size_chooses_the_kind(vectors: int, kind: PrimaryKind) -> None:
    assert Ladder().choose(vectors) is kind


def test_the_rungs_can_be_moved() -> None:
    ladder = Ladder(flat_up_to=0, scalar_up_to=1000)
    assert ladder.choose(1) is PrimaryKind.RABITQ
    assert ladder.choose(1001) is PrimaryKind.IVF_SQ8


@pytest.mark.parametrize("kind", list(PrimaryKind))
def test_an_override_holds_at_every_size_that_can_train_it(kind: PrimaryKind) -> None:
    ladder = Ladder(kind=kind)
    assert ladder.choose(512) is kind
    assert ladder.choose(1_000_000) is kind


@pytest.mark.parametrize(
    ("kind", "instead"),
    [
        (PrimaryKind.IVF_SQ8, PrimaryKind.SQ8),
        (PrimaryKind.IVF_RABITQ, PrimaryKind.RABITQ),
        (PrimaryKind.IVF_FLAT, PrimaryKind.FLAT),
        (PrimaryKind.OPQ_IVF_PQ, PrimaryKind.SQ8),
        (PrimaryKind.SQ8, PrimaryKind.SQ8),
    ],
)
def test_an_override_that_too_few_vectors_cannot_train_gives_way(
    kind: PrimaryKind, instead: PrimaryKind
) -> None:
    assert Ladder(kind=kind).choose(511) is instead
    assert workable_kind(kind, 0) is PrimaryKind.FLAT


def test_lists_grow_with_the_square_root_and_each_has_vectors_to_train_on() -> None:
    assert list_count(512) == 16
    assert list_count(1_000_000) == 4000
    assert all(32 * list_count(vectors) <= vectors for vectors in (512, 4000, 100_000, 10**7))


def saved_size(kind: PrimaryKind, vectors: int, dimension: int) -> int:
    """Bytes of a real index, trained on as few vectors as FAISS accepts."""
    kind = workable_kind(kind, vectors)
    rows = np.random.default_rng(1).standard_normal((vectors, dimension)).astype(np.float32)
    index = empty_index(kind, vectors, dimension, seed=1)
    index.train(rows[: max(256, list_count(vectors))])
    index.add(rows)
    sizes: list[int] = []
    faiss.write_index(index, faiss.PyCallbackIOWriter(lambda block: sizes.append(len(block))))
    return sum(sizes)


@pytest.mark.parametrize("vectors", [1, 100, 1000, 10_000, 50_000, 100_000])
@pytest.mark.parametrize("kind", list(PrimaryKind))
def test_the_estimate_is_the_size_as_saved(kind: PrimaryKind, vectors: int) -> None:
    real = saved_size(kind, vectors, 16)
    assert estimate_memory_usage(kind, vectors, 16) == pytest.approx(real, rel=0.05, abs=300)


@pytest.mark.parametrize("kind", [kind for kind in PrimaryKind if kind != PrimaryKind.OPQ_IVF_PQ])
@pytest.mark.parametrize("dimension", [256, 300, 384])
def test_the_estimate_holds_for_every_length_of_vectors(kind: PrimaryKind, dimension: int) -> None:
    real = saved_size(kind, 2000, dimension)
    assert estimate_memory_usage(kind, 2000, dimension) == pytest.approx(real, rel=0.05)
