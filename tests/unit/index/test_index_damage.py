"""Caches that cannot be read are set aside and built anew; newer ones are left as they are."""

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from codeintel_ls.index import contents as contents_format
from codeintel_ls.index import manifest as manifest_format
from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError
from codeintel_ls.index.index import Index
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.lock import CacheLock
from codeintel_ls.index.merge_policy import Step
from codeintel_ls.index.schema import FORMAT
from codeintel_ls.index.segment_files import SEGMENTS, STAGED, verify_segment
from tests.unit.index.caches import add, fill, open_cache, shared, shown, workspace
from tests.unit.index.generations import BUILD

MERGE = Step(0, PrimaryKind.FLAT)


def alter(database: Path, *statements: str) -> None:
    connection = sqlite3.connect(database)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def overwrite_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "bytes": lambda path: path.write_bytes(b"not a database at all" * 100),
    "middle": overwrite_the_middle,
    "short": lambda path: path.write_bytes(path.read_bytes()[:4096]),
    "other": lambda path: alter(path, "PRAGMA application_id = 1"),
    "older": lambda path: alter(path, "PRAGMA user_version = 1"),
}


def contents_of(folder: Path) -> dict[str, str]:
    """Every file below a folder with its digest; locks and SQLite's own side files left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("owner.") and path.suffix != ".lock"
    }


# -- the store -------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("merged", [False, True])
def test_a_store_that_cannot_be_read_is_set_aside_and_said(
    tmp_path: Path, damage: str, merged: bool
) -> None:
    fill(tmp_path, merged=merged)
    folder = workspace(tmp_path)
    DAMAGES[damage](folder / "index.sqlite3")
    before = (folder / "index.sqlite3").read_bytes()
    segments = contents_of(folder / SEGMENTS) if merged else {}
    index = open_cache(tmp_path)
    assert index.published.segments == ()
    assert sum("set aside" in notice for notice in index.notices) == 1
    (aside,) = folder.glob("set-aside-*")
    assert (aside / "index.sqlite3").read_bytes() == before
    assert not merged or contents_of(aside / SEGMENTS) == segments
    assert index.store.contents.counts() == (2, 3)
    add(index, "b.py", ["works again"])
    assert shown(index) == ["b.py"]
    index.close()


def test_little_is_kept_of_what_was_set_aside(tmp_path: Path) -> None:
    fill(tmp_path)
    for _ in range(4):
        (workspace(tmp_path) / "index.sqlite3").write_bytes(b"broken" * 1000)
        open_cache(tmp_path).close()
    assert len(list(workspace(tmp_path).glob("set-aside-*"))) == 2


def test_a_follower_leaves_what_is_damaged_to_the_owner(tmp_path: Path) -> None:
    fill(tmp_path)
    (workspace(tmp_path) / "index.sqlite3").write_bytes(b"broken" * 1000)
    owner = CacheLock(workspace(tmp_path))
    assert owner.try_acquire()
    with pytest.raises(CacheUnavailableError, match="Another process keeps it"):
        open_cache(tmp_path)
    assert list(workspace(tmp_path).glob("set-aside-*")) == []
    owner.release()


# -- the contents ----------------------------------------------------------------------------------


def indexed_anew(index: Index) -> None:
    """Does what a keeper does about lost files, and indexes them again."""
    index.forget_lost()
    add(index, "a.py", ["parse request", "color"])


@pytest.mark.parametrize("damage", ["bytes", "other", "middle", "short"])
@pytest.mark.parametrize("merged", [False, True])
def test_contents_that_cannot_be_read_are_set_aside_and_made_anew(
    tmp_path: Path, damage: str, merged: bool
) -> None:
    fill(tmp_path, merged=merged)
    database = shared(tmp_path) / "contents.sqlite3"
    DAMAGES[damage](database)
    before = database.read_bytes()
    index = open_cache(tmp_path)
    try:
        indexed_anew(index)
    except DamagedCacheError:
        index.recover(index.store)
        indexed_anew(index)
    assert any("set aside" in notice for notice in index.notices)
    (aside,) = shared(tmp_path).glob("set-aside-*")
    assert (aside / "contents.sqlite3").read_bytes() == before
    assert set(shown(index)) == {"a.py"}
    assert index.carry_out(MERGE, BUILD).chunks == 2
    index.close()


def test_contents_that_were_removed_are_made_anew(tmp_path: Path) -> None:
    fill(tmp_path)
    shutil.rmtree(shared(tmp_path))
    index = open_cache(tmp_path)
    assert shown(index) == []
    assert index.forget_lost()
    assert not index.forget_lost()
    assert index.store.files() == {}
    add(index, "a.py", ["parse request"])
    assert shown(index) == ["a.py"]
    index.close()


@pytest.mark.parametrize("gone", [workspace, shared])
def test_a_folder_that_is_removed_while_in_use_is_made_anew(
    tmp_path: Path, gone: Callable[[Path], Path]
) -> None:
    fill(tmp_path, merged=True)
    index = open_cache(tmp_path)
    shutil.rmtree(gone(tmp_path))
    store = index.store
    with pytest.raises(DamagedCacheError):
        store.files()
    index.recover(store)
    assert index.owned
    add(index, "b.py", ["color"])
    assert shown(index) == ["b.py"]
    assert gone(tmp_path).stat().st_mode & 0o777 == 0o700
    index.close()
    again = open_cache(tmp_path)
    assert shown(again) == ["b.py"]
    again.close()


def test_damaged_rows_are_lost_and_found_again(tmp_path: Path) -> None:
    fill(tmp_path)
    alter(shared(tmp_path) / "contents.sqlite3", "UPDATE vector SET data = zeroblob(16)")
    index = open_cache(tmp_path)
    assert shown(index) == []
    indexed_anew(index)
    assert shown(index) == ["a.py", "a.py"]
    assert index.notices == ()
    index.close()


# -- manifest and segments -------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["manifest", "size", "gone"])
def test_segments_that_cannot_be_read_are_set_aside_and_nothing_is_missing(
    tmp_path: Path, damage: str
) -> None:
    fill(tmp_path, merged=True)
    folder = workspace(tmp_path)
    (segment,) = (folder / SEGMENTS).iterdir()
    if damage == "manifest":
        (folder / "manifest.json").write_bytes(b"{}")
    elif damage == "size":
        (segment / "dense.faiss").write_bytes(b"short")
    else:
        shutil.rmtree(segment)
    index = open_cache(tmp_path)
    assert shown(index) == ["a.py", "a.py"]
    assert index.published.primary is None
    assert sum("set aside" in notice for notice in index.notices) == 1
    assert len(list(folder.glob("set-aside-*"))) == 1
    assert index.carry_out(MERGE, BUILD).chunks == 2
    index.close()
    again = open_cache(tmp_path)
    assert (shown(again), again.notices) == (["a.py", "a.py"], ())
    again.close()


def test_a_flipped_byte_is_found_by_checking(tmp_path: Path) -> None:
    def verify(folders: Any) -> bool:
        return all(map(verify_segment, folders))

    fill(tmp_path, merged=True)
    index = open_cache(tmp_path)
    assert index.check(verify)
    (dense,) = workspace(tmp_path).glob(f"{SEGMENTS}/*/dense.faiss")
    data = bytearray(dense.read_bytes())
    data[-1] ^= 1
    dense.write_bytes(data)
    before = index.published
    assert not index.check(verify)
    assert before.chunks == 2
    assert (shown(index), index.published.primary) == (["a.py", "a.py"], None)
    assert any("set aside" in notice for notice in index.notices)
    assert index.check(verify)
    index.close()


def test_what_an_interrupted_build_left_is_removed(tmp_path: Path) -> None:
    fill(tmp_path, merged=True)
    segments = workspace(tmp_path) / SEGMENTS
    (whole,) = segments.iterdir()
    shutil.copytree(whole, segments / "whole-but-in-no-manifest")
    (segments / f"{STAGED}half").mkdir()
    (segments / f"{STAGED}half" / "vectors.spool").write_bytes(b"half")
    (workspace(tmp_path) / "manifest.json.new").write_bytes(b"{")
    index = open_cache(tmp_path)
    assert shown(index) == ["a.py", "a.py"]
    assert list(segments.iterdir()) == [whole]
    assert index.notices == ()
    index.close()


def test_a_follower_removes_nothing(tmp_path: Path) -> None:
    owner = open_cache(tmp_path)
    staged = workspace(tmp_path) / SEGMENTS / f"{STAGED}being-built"
    staged.mkdir(parents=True)
    open_cache(tmp_path).close()
    assert staged.is_dir()
    owner.close()


def test_the_manifest_of_another_store_is_ignored(tmp_path: Path) -> None:
    fill(tmp_path / "one", merged=True)
    fill(tmp_path / "two", merged=True)
    for name in ("manifest.json", SEGMENTS):
        place = workspace(tmp_path / "one") / name
        shutil.move(place, tmp_path / "away")
        shutil.move(workspace(tmp_path / "two") / name, place)
        shutil.move(tmp_path / "away", workspace(tmp_path / "two") / name)
    index = open_cache(tmp_path / "one")
    assert index.published.primary is None
    assert shown(index) == ["a.py", "a.py"]
    index.close()


@pytest.mark.parametrize("behind", ["manifest is ahead", "store was swept since"])
def test_a_manifest_that_does_not_fit_its_store_is_ignored(tmp_path: Path, behind: str) -> None:
    fill(tmp_path, merged=True)
    database = workspace(tmp_path) / "index.sqlite3"
    if behind == "manifest is ahead":
        # As after a power cut: the last transactions of the store are gone.
        alter(database, "UPDATE meta SET value = '1' WHERE key = 'generation'")
    else:
        alter(database, "INSERT OR REPLACE INTO meta VALUES ('swept', '99')")
    index = open_cache(tmp_path)
    assert index.published.primary is None
    assert shown(index) == ["a.py", "a.py"]
    index.close()


# -- newer versions --------------------------------------------------------------------------------


def newer_store(place: Path) -> None:
    alter(
        workspace(place) / "index.sqlite3",
        f"PRAGMA user_version = {FORMAT + 1}",
        "CREATE TABLE of_the_future (x)",
    )


def newer_contents(place: Path) -> None:
    database = shared(place) / "contents.sqlite3"
    alter(database, f"PRAGMA user_version = {contents_format.FORMAT + 1}")


def newer_manifest(place: Path) -> None:
    path = workspace(place) / "manifest.json"
    document = orjson.loads(path.read_bytes())
    path.write_bytes(orjson.dumps({**document, "format": manifest_format.FORMAT + 1}))


@pytest.mark.parametrize("newer", [newer_store, newer_contents, newer_manifest])
def test_what_a_newer_version_wrote_is_left_alone_and_another_kept_beside_it(
    tmp_path: Path, newer: Callable[[Path], None]
) -> None:
    fill(tmp_path, merged=True)
    newer(tmp_path)
    folders = workspace(tmp_path), shared(tmp_path)
    before = [contents_of(folder) for folder in folders]
    for expected in (0, 1):
        index = open_cache(tmp_path)
        assert any("newer version" in notice for notice in index.notices) or any(
            "knows up to" in notice for notice in index.notices
        )
        assert index.folder.parent == workspace(tmp_path).parent
        assert index.folder != workspace(tmp_path)
        assert index.owned
        assert index.published.chunks == expected
        add(index, "b.py", ["color"])
        index.carry_out(MERGE, BUILD)
        index.close()
    assert [contents_of(folder) for folder in folders] == before
    assert not any(list(folder.glob("set-aside-*")) for folder in folders)


def test_a_newer_manifest_beside_another_recipe_costs_nobody_a_file(tmp_path: Path) -> None:
    fill(tmp_path, merged=True)
    newer_manifest(tmp_path)
    before = contents_of(workspace(tmp_path))
    open_cache(tmp_path, recipe="other").close()
    assert contents_of(workspace(tmp_path)) == before


def test_the_older_format_is_set_aside(tmp_path: Path) -> None:
    folder = workspace(tmp_path)
    folder.mkdir(parents=True)
    alter(
        folder / "index.sqlite3",
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE vector (key BLOB PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID",
        f"PRAGMA application_id = {0x63694C53}",
        "PRAGMA user_version = 1",
    )
    before = (folder / "index.sqlite3").read_bytes()
    index = open_cache(tmp_path)
    assert any("set aside" in notice for notice in index.notices)
    (aside,) = folder.glob("set-aside-*")
    assert (aside / "index.sqlite3").read_bytes() == before
    add(index, "a.py", ["parse"])
    assert shown(index) == ["a.py"]
    index.close()
