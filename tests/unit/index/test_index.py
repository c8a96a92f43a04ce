"""An index on disk: there at once, written by one process alone, followed by the others."""

import errno
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import orjson
import pytest

from codeintel_ls.index.errors import CacheUnavailableError
from codeintel_ls.index.index import Index
from codeintel_ls.index.ladder import Ladder, PrimaryKind
from codeintel_ls.index.merge_policy import Step
from tests.unit.index.caches import (
    ENCODER,
    add,
    fill,
    held_by_another,
    open_cache,
    shared,
    shown,
    workspace,
)
from tests.unit.index.generations import BUILD, anew, assert_alike, live
from tests.unit.index.processes import complaints_at_once
from tests.unit.index.records import save

MERGE = Step(0, PrimaryKind.FLAT)


@pytest.mark.parametrize("merged", [False, True])
def test_the_last_generation_is_there_at_once(tmp_path: Path, merged: bool) -> None:
    fill(tmp_path, merged=merged)
    index = open_cache(tmp_path)
    assert shown(index) == ["a.py", "a.py"]
    assert index.notices == ()
    assert index.counts.number == index.store.generation()
    assert index.counts.chunks == 2
    assert (index.published.primary is not None) == merged
    index.close()


def test_the_folders_are_private(tmp_path: Path) -> None:
    fill(tmp_path / "cache", merged=True)
    for folder in (workspace(tmp_path / "cache"), shared(tmp_path / "cache")):
        for level in (folder, folder.parent, folder.parent.parent):
            assert level.stat().st_mode & 0o777 == 0o700
        for path in folder.iterdir():
            if path.name.endswith(".sqlite3"):
                assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheUnavailableError) as caught:
        open_cache(tmp_path / "file")
    assert str(tmp_path) not in str(caught.value)


def test_the_note_says_whose_cache_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codeintel_ls.index.index._TOUCH_SECONDS", -1.0)
    root = tmp_path / "caf\udce9" / "shop"
    for folder, named in ((tmp_path / "shop", str(tmp_path / "shop")), (root, None)):
        index = open_cache(tmp_path, root=folder)
        note = workspace(tmp_path) / "workspace.json"
        assert orjson.loads(note.read_bytes()) == {"root": named, "repository": "shop"}
        os.utime(note, (7, 7))
        index.keep_up()
        assert note.stat().st_mtime > 7
        index.close()


def test_who_shares_the_contents(tmp_path: Path) -> None:
    index = open_cache(tmp_path, root=tmp_path / "tree")
    for name, note in {
        "worktree": b'{"root": null, "repository": "shop"}',
        "stranger": b'{"root": null, "repository": "other"}',
        "odd": b"[7]",
        "broken": b"{",
        "nothing": b'{"root": null}',
    }.items():
        folder = tmp_path / "workspaces" / name
        folder.mkdir()
        (folder / "workspace.json").write_bytes(note)
    # As a folder, the note cannot be read, whoever runs this.
    (tmp_path / "workspaces" / "unreadable" / "workspace.json").mkdir(parents=True)
    (tmp_path / "workspaces" / "without-note").mkdir()
    (tmp_path / "workspaces" / "a-file").write_bytes(b"")
    # Whose note says nothing may share them.
    names = ("shop", "worktree", "odd", "broken", "nothing", "unreadable", "without-note", "a-file")
    expected = {tmp_path / "workspaces" / name / "index.sqlite3" for name in names}
    assert set(index.sharing_databases()) == expected
    index.close()


def test_the_sizes_on_disk(tmp_path: Path) -> None:
    index = open_cache(tmp_path)
    before = index.disk_bytes(), index.shared_bytes()
    add(index, "a.py", [f"chunk {number}" for number in range(500)])
    index.carry_out(MERGE, BUILD)
    segments = sum(path.stat().st_size for path in workspace(tmp_path).glob("segments/*/*"))
    assert index.disk_bytes() >= before[0] + segments
    assert index.shared_bytes() > before[1]
    index.close()


