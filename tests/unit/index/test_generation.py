"""Generations and their rows: immutable for readers, few segments, honest about what was lost."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from codeintel_ls.index.generation import Generation
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.merge_policy import Step
from codeintel_ls.index.publication import GenerationCounts, Publication
from codeintel_ls.index.rows import joined, read_rows
from codeintel_ls.index.schema import FileToView
from codeintel_ls.index.store import Store
from tests.unit.index.generations import BUILD, anew, assert_alike, live, publication_of
from tests.unit.index.records import FakeEncoder, make_contents, save, stores

ENCODER = FakeEncoder()
MERGE = Step(0, PrimaryKind.FLAT)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stores(tmp_path) as opened:
        yield opened


@pytest.fixture
def publication(tmp_path: Path, store: Store) -> Publication:
    made = publication_of(tmp_path, store, ENCODER.dimension)
    made.load()
    return made


def paths_of(store: Store, generation: Generation) -> list[str]:
    return sorted(place.path for place in store.places(live(generation)).values())


def change_contents(store: Store, sql: str, *parameters: object) -> None:
    with sqlite3.connect(store.contents.path) as connection:
        assert connection.execute(sql, parameters).rowcount
    connection.close()


def test_a_reader_keeps_its_generation_while_the_writer_goes_on(
    store: Store, publication: Publication
) -> None:
    save(store, ENCODER, {"a.py": ["parse request"]})
    publication.publish()
    before = publication.current
    held = live(before)
    save(store, ENCODER, {"a.py": ["retry socket", "color"]})
    publication.publish()
    after = publication.current
    publication.carry_out(MERGE, BUILD)
    assert live(before) == held
    assert set(live(after)).isdisjoint(held)
    assert (after.dead, after.secondary, after.chunks) == (1, 3, 2)
    merged = publication.current
    assert (merged.dead, merged.secondary, merged.chunks) == (0, 0, 2)
    assert live(merged) == live(after)


def test_a_generation_holds_what_it_has_living_chunks_of(
    store: Store, publication: Publication
) -> None:
    def ids() -> list[int]:
        return [store.files()[path].id for path in ("a.py", "b.py", "empty.py")]

    save(store, ENCODER, {"a.py": ["parse"], "b.py": ["retry"], "empty.py": []})
    publication.carry_out(MERGE, BUILD)
    old_a, b, empty = ids()
    save(store, ENCODER, {"a.py": ["parse", "color"]})
    before = publication.current
    new_a, *_ = ids()
    assert before.holding([old_a, new_a, b, empty]) == {old_a, b}
    publication.publish()
    assert publication.current.holding([old_a, new_a, b, empty]) == {new_a, b}
    assert publication.current.holding([]) == set()
    assert Generation(manifest=before.manifest).holding([b]) == set()


def test_many_small_updates_stay_few_segments(store: Store, publication: Publication) -> None:
    for number in range(40):
        save(store, ENCODER, {f"f{number}.py": [f"word{number} parse"]})
        publication.publish()
    generation = publication.current
    assert generation.chunks == 40
    assert len(generation.segments) <= 9
    assert_alike(generation, anew(store, 8), store, ENCODER, ["parse", "word7"])
    assert len(publication.carry_out(MERGE, BUILD).segments) == 1


def test_merging_an_emptied_index(store: Store, publication: Publication, tmp_path: Path) -> None:
    save(store, ENCODER, {"a.py": ["parse"]})
    publication.publish()
    publication.carry_out(MERGE, BUILD)
    store.commit(removed=["a.py"])
    merged = publication.carry_out(MERGE, BUILD)
    assert (merged.chunks, merged.segments, merged.primary) == (0, (), None)
    assert publication_of(tmp_path, store, 8).load().covered == 2


def test_files_without_a_chunk_trouble_nobody(store: Store, publication: Publication) -> None:
    save(store, ENCODER, {"empty.py": []})
    publication.publish()
    publication.carry_out(MERGE, BUILD)
    save(store, ENCODER, {"a.py": ["parse"], "b.py": [], "c.py": ["color", "retry"], "d.py": []})
    save(store, ENCODER, {"e.py": []})
    publication.publish()
    for step in (Step(1, PrimaryKind.FLAT), MERGE):
        assert_alike(
            publication.carry_out(step, BUILD), anew(store, 8), store, ENCODER, ["parse", "color"]
        )
    store.commit(removed=["b.py", "c.py"])
    publication.publish()
    assert paths_of(store, publication.current) == ["a.py"]


def test_a_save_that_overtook_others_dies_like_any(store: Store, publication: Publication) -> None:
    for number in range(3):
        save(store, ENCODER, {f"bulk{number}.py": ["parse"]})
        save(store, ENCODER, {f"saved{number}.py": ["color"]})
        publication.publish([f"saved{number}.py"])
    assert paths_of(store, publication.current) == ["saved0.py", "saved1.py", "saved2.py"]
    publication.publish()
    for number in range(10):
        save(store, ENCODER, {f"late{number}.py": ["retry"]})
        publication.publish()
    store.commit(removed=["saved0.py", "saved2.py", "bulk1.py"])
    publication.publish()
    assert paths_of(store, publication.current) == paths_of(store, anew(store, 8))


def test_publishing_what_did_not_change_shows_nothing_twice(
    store: Store, publication: Publication
) -> None:
    save(store, ENCODER, {"a.py": ["parse"]})
    publication.publish()
    publication.publish(["a.py"])
    publication.carry_out(MERGE, BUILD)
    publication.publish(["a.py"])
    assert paths_of(store, publication.current) == ["a.py"]


def test_much_that_is_new_is_left_to_the_indexing_process(
    store: Store, publication: Publication, tmp_path: Path
) -> None:
    save(store, ENCODER, {"a.py": ["parse"]})
    publication.publish()
    texts = [f"chunk {number}" for number in range(50)]
    save(store, ENCODER, {f"{name}.py": texts for name in "bcd"})
    assert not publication.publish(most=100)
    assert paths_of(store, publication.current) == ["a.py"]
    assert publication.unpublished() == 150
    step = publication.next_step(indexing=False)
    assert step is not None
    publication.carry_out(step, BUILD)
    assert publication.unpublished() == 0
    assert publication.current.chunks == 151
    assert publication.publish(most=0)


def test_an_opening_reads_little_itself(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeintel_ls.index.publication._MOST_TO_READ", 10)
    save(store, ENCODER, {"a.py": [f"chunk {number}" for number in range(11)]})
    owner = publication_of(tmp_path, store, 8)
    assert owner.load().chunks == 0
    assert owner.unpublished() == 11
    follower = publication_of(tmp_path, store, 8)
    assert follower.load(own=False).chunks == 11


def test_the_numbers_of_a_generation(store: Store, publication: Publication) -> None:
    assert publication.counts == GenerationCounts()
    save(store, ENCODER, {"a.py": ["one", "two"], "b.py": ["three"]})
    publication.publish()
    publication.carry_out(MERGE, BUILD)
    save(store, ENCODER, {"a.py": ["four"]})
    publication.publish()
    counts = publication.counts
    assert (counts.number, counts.chunks, counts.tombstones) == (2, 2, 2)
    assert (counts.primary_kind, counts.primary_vectors, counts.secondary_vectors) == ("flat", 3, 1)
    assert counts.loaded
    assert counts.memory_bytes > 0
    publication.unload()
    told = publication.counts
    assert (told.loaded, told.memory_bytes) == (False, 0)
    assert (told.number, told.chunks, told.tombstones) == (2, 2, 2)
    assert (told.primary_vectors, told.secondary_vectors) == (3, 1)
    assert paths_of(store, publication.current) == ["a.py", "b.py"]
    assert publication.counts == counts


# -- rows ------------------------------------------------------------------------------------------


def files_in(store: Store) -> list[FileToView]:
    return store.changes_since(0).born


def test_what_was_lost_is_named_and_the_rest_is_read(store: Store) -> None:
    names = ("a.py", "b.py", "c.py", "d.py", "e.py")
    save(store, ENCODER, {name: [f"text of {name}", f"more of {name}"] for name in names})
    before = live(anew(store, 8))
    text, path, _ = make_contents(ENCODER, "b.py", ["text of b.py", "more of b.py"])
    change_contents(store, "DELETE FROM content WHERE key = ?", text.key)
    change_contents(store, "UPDATE vector SET data = zeroblob(16) WHERE key = ?", *path.vectors)
    text, path, _ = make_contents(ENCODER, "d.py", ["text of d.py", "more of d.py"])
    change_contents(store, "DELETE FROM vector WHERE key = ?", text.vectors[1])
    text, path, _ = make_contents(ENCODER, "e.py", ["text of e.py", "more of e.py"])
    change_contents(store, "UPDATE content SET checksum = 0 WHERE key = ?", path.key)
    rows, lost = read_rows(store.contents, files_in(store), 8)
    assert sorted(file.path for file in lost) == ["b.py", "d.py", "e.py"]
    assert rows.counts.tolist() == [2, 2]
    held = {number: vector for number, vector in before.items() if number >> 20 in rows.files}
    assert [vector.round(3).tolist() for vector in rows.vectors] == list(held.values())


def test_a_file_whose_path_was_lost_is_lost(store: Store) -> None:
    save(store, ENCODER, {"a.py": ["one"], "b.py": ["two"]})
    _, path, _ = make_contents(ENCODER, "a.py", ["one"])
    change_contents(store, "UPDATE vector SET data = zeroblob(16) WHERE key = ?", *path.vectors)
    rows, lost = read_rows(store.contents, files_in(store), 8)
    assert [file.path for file in lost] == ["a.py"]
    assert len(rows) == 1
    _, lost = read_rows(store.contents, files_in(store), 16)
    assert len(lost) == 2


def test_rows_of_nothing(store: Store) -> None:
    rows, lost = read_rows(store.contents, [], 8)
    assert (len(rows), rows.vectors.shape, lost) == (0, (0, 8), [])


def test_rows_that_stand_between_each_other_are_put_in_order(store: Store) -> None:
    texts = {f"{n}.py": [f"text {n} {m}" for m in range(n % 3)] for n in range(12)}
    save(store, ENCODER, texts)
    files = files_in(store)
    whole, _ = read_rows(store.contents, files, 8)
    parts = [read_rows(store.contents, files[first::4], 8)[0] for first in (2, 0, 3, 1)]
    together = joined(parts)
    for name in ("files", "counts", "vectors", "postings"):
        assert np.array_equal(getattr(together, name), getattr(whole, name)), name


def test_what_is_lost_while_building_is_told_and_searches_go_on(
    store: Store, publication: Publication
) -> None:
    save(store, ENCODER, {"a.py": ["parse"], "b.py": ["color"]})
    publication.publish()
    text, _, _ = make_contents(ENCODER, "b.py", ["color"])
    store.contents.forget([text.key])
    generation = publication.carry_out(MERGE, BUILD)
    assert [file.path for file in publication.take_lost()] == ["b.py"]
    assert publication.take_lost() == []
    assert paths_of(store, generation) == ["a.py"]
    save(store, ENCODER, {"b.py": ["color"]})
    publication.publish()
    assert paths_of(store, publication.current) == ["a.py", "b.py"]


def test_an_index_of_which_everything_was_lost(store: Store, publication: Publication) -> None:
    save(store, ENCODER, {"a.py": ["parse"], "b.py": ["color"]})
    change_contents(store, "DELETE FROM vector")
    generation = publication.carry_out(MERGE, BUILD)
    assert generation.chunks == 0
    assert len(publication.take_lost()) == 2
    assert publication.next_step(indexing=False) is None
