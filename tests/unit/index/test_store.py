"""The store: whole generations or nothing, and clear words about a broken file."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError, NewerCacheError
from codeintel_ls.index.schema import FORMAT, FileRecord, KnownSkip, Moment, chunk_id
from codeintel_ls.index.store import Store
from tests.unit.index.records import FakeEncoder, make_file, save

ENCODER = FakeEncoder()


@pytest.fixture
def contents(tmp_path: Path) -> Iterator[ContentStore]:
    with ContentStore(tmp_path / "shared" / "contents.sqlite3") as opened:
        yield opened


@pytest.fixture
def store(tmp_path: Path, contents: ContentStore) -> Iterator[Store]:
    with Store(tmp_path / "cache" / "index.sqlite3", contents) as opened:
        yield opened


def file_of(store: Store, path: str, texts: list[str], *, seen_ns: int = 0) -> FileRecord:
    return make_file(store.contents, ENCODER, path, texts, seen_ns=seen_ns)


def chunks_of(store: Store, path: str) -> list[int]:
    """The ids of a live file's chunks."""
    return [
        chunk_id(file.id, ordinal)
        for file in store.changes_at([path], 0).born
        for ordinal in range(file.chunks)
    ]


def test_only_its_owner_may_read_it(store: Store) -> None:
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_replaced_file_dies_and_its_successor_lives(store: Store) -> None:
    old = file_of(store, "a.py", ["old text", "more old"])
    store.commit(replaced=[old])
    new = file_of(store, "a.py", ["new text"])
    assert store.commit(replaced=[new]) == 2
    assert store.files()["a.py"].digest == new.digest
    assert len(chunks_of(store, "a.py")) == 1


def test_what_was_read_earlier_never_replaces_what_was_read_later(store: Store) -> None:
    late = file_of(store, "a.py", ["saved while indexing"], seen_ns=20)
    store.commit(replaced=[late])
    early = file_of(store, "a.py", ["before the save"], seen_ns=10)
    store.commit(replaced=[early], looked=Moment(0, 5))
    assert store.files()["a.py"].digest == late.digest


def test_a_failing_transaction_leaves_nothing(store: Store) -> None:
    good = file_of(store, "a.py", ["text"])
    store.commit(replaced=[good])
    twice = [file_of(store, "b.py", ["x"])] * 2
    with pytest.raises(DamagedCacheError):
        store.commit(replaced=twice)
    assert set(store.files()) == {"a.py"}
    assert store.generation() == 1


def test_sweeping_keeps_what_lives(store: Store) -> None:
    old = file_of(store, "a.py", ["old"])
    store.commit(replaced=[old])
    dead = chunks_of(store, "a.py")[0]
    new = file_of(store, "a.py", ["new"])
    store.commit(replaced=[new])
    alive = chunks_of(store, "a.py")[0]
    assert set(store.places([dead, alive])) == {dead, alive}
    store.sweep(store.generation())
    with Store(store.path, store.contents) as another:
        assert set(another.places([dead, alive])) == {alive}


def test_skips_are_counted_by_reason_until_the_file_is_indexed(store: Store) -> None:
    store.commit(skipped={"a.py": KnownSkip("binary", 1, 1), "b.py": KnownSkip("binary", 1, 1)})
    assert store.skip_counts() == {"binary": 2}
    file = file_of(store, "a.py", ["text now"])
    store.commit(replaced=[file])
    assert store.skip_counts() == {"binary": 1}


def test_paths_below_a_folder(store: Store) -> None:
    for path in ("src/a.py", "src/deep/b.py", "src2/c.py", "src.py"):
        file = file_of(store, path, [path])
        store.commit(replaced=[file])
    store.commit(skipped={"src/d.bin": KnownSkip("binary", 1, 1)})
    assert sorted(store.paths_below("src")) == ["src/a.py", "src/d.bin", "src/deep/b.py"]


def test_thousands_of_places_at_once(store: Store) -> None:
    file = file_of(store, "a.py", [f"chunk {number}" for number in range(1200)])
    store.commit(replaced=[file])
    places = store.places(chunks_of(store, "a.py"))
    assert [place.start_line for place in places.values()] == list(range(1200))