# -- recipes ---------------------------------------------------------------------------------------


def test_another_recipe_empties_files_but_keeps_contents(tmp_path: Path) -> None:
    fill(tmp_path, merged=True)
    index = open_cache(tmp_path, recipe="other")
    assert (index.published.chunks, index.published.segments) == (0, ())
    assert index.store.files() == {}
    assert index.store.contents.counts() == (2, 3)
    assert any("another version or model" in notice for notice in index.notices)
    assert list(workspace(tmp_path).glob("segments/*")) == []
    add(index, "b.py", ["color"])
    assert shown(index) == ["b.py"]
    index.close()


def test_another_dimension_takes_no_segment_for_its_own(tmp_path: Path) -> None:
    fill(tmp_path, merged=True)
    index = open_cache(tmp_path, dimension=16)
    assert index.published.segments == ()
    assert index.forget_lost()
    assert index.store.files() == {}
    index.close()


def test_a_follower_of_another_recipe_refuses_and_the_next_owner_starts_anew(
    tmp_path: Path,
) -> None:
    owner = open_cache(tmp_path)
    add(owner, "a.py", ["parse request"])
    with held_by_another(tmp_path):
        pass
    with pytest.raises(CacheUnavailableError, match="another version or model"):
        open_cache(tmp_path, recipe="other")
    owner.close()
    other = open_cache(tmp_path, recipe="other")
    assert (other.owned, other.published.chunks) == (True, 0)
    other.close()


def test_taking_over_empties_what_another_recipe_made_meanwhile(tmp_path: Path) -> None:
    owner, follower = open_cache(tmp_path), open_cache(tmp_path)
    owner.store.set_meta("recipe", "other")
    add(owner, "a.py", ["parse request"])
    owner.close()
    assert follower.try_own()
    assert follower.published.chunks == 0
    assert follower.store.meta("recipe") == "r"
    follower.close()


# -- owners and followers --------------------------------------------------------------------------


def test_one_process_owns_and_another_follows(tmp_path: Path) -> None:
    fill(tmp_path)
    with held_by_another(tmp_path) as other:
        index = open_cache(tmp_path)
        assert not index.owned
        assert index.owner() == other.pid
        assert index.published.chunks == 2
        assert not index.try_own()
        other.kill()
        other.wait()
        assert index.try_own()
        index.close()


def test_a_follower_sees_what_the_owner_commits_and_merges(tmp_path: Path) -> None:
    owner, follower = open_cache(tmp_path), open_cache(tmp_path)
    assert (owner.owned, follower.owned) == (True, False)
    assert not follower.refresh()
    add(owner, "a.py", ["parse request", "color"])
    assert follower.refresh()
    assert shown(follower) == ["a.py", "a.py"]
    assert not follower.refresh()
    owner.carry_out(MERGE, BUILD)
    assert follower.refresh()
    assert follower.published.manifest == owner.published.manifest
    add(owner, "b.py", ["retry"])
    owner.store.commit(removed=["a.py"])
    owner.publish()
    assert follower.refresh()
    assert shown(follower) == ["b.py"]
    for _ in range(3):
        add(owner, "c.py", ["socket"])
        owner.carry_out(MERGE, BUILD)
    assert follower.refresh()
    assert_alike(follower.published, owner.published, owner.store, ENCODER, ["socket", "retry"])
    owner.close()
    assert follower.try_own()
    assert shown(follower) == ["b.py", "c.py"]
    follower.close()


def test_a_follower_reads_however_much_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeintel_ls.index.publication._MOST_TO_READ", 3)
    owner, follower = open_cache(tmp_path), open_cache(tmp_path)
    for name in ("a.py", "b.py"):
        with owner.writing:
            save(owner.store, ENCODER, {name: [f"{name} {number}" for number in range(9)]})
        follower.refresh()
    assert follower.published.chunks == 18
    owner.close()
    follower.close()


