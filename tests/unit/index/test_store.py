"""The store: whole generations or nothing, and clear words about a broken file."""

import os
import sqlite3
from pathlib import Path

import pytest

from codeintel_ls.embedding import StaticEncoder
from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError, NewerCacheError
from codeintel_ls.index.schema import FORMAT, KnownSkip, Moment
from codeintel_ls.index.store import Store
from tests.unit.index.records import make_file


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache" / "index.sqlite3")


def test_only_its_owner_may_read_it(store: Store) -> None:
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_replaced_file_dies_and_its_successor_lives(store: Store, encoder: StaticEncoder) -> None:
    old, vectors = make_file(encoder, "a.py", ["old text", "more old"])
    store.commit(replaced=[old], vectors=vectors)
    new, vectors = make_file(encoder, "a.py", ["new text"])
    assert store.commit(replaced=[new], vectors=vectors) == 2
    assert store.files()["a.py"].digest == new.digest
    assert len(store.chunks_of("a.py")) == 1


def test_what_was_read_earlier_never_replaces_what_was_read_later(
    store: Store, encoder: StaticEncoder
) -> None:
    late, vectors = make_file(encoder, "a.py", ["saved while indexing"], seen_ns=20)
    store.commit(replaced=[late], vectors=vectors)
    early, vectors = make_file(encoder, "a.py", ["before the save"], seen_ns=10)
    store.commit(replaced=[early], vectors=vectors, looked=Moment(0, 5))
    assert store.files()["a.py"].digest == late.digest


def test_a_failing_transaction_leaves_nothing(store: Store, encoder: StaticEncoder) -> None:
    good, vectors = make_file(encoder, "a.py", ["text"])
    store.commit(replaced=[good], vectors=vectors)
    twice = [make_file(encoder, "b.py", ["x"])[0]] * 2
    with pytest.raises(DamagedCacheError):
        store.commit(replaced=twice)
    assert set(store.files()) == {"a.py"}
    assert store.generation() == 1


def test_sweeping_keeps_what_lives(store: Store, encoder: StaticEncoder) -> None:
    old, vectors = make_file(encoder, "a.py", ["old"])
    store.commit(replaced=[old], vectors=vectors)
    dead = store.chunks_of("a.py")[0].chunk_id
    new, vectors = make_file(encoder, "a.py", ["new"])
    store.commit(replaced=[new], vectors=vectors)
    alive = store.chunks_of("a.py")[0].chunk_id
    assert set(store.places([dead, alive])) == {dead, alive}
    store.sweep(store.generation())
    assert set(store.places([dead, alive])) == {alive}


def test_vectors_that_nothing_refers_to_are_collected(store: Store, encoder: StaticEncoder) -> None:
    file, vectors = make_file(encoder, "a.py", ["only here"])
    store.commit(replaced=[file], vectors=vectors)
    assert store.missing_vectors(vectors) == []
    store.commit(removed=["a.py"])
    store.sweep(store.generation())
    assert store.collect_vectors() == len(vectors)
    assert store.missing_vectors(vectors) == list(vectors)


def test_skips_are_counted_by_reason_until_the_file_is_indexed(
    store: Store, encoder: StaticEncoder
) -> None:
    store.commit(skipped={"a.py": KnownSkip("binary", 1, 1), "b.py": KnownSkip("binary", 1, 1)})
    assert store.skip_counts() == {"binary": 2}
    file, vectors = make_file(encoder, "a.py", ["text now"])
    store.commit(replaced=[file], vectors=vectors)
    assert store.skip_counts() == {"binary": 1}


def test_paths_below_a_folder(store: Store, encoder: StaticEncoder) -> None:
    for path in ("src/a.py", "src/deep/b.py", "src2/c.py", "src.py"):
        file, vectors = make_file(encoder, path, [path])
        store.commit(replaced=[file], vectors=vectors)
    store.commit(skipped={"src/d.bin": KnownSkip("binary", 1, 1)})
    assert sorted(store.paths_below("src")) == ["src/a.py", "src/d.bin", "src/deep/b.py"]