def test_a_file_that_is_no_database(tmp_path: Path, contents: ContentStore) -> None:
    path = tmp_path / "index.sqlite3"
    path.write_bytes(os.urandom(8192))
    with pytest.raises(DamagedCacheError):
        Store(path, contents)


def test_somebody_elses_database_is_not_touched(tmp_path: Path, contents: ContentStore) -> None:
    path = tmp_path / "index.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(DamagedCacheError):
        Store(path, contents)


def test_a_newer_format_is_named(tmp_path: Path, contents: ContentStore) -> None:
    path = tmp_path / "index.sqlite3"
    Store(path, contents).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    with pytest.raises(NewerCacheError, match=str(FORMAT + 1)):
        Store(path, contents)


def test_a_save_since_the_listing_is_not_taken_out(store: Store) -> None:
    listed = store.moment()
    file = file_of(store, "a.py", ["saved"], seen_ns=listed.clock_ns + 1)
    store.commit(replaced=[file])
    store.commit(removed=["a.py"], skipped={"a.py": KnownSkip("binary", 1, 1)}, looked=listed)
    assert set(store.files()) == {"a.py"}
    assert store.skips() == {}
    store.commit(removed=["a.py"], looked=store.moment())
    assert store.files() == {}


def test_a_clock_that_went_back_keeps_no_save_out(store: Store) -> None:
    old = file_of(store, "a.py", ["old"], seen_ns=10**19 // 2)
    store.commit(replaced=[old])
    looked = store.moment()
    new = file_of(store, "a.py", ["new"], seen_ns=looked.clock_ns)
    store.commit(replaced=[new], looked=looked)
    assert store.files()["a.py"].digest == new.digest


def test_touching_says_nothing_of_other_content(store: Store) -> None:
    file = file_of(store, "a.py", ["text"])
    store.commit(replaced=[file])
    store.commit(touched=[("a.py", b"another digest", 7, 7, 7)])
    assert store.files()["a.py"].mtime_ns == 1
    store.commit(touched=[("a.py", file.digest, 7, 7, 7)])
    assert store.files()["a.py"].mtime_ns == 7


def test_a_transaction_that_finds_no_space_blocks_nothing(store: Store) -> None:
    file = file_of(store, "a.py", ["text"])
    with store.snapshot() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(CacheUnavailableError, match="full"):
        store.commit(skipped={"x" * 1_000_000: KnownSkip("binary", 1, 1)})
    with store.snapshot() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    store.commit(replaced=[file])
    assert store.generation() == 1


def test_a_database_that_was_replaced_is_not_taken_for_the_old_one(store: Store) -> None:
    store.path.rename(store.path.with_suffix(".old"))
    with pytest.raises(DamagedCacheError, match="removed"):
        store.files()
    Store(store.path, store.contents).close()
    with pytest.raises(DamagedCacheError, match="removed"):
        store.files()


def test_contents_that_are_removed_are_noticed(store: Store) -> None:
    save(store, ENCODER, {"a.py": ["text"]})
    store.contents.path.unlink()
    assert not store.is_there()
    with pytest.raises(DamagedCacheError, match="removed"):
        store.files()


def test_closing_while_a_statement_runs_closes_its_connection_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeintel_ls.index.database._BUSY_SECONDS", 0.0)
    with store.snapshot() as connection:
        store.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


# -- generations -----------------------------------------------------------------------------------


def test_what_became_of_an_earlier_generation(store: Store) -> None:
    save(store, ENCODER, {"a.py": ["one"], "b.py": ["two", "three"], "empty.py": []})
    ids = {file.path: file.id for file in store.changes_since(0).born}
    save(store, ENCODER, {"b.py": ["four"], "c.py": ["five"]})
    store.commit(removed=["a.py"])
    changes = store.changes_since(1)
    assert (changes.generation, changes.last_file) == (3, max(ids.values()) + 2)
    assert sorted(changes.died) == sorted([ids["a.py"], ids["b.py"]])
    assert [(file.path, file.chunks, file.born) for file in changes.born] == [
        ("b.py", 1, 2),
        ("c.py", 1, 2),
    ]
    assert store.changes_since(3).born == store.changes_since(3).died == []
    assert store.chunks_since(1) == [(file.id, 1) for file in changes.born]
    assert {count for _, count in store.chunks_since(0)} == {0, 1}
    assert store.died_between(1, 2) == [ids["b.py"]]
    assert store.died_between(2, 3) == [ids["a.py"]]
    assert (store.count_files(), store.count_chunks()) == (3, 2)


def test_what_became_of_some_paths(store: Store) -> None:
    save(store, ENCODER, {"a.py": ["one"], "b.py": ["two"]})
    save(store, ENCODER, {"b.py": ["three"], "c.py": ["four"]})
    changes = store.changes_at(["b.py", "nowhere.py"], 1)
    assert [file.path for file in changes.born] == ["b.py"]
    assert len(changes.died) == 1
    unchanged = store.changes_at(["a.py"], 1)
    assert (unchanged.born, unchanged.died) == ([], [])
    assert len(store.changes_at(["a.py", "b.py"], 0).born) == 2


def test_the_last_file_is_known_though_it_was_swept(store: Store) -> None:
    save(store, ENCODER, {"a.py": ["one"], "b.py": ["two"]})
    store.commit(removed=["a.py", "b.py"])
    store.sweep(2)
    assert store.swept() == 2
    store.sweep(1)
    assert store.swept() == 2
    assert (store.changes_since(2).last_file, store.all_paths()) == (2, [])


def test_forgetting_files_makes_another_store(store: Store) -> None:
    save(store, ENCODER, {"a.py": ["one"]})
    before = store.identity, store.generation()
    store.forget_files()
    assert store.identity not in {before[0], ""}
    assert store.generation() == store.swept() == before[1] + 1
    assert store.contents.counts() == (2, 2)
    save(store, ENCODER, {"a.py": ["one"]})
    assert store.changes_since(0).born[0].id == 2


def test_contents_are_named_by_the_living_and_the_dead(store: Store) -> None:
    save(store, ENCODER, {"a.py": ["one"]})
    save(store, ENCODER, {"a.py": ["two"], "b.py": ["two"]})
    assert len(store.contents_named()) == 4
    store.sweep(store.generation())
    assert len(store.contents_named()) == 3


# -- places ----------------------------------------------------------------------------------------


def test_places_of_chunks_that_are_not_there(store: Store) -> None:
    save(store, ENCODER, {"a.py": ["one", "two"]})
    (first, second) = chunks_of(store, "a.py")
    for _ in range(2):
        assert set(store.places([second, first + 2, first + (7 << 20)])) == {second}
    assert store.places([]) == {}


@pytest.mark.parametrize(
    "places", [b"", b"[", b"[[0,1,null,null],7]", b"[[0,1,null]]", b"{}", b"\xff" * 9, b"7"]
)
def test_places_with_damaged_bytes_are_not_there(store: Store, places: bytes) -> None:
    save(store, ENCODER, {"a.py": ["one", "two"], "b.py": ["three"]})
    wanted = [*chunks_of(store, "a.py"), *chunks_of(store, "b.py")]
    damaged = store.changes_at(["a.py"], 0).born[0].content
    with sqlite3.connect(store.contents.path) as connection:
        connection.execute("UPDATE content SET places = ? WHERE key = ?", (places, damaged))
    connection.close()
    assert {place.path for place in store.places(wanted).values()} == {"b.py"}


def test_more_files_than_are_remembered(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codeintel_ls.index.store._REMEMBERED_FILES", 3)
    save(store, ENCODER, {f"{number}.py": ["one"] for number in range(9)})
    wanted = [chunk for number in range(9) for chunk in chunks_of(store, f"{number}.py")]
    for some in (wanted, wanted[:2], wanted[::-1], wanted):
        assert list(store.places(some)) == some
