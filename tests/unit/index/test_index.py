"""An index on disk: set aside when it cannot be read, written by one process alone."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from codeintel_ls.embedding import StaticEncoder
from codeintel_ls.index.errors import CacheUnavailableError
from codeintel_ls.index.index import Index
from codeintel_ls.index.schema import FORMAT
from tests.unit.index.records import make_file

HOLD = """
import sys
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