def test_thousands_of_places_at_once(store: Store, encoder: StaticEncoder) -> None:
    file, vectors = make_file(encoder, "a.py", [f"chunk {number}" for number in range(1200)])
    store.commit(replaced=[file], vectors=vectors)
    ids = [place.chunk_id for place in store.chunks_of("a.py")]
    assert len(store.places(ids)) == 1200


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    path.write_bytes(os.urandom(8192))
    with pytest.raises(DamagedCacheError):
        Store(path)


def test_somebody_elses_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
        connection.execute("PRAGMA user_version = 7")
    with pytest.raises(DamagedCacheError):
        Store(path)


def test_a_newer_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite3"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    with pytest.raises(NewerCacheError, match=str(FORMAT + 1)):
        Store(path)


def test_a_save_since_the_listing_is_not_taken_out(store: Store, encoder: StaticEncoder) -> None:
    listed = store.moment()
    file, vectors = make_file(encoder, "a.py", ["saved"], seen_ns=listed.clock_ns + 1)
    store.commit(replaced=[file], vectors=vectors)
    store.commit(removed=["a.py"], skipped={"a.py": KnownSkip("binary", 1, 1)}, looked=listed)
    assert set(store.files()) == {"a.py"}
    assert store.skips() == {}
    store.commit(removed=["a.py"], looked=store.moment())
    assert store.files() == {}


def test_a_clock_that_went_back_keeps_no_save_out(store: Store, encoder: StaticEncoder) -> None:
    old, vectors = make_file(encoder, "a.py", ["old"], seen_ns=10**19 // 2)
    store.commit(replaced=[old], vectors=vectors)
    looked = store.moment()
    new, vectors = make_file(encoder, "a.py", ["new"], seen_ns=looked.clock_ns)
    store.commit(replaced=[new], vectors=vectors, looked=looked)
    assert store.files()["a.py"].digest == new.digest


def test_touching_says_nothing_of_other_content(store: Store, encoder: StaticEncoder) -> None:
    file, vectors = make_file(encoder, "a.py", ["text"])
    store.commit(replaced=[file], vectors=vectors)
    store.commit(touched=[("a.py", b"another digest", 7, 7, 7)])
    assert store.files()["a.py"].mtime_ns == 1
    store.commit(touched=[("a.py", file.digest, 7, 7, 7)])
    assert store.files()["a.py"].mtime_ns == 7


def test_a_transaction_that_finds_no_space_blocks_nothing(
    store: Store, encoder: StaticEncoder
) -> None:
    file, vectors = make_file(encoder, "a.py", ["text"])
    with store.snapshot() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(CacheUnavailableError, match="full"):
        store.commit(vectors={b"key": bytes(1_000_000)})
    with store.snapshot() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    store.commit(replaced=[file], vectors=vectors)
    assert store.generation() == 1


def test_a_database_that_was_replaced_is_not_taken_for_the_old_one(store: Store) -> None:
    store.path.rename(store.path.with_suffix(".old"))
    with pytest.raises(DamagedCacheError, match="removed"):
        store.files()
    Store(store.path).close()
    with pytest.raises(DamagedCacheError, match="removed"):
        store.files()


def test_files_of_a_generation_are_those_that_lived_in_it(
    store: Store, encoder: StaticEncoder
) -> None:
    old, vectors = make_file(encoder, "a.py", ["old"])
    store.commit(replaced=[old], vectors=vectors)
    before = store.paths_at(1)
    new, vectors = make_file(encoder, "a.py", ["new"])
    store.commit(replaced=[new], vectors=vectors)
    assert store.paths_at(1) == before
    assert [path for _, path, _ in store.paths_at(2)] == ["a.py"]
    assert store.paths_at(2) != before


def test_closing_while_a_statement_runs_closes_its_connection_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeintel_ls.index.database._BUSY_SECONDS", 0.0)
    with store.snapshot() as connection:
        store.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
