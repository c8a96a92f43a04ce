"""Dense indexes of every kind: built, saved, mapped, searched with and without a filter."""

import ctypes
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from codeintel_ls.index.dense import DenseIndex
from codeintel_ls.index.errors import DamagedCacheError
from codeintel_ls.index.ladder import PrimaryKind

DIMENSION = 32
COUNT = 3000
TOPICS = 60
KINDS = list(PrimaryKind)
PRODUCT_CODES = PrimaryKind.OPQ_IVF_PQ


def unit(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@cache
def topics() -> NDArray[np.float32]:
    return unit(np.random.default_rng(1).standard_normal((TOPICS, DIMENSION)))


@cache
def vectors() -> NDArray[np.float16]:
    """Position p is about topic p % TOPICS."""
    noise = np.random.default_rng(2).standard_normal((COUNT, DIMENSION)) * 0.12
    return unit(topics()[np.arange(COUNT) % TOPICS] + noise).astype(np.float16)


@cache
def queries() -> NDArray[np.float32]:
    """Between two topics each."""
    chance = np.random.default_rng(3)
    one, other = chance.integers(0, TOPICS, (2, 40))
    noise = chance.standard_normal((40, DIMENSION)) * 0.2
    return unit(topics()[one] + 0.5 * topics()[other] + noise)


@cache
def built(kind: PrimaryKind) -> DenseIndex:
    return DenseIndex.build(kind, vectors())


def bits(positions: NDArray[np.integer]) -> NDArray[np.uint8]:
    mask = np.zeros(COUNT, np.bool_)
    mask[positions] = True
    return np.packbits(mask, bitorder="little")


def recall(
    index: DenseIndex, k: int, positions: NDArray[np.integer] | None = None
) -> tuple[float, list[NDArray[np.int64]]]:
    """The share of the true k nearest (among `positions`) that are found; and what is found."""
    among = np.arange(COUNT) if positions is None else positions
    allowed = None if positions is None else bits(positions)
    answers: list[NDArray[np.int64]] = []
    hits = 0
    for query in queries():
        true = among[np.argsort(-(vectors()[among].astype(np.float32) @ query))[:k]]
        found, scores = index.search(query, k, allowed, None if positions is None else len(among))
        assert (np.diff(scores) <= 0).all()
        assert len(set(found.tolist())) == len(found)
        hits += np.isin(true, found).sum()
        answers.append(found)
    return hits / len(queries()) / min(k, len(among)), answers


@pytest.mark.parametrize("kind", KINDS)
def test_searches_find_what_exact_search_finds(kind: PrimaryKind) -> None:
    floor = 1.0 if kind is PrimaryKind.FLAT else 0.5 if kind is PRODUCT_CODES else 0.93
    assert recall(built(kind), 10)[0] >= floor
    assert recall(built(kind), 100)[0] >= floor


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not PRODUCT_CODES])
def test_every_kind_but_product_codes_is_calibrated_to_its_promise(kind: PrimaryKind) -> None:
    measured = built(kind).recall
    assert measured is not None
    assert measured >= 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_lists_and_only_lists_have_nprobe(kind: PrimaryKind) -> None:
    nprobe = built(kind).effort.nprobe
    assert (nprobe is None) == (not kind.has_lists)
    assert nprobe is None or 1 <= nprobe < COUNT // 32


def test_the_flat_index_gives_exact_scores_and_vectors() -> None:
    exact = vectors().astype(np.float32) @ queries()[0]
    positions, scores = built(PrimaryKind.FLAT).search(queries()[0], 20)
    assert positions.dtype == np.int64
    assert scores.dtype == np.float32
    assert scores == pytest.approx(np.sort(exact)[::-1][:20], abs=1e-5)
    assert exact[positions] == pytest.approx(scores, abs=1e-5)
    here = np.array([2999, 0, 7])
    assert (built(PrimaryKind.FLAT).vectors_at(here) == vectors()[here]).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("memory_map", [True, False])
