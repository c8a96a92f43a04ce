"""An index on disk: set aside when it cannot be read, written by one process alone."""

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from codeintel_ls.embedding import StaticEncoder
from codeintel_ls.index.errors import CacheUnavailableError
from codeintel_ls.index.index import Index
from codeintel_ls.index.schema import FORMAT
from tests.unit.index.records import make_file

HOLD = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from codeintel_ls.index.index import Index
index = Index.open(Path(sys.argv[1]), recipe="r", dimension=256)
print(index.owned, flush=True)
sys.stdin.read()
"""


def fill(folder: Path, encoder: StaticEncoder) -> None:
    index = Index.open(folder, recipe="r", dimension=encoder.dimension)
    file, vectors = make_file(encoder, "a.py", ["parse request"])
    index.store.commit(replaced=[file], vectors=vectors)
    index.close()


def reopen(folder: Path, encoder: StaticEncoder, recipe: str = "r") -> Index:
    return Index.open(folder, recipe=recipe, dimension=encoder.dimension)


def test_the_last_generation_is_there_at_once(tmp_path: Path, encoder: StaticEncoder) -> None:
    fill(tmp_path / "cache", encoder)
    index = reopen(tmp_path / "cache", encoder)
    assert index.published.chunks == 1
    assert index.notices == ()
    index.close()


def test_the_folder_is_private(tmp_path: Path, encoder: StaticEncoder) -> None:
    fill(tmp_path / "cache", encoder)
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    for path in (tmp_path / "cache").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


@pytest.mark.parametrize("damage", ["bytes", "middle", "newer", "other", "vector"])
def test_what_cannot_be_read_is_set_aside_and_said(
    tmp_path: Path, encoder: StaticEncoder, damage: str
) -> None:
    folder = tmp_path / "cache"
    fill(folder, encoder)
    database = folder / "index.sqlite3"
    if damage == "bytes":
        database.write_bytes(b"not a database at all" * 100)
    elif damage == "middle":
        data = bytearray(database.read_bytes())
        data[4096:] = b"\xff" * (len(data) - 4096)
        database.write_bytes(data)
    else:
        connection = sqlite3.connect(database)
        if damage == "newer":
            connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
        elif damage == "other":
            connection.execute("PRAGMA application_id = 1")
        else:
            connection.execute("UPDATE vector SET data = x'00'")
        connection.commit()
        connection.close()
    before = database.read_bytes()
    index = reopen(folder, encoder)
    assert index.published.chunks == 0
    assert any("set aside" in notice for notice in index.notices)
    (aside,) = folder.glob("set-aside-*")
    assert (aside / "index.sqlite3").read_bytes() == before
    file, vectors = make_file(encoder, "b.py", ["works again"])
    index.store.commit(replaced=[file], vectors=vectors)
    assert index.refresh().chunks == 1
    index.close()


def test_another_recipe_empties_files_but_keeps_vectors(
    tmp_path: Path, encoder: StaticEncoder
) -> None:
    fill(tmp_path / "cache", encoder)
    index = reopen(tmp_path / "cache", encoder, recipe="other")
    assert index.published.chunks == 0
    assert index.store.files() == {}
    assert index.store.query("SELECT count(*) FROM vector")[0][0] == 2
    assert any("another version or model" in notice for notice in index.notices)
    index.close()


def test_one_process_owns_and_another_follows(tmp_path: Path, encoder: StaticEncoder) -> None:
    folder = tmp_path / "cache"
    fill(folder, encoder)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "True\n"
        index = reopen(folder, encoder)
        assert not index.owned
        assert index.owner() == other.pid
        assert index.published.chunks == 1
        assert not index.try_own()
        other.kill()
        other.wait()
        assert index.try_own()
        index.close()


def test_a_follower_sees_what_the_owner_commits(tmp_path: Path, encoder: StaticEncoder) -> None:
    owner = reopen(tmp_path / "cache", encoder)
    follower = reopen(tmp_path / "cache", encoder)
    assert (owner.owned, follower.owned) == (True, False)
    file, vectors = make_file(encoder, "a.py", ["parse request", "color"])
    owner.store.commit(replaced=[file], vectors=vectors)
    assert follower.refresh().chunks == 2
    owner.store.commit(removed=["a.py"])
    owner.refresh()
    owner.merge()
    assert follower.refresh().chunks == 0
    owner.close()
    assert follower.try_own()
    follower.close()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, encoder: StaticEncoder) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheUnavailableError) as caught:
        reopen(tmp_path / "file" / "cache", encoder)
    assert str(tmp_path) not in str(caught.value)


def test_a_follower_of_another_recipe_refuses_and_the_next_owner_starts_anew(
    tmp_path: Path, encoder: StaticEncoder
) -> None:
    owner = reopen(tmp_path / "cache", encoder)
    file, vectors = make_file(encoder, "a.py", ["parse request"])
    owner.store.commit(replaced=[file], vectors=vectors)
    with pytest.raises(CacheUnavailableError, match="another version or model"):
        reopen(tmp_path / "cache", encoder, recipe="other")
    owner.close()
    other = reopen(tmp_path / "cache", encoder, recipe="other")
    assert (other.owned, other.published.chunks) == (True, 0)
    other.close()


def test_taking_over_empties_what_another_recipe_made_meanwhile(
    tmp_path: Path, encoder: StaticEncoder
) -> None:
    owner = reopen(tmp_path / "cache", encoder)
    follower = reopen(tmp_path / "cache", encoder)
    owner.store.set_meta("recipe", "other")
    file, vectors = make_file(encoder, "a.py", ["parse request"])
    owner.store.commit(replaced=[file], vectors=vectors)
    owner.close()
    assert follower.try_own()
    assert follower.published.chunks == 0
    assert follower.store.meta("recipe") == "r"
    follower.close()


def test_two_threads_that_take_the_lock_give_it_up_once(
    tmp_path: Path, encoder: StaticEncoder
) -> None:
    owner, follower = (reopen(tmp_path / "cache", encoder) for _ in range(2))
    owner.close()
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda _: follower.try_own(), range(8)))
    follower.close()
    third = reopen(tmp_path / "cache", encoder)
    assert third.owned
    third.close()


def test_an_index_that_cannot_be_opened_is_not_kept_from_others(
    tmp_path: Path, encoder: StaticEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "cache", encoder)

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Index, "_load", no_space)
        with pytest.raises(CacheUnavailableError, match="No space"):
            reopen(tmp_path / "cache", encoder)
    index = reopen(tmp_path / "cache", encoder)
    assert index.owned
    index.close()


def test_many_processes_may_make_the_cache_at_once(tmp_path: Path, encoder: StaticEncoder) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from codeintel_ls.index.store import Store\n"
        "print('up', flush=True); sys.stdin.readline()\n"
        "for n in range(40): Store(Path(sys.argv[1], f'{n}.sqlite3')).close()\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in processes] == ["", "", ""]


def test_what_was_deleted_is_owned_anew(tmp_path: Path, encoder: StaticEncoder) -> None:
    index = reopen(tmp_path / "cache", encoder)
    shutil.rmtree(tmp_path / "cache")
    damaged = index.store
    index.recover(damaged)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "cache")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert (index.owned, other.communicate()[0]) == (True, "False\n")
    fresh = index.store
    index.recover(damaged)
    assert index.store is fresh
    index.close()


def test_many_small_commits_are_merged_when_they_have_grown(
    tmp_path: Path, encoder: StaticEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeintel_ls.index.generation._MERGE_LEAST", 2)
    index = reopen(tmp_path / "cache", encoder)
    for number in range(5):
        file, vectors = make_file(encoder, f"f{number}.py", ["parse request"])
        index.store.commit(replaced=[file], vectors=vectors)
        wants = index.refresh().wants_merge
        assert wants == (number >= 3)
    assert index.merge().secondary == 0
    index.close()


def test_who_cannot_use_what_was_left_does_not_keep_it(
    tmp_path: Path, encoder: StaticEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, follower = (reopen(tmp_path / "cache", encoder) for _ in range(2))
    owner.close()

    def busy(*_: object) -> None:
        raise CacheUnavailableError("The index cache cannot be used: database is locked.")

    with monkeypatch.context() as patched:
        patched.setattr(Index, "_adopt", busy)
        with pytest.raises(CacheUnavailableError):
            follower.try_own()
    assert not follower.owned
    assert follower.try_own()
    follower.close()


def test_merging_while_files_are_saved_loses_nothing(
    tmp_path: Path, encoder: StaticEncoder
) -> None:
    index = reopen(tmp_path / "cache", encoder)
    saved = threading.Event()

    def merge_all_the_time() -> None:
        while not saved.is_set():
            index.merge()

    merging = threading.Thread(target=merge_all_the_time)
    merging.start()
    for number in range(60):
        file, vectors = make_file(encoder, f"f{number % 20}.py", [f"parse {number}", "color"])
        with index.writing:
            index.store.commit(replaced=[file], vectors=vectors)
        index.refresh()
    saved.set()
    merging.join()
    assert index.refresh().chunks == 40
    live = {
        int(chunk)
        for segment, dead in zip(index.published.segments, index.published.tombstones, strict=True)
        for chunk in segment.chunk_ids[~dead]
    }
    assert live == {
        place.chunk_id for n in range(20) for place in index.store.chunks_of(f"f{n}.py")
    }
    index.close()