def test_two_threads_that_take_the_lock_give_it_up_once(tmp_path: Path) -> None:
    owner, follower = open_cache(tmp_path), open_cache(tmp_path)
    owner.close()
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda _: follower.try_own(), range(8)))
    follower.close()
    third = open_cache(tmp_path)
    assert third.owned
    third.close()


def test_an_index_that_cannot_be_opened_is_not_kept_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)

    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(Index, "_load", no_space)
        with pytest.raises(CacheUnavailableError, match="No space"):
            open_cache(tmp_path)
    index = open_cache(tmp_path)
    assert index.owned
    index.close()


def test_who_cannot_use_what_was_left_does_not_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, follower = open_cache(tmp_path), open_cache(tmp_path)
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


def test_many_processes_may_make_the_cache_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from tests.unit.index.records import stores\n"
        "print('up', flush=True); sys.stdin.readline()\n"
        "for n in range(30):\n"
        "    with stores(Path(sys.argv[1], str(n))) as store: store.files()\n"
    )
    assert complaints_at_once(script, str(tmp_path)) == ["", "", ""]


def test_what_was_deleted_is_owned_anew(tmp_path: Path) -> None:
    index = open_cache(tmp_path)
    shutil.rmtree(workspace(tmp_path))
    damaged = index.store
    index.recover(damaged)
    with held_by_another(tmp_path) as other:
        assert (index.owned, index.owner()) == (True, os.getpid())
        other.kill()
    fresh = index.store
    index.recover(damaged)
    assert index.store is fresh
    index.close()


# -- merging ---------------------------------------------------------------------------------------


def test_merging_while_files_are_saved_loses_nothing(tmp_path: Path) -> None:
    index = open_cache(tmp_path)
    saved = threading.Event()
    merges = 0

    def merge_all_the_time() -> None:
        nonlocal merges
        while not saved.is_set():
            index.carry_out(MERGE, BUILD)
            merges += 1

    merging = threading.Thread(target=merge_all_the_time)
    merging.start()
    number = 0
    while number < 80 or merges < 3:
        add(index, f"f{number % 20}.py", [f"parse {number}", "color"])
        number += 1
    saved.set()
    merging.join()
    assert index.published.chunks == 40
    assert set(live(index.published)) == set(live(anew(index.store, ENCODER.dimension)))
    index.close()
    again = open_cache(tmp_path)
    assert_alike(
        again.published, anew(again.store, 8), again.store, ENCODER, ["parse color", "color"]
    )
    again.close()


def test_what_died_before_the_primary_is_swept(tmp_path: Path) -> None:
    index = open_cache(tmp_path)
    for number in range(5):
        add(index, "a.py", [f"version {number}"])
    assert len(index.store.all_paths()) == 5
    index.carry_out(MERGE, BUILD)
    assert len(index.store.all_paths()) == 1
    add(index, "a.py", ["version 5"])
    index.carry_out(Step(index.published.manifest.upto, PrimaryKind.FLAT), BUILD)
    assert len(index.store.all_paths()) == 2
    assert shown(index) == ["a.py"]
    index.close()


def test_a_failed_build_leaves_everything_as_it_was(tmp_path: Path) -> None:
    index = open_cache(tmp_path)
    add(index, "a.py", ["parse"])
    before = index.published

    def no_space(task: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(CacheUnavailableError, match="No space"):
        index.carry_out(MERGE, no_space)
    assert index.published is before
    index.close()


def test_another_ladder_takes_effect_at_the_next_step(tmp_path: Path) -> None:
    index = open_cache(tmp_path, ladder=Ladder(kind=PrimaryKind.SQ8))
    add(index, "a.py", ["parse", "color"])
    for ladder, kind in ((None, "sq8"), (Ladder(), "flat")):
        if ladder is not None:
            index.configure(ladder)
        step = index.publication.next_step(indexing=False, at_once=True)
        assert step is not None
        index.carry_out(step, BUILD)
        assert index.counts.primary_kind == kind
    assert index.publication.next_step(indexing=False, at_once=True) is None
    index.close()