def test_an_opened_index_answers_like_the_one_that_was_saved(
    tmp_path: Path, kind: PrimaryKind, memory_map: bool
) -> None:
    path = tmp_path / "naïve vectors"
    built(kind).save(path)
    size = path.stat().st_size
    opened = DenseIndex.open(path, built(kind).parameters(), memory_map=memory_map)
    assert (opened.kind, opened.dimension, len(opened)) == (kind, DIMENSION, COUNT)
    assert (opened.effort, opened.recall) == (built(kind).effort, built(kind).recall)
    assert opened.nbytes == size
    # What is mapped must outlive its name, and a successor that takes it.
    (tmp_path / "other").write_bytes(b"another generation")
    (tmp_path / "other").replace(path)
    path.unlink()
    for query in queries():
        here, there = opened.search(query, 15), built(kind).search(query, 15)
        assert here[0].tolist() == there[0].tolist()
        assert here[1] == pytest.approx(there[1])
    some = np.array([5, 1, 2000])
    assert opened.vectors_at(some) == pytest.approx(built(kind).vectors_at(some))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the kernel's list of mappings")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_mapped_and_not_read(tmp_path: Path, kind: PrimaryKind) -> None:
    path = tmp_path / "vectors"
    built(kind).save(path)
    opened = DenseIndex.open(path, built(kind).parameters())
    assert str(path) in Path("/proc/self/maps").read_text()
    del opened
    assert str(path) not in Path("/proc/self/maps").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="a file name of any bytes")
def test_a_path_that_is_no_unicode_is_read_where_it_cannot_be_mapped(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff vectors")
    built(PrimaryKind.SQ8).save(path)
    opened = DenseIndex.open(path, built(PrimaryKind.SQ8).parameters())
    assert len(opened) == COUNT


@pytest.mark.parametrize("kind", KINDS)
def test_a_narrow_filter_finds_all_that_it_leaves(kind: PrimaryKind) -> None:
    few = np.array([3, 77, 1500, 1501, 2999])
    for query in queries():
        found, _ = built(kind).search(query, 10, bits(few), len(few))
        assert sorted(found.tolist()) == few.tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [2, 10, 60])
def test_a_filter_costs_no_recall(kind: PrimaryKind, share: int) -> None:
    """Whole topics are left over, most of them far from the query: lists' worst case."""
    left = np.flatnonzero(np.arange(COUNT) % TOPICS < TOPICS // share)
    found_share, answers = recall(built(kind), 10, left)
    assert found_share >= (0.5 if kind is PRODUCT_CODES else 0.93)
    assert all(len(found) == 10 and np.isin(found, left).all() for found in answers)


@pytest.mark.parametrize("kind", KINDS)
def test_tombstones_do_not_come_back(kind: PrimaryKind) -> None:
    best, _ = built(kind).search(queries()[0], 100)
    alive = np.setdiff1d(np.arange(COUNT), best)
    found, _ = built(kind).search(queries()[0], 100, bits(alive))
    assert len(found) == 100
    assert not np.isin(found, best).any()


@pytest.mark.parametrize("kind", KINDS)
def test_asking_for_more_than_there_is_gives_what_there_is(kind: PrimaryKind) -> None:
    assert len(built(kind).search(queries()[0], 10 * COUNT)[0]) == COUNT
    assert len(built(kind).search(queries()[0], 0)[0]) == 0
    none, scores = built(kind).search(queries()[0], 10, bits(np.empty(0, np.int64)), 0)
    assert len(none) == len(scores) == 0
    assert built(kind).vectors_at(np.empty(0, np.int64)).shape == (0, DIMENSION)


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_come_back_about_as_they_went_in(kind: PrimaryKind) -> None:
    here = np.arange(0, COUNT, 7)
    back = unit(built(kind).vectors_at(here))
    likeness = (back * vectors()[here]).sum(axis=1)
    assert likeness.min() > (0.7 if kind is PRODUCT_CODES else 0.999)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, 2, 9, 600])
def test_small_and_monotonous_inputs_work(tmp_path: Path, kind: PrimaryKind, count: int) -> None:
    same = np.repeat(vectors()[:1], count, axis=0)
    index = DenseIndex.build(kind, same)
    index.save(tmp_path / "vectors")
    opened = DenseIndex.open(tmp_path / "vectors", index.parameters())
    positions, scores = opened.search(vectors()[0].astype(np.float32), 5)
    assert len(positions) == min(5, count)
    assert scores == pytest.approx(np.ones(len(positions)), abs=0.02)


def test_rows_of_zeros_do_no_harm() -> None:
    rows = np.vstack([np.zeros((300, DIMENSION), np.float16), vectors()[:700]])
    for kind in KINDS:
        found, _ = DenseIndex.build(kind, rows).search(queries()[0], 5)
        assert (found >= 300).all()


def test_a_mapped_array_of_half_floats_is_indexed_as_it_is(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", vectors())
    rows = np.load(tmp_path / "rows.npy", mmap_mode="r")
    for kind in (PrimaryKind.FLAT, PrimaryKind.IVF_SQ8):
        index = DenseIndex.build(kind, rows)
        wide = DenseIndex.build(kind, vectors().astype(np.float32))
        for query in queries()[:5]:
            assert index.search(query, 9)[0].tolist() == wide.search(query, 9)[0].tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_the_same_file(tmp_path: Path, kind: PrimaryKind) -> None:
    for name in ("one", "two"):
        again = DenseIndex.build(kind, vectors(), seed=5)
        again.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_building_says_what_it_does_and_gives_the_threads_back() -> None:
    said: list[str] = []
    before = faiss.omp_get_max_threads()
    DenseIndex.build(PrimaryKind.IVF_SQ8, vectors(), threads=2, report=said.append)
    assert [stage.split()[0] for stage in said] == ["training", "adding", "calibrating"]
    assert faiss.omp_get_max_threads() == before


@pytest.mark.parametrize("kind", KINDS)
def test_threads_may_search_at_the_same_time(tmp_path: Path, kind: PrimaryKind) -> None:
    built(kind).save(tmp_path / "vectors")
    opened = DenseIndex.open(tmp_path / "vectors", built(kind).parameters())

    def ask(query: NDArray[np.float32]) -> list[int]:
        positions, _ = opened.search(query, 10, bits(np.arange(COUNT - 1)), COUNT - 1)
        assert opened.vectors_at(positions).shape == (10, DIMENSION)
        return positions.tolist()

    alone = [ask(query) for query in queries()]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, [*queries()] * 5)) == alone * 5


@pytest.mark.parametrize("memory_map", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_ends_too_soon_is_refused(
    tmp_path: Path, kind: PrimaryKind, memory_map: bool
) -> None:
    path = tmp_path / "vectors"
    built(kind).save(path)
    whole = path.read_bytes()
    for length in (0, 3, 40, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedCacheError):
            DenseIndex.open(path, built(kind).parameters(), memory_map=memory_map)


@pytest.mark.parametrize(
    "change",
    [
        {"dimension": 31},
        {"vectors": COUNT + 1},
        {"vectors": "many"},
        {"kind": "sq8"},
        {"kind": "no-such-kind"},
        {"nprobe": 1.5},
    ],
)
def test_parameters_of_another_index_are_refused(tmp_path: Path, change: dict[str, object]) -> None:
    index = built(PrimaryKind.IVF_SQ8)
    index.save(tmp_path / "vectors")
    with pytest.raises(DamagedCacheError):
        DenseIndex.open(tmp_path / "vectors", {**index.parameters(), **change})
    with pytest.raises(DamagedCacheError):
        DenseIndex.open(tmp_path / "vectors", {"kind": "ivf-sq8"})


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    parameters = built(PrimaryKind.FLAT).parameters()
    with pytest.raises(DamagedCacheError):
        DenseIndex.open(tmp_path / "missing", parameters)
    (tmp_path / "text").write_text("This is not an index. " * 100)
    with pytest.raises(DamagedCacheError):
        DenseIndex.open(tmp_path / "text", parameters)


@pytest.mark.parametrize("kind", KINDS)
def test_the_codes_lie_in_the_mapped_file(tmp_path: Path, kind: PrimaryKind) -> None:
    path = tmp_path / "vectors"
    built(kind).save(path)
    opened = DenseIndex.open(path, built(kind).parameters())
    address = opened.codes_address()
    assert address is not None
    assert ctypes.string_at(address, 16) in path.read_bytes()
    if sys.platform == "linux":
        maps = Path("/proc/self/maps").read_text().splitlines()
        (mapping,) = [line.split()[0].split("-") for line in maps if str(path.resolve()) in line]
        assert int(mapping[0], 16) <= address < int(mapping[1], 16)


def test_an_empty_index_has_no_codes() -> None:
    empty = DenseIndex.build(PrimaryKind.FLAT, np.empty((0, DIMENSION), np.float32))
    assert empty.codes_address() is None
