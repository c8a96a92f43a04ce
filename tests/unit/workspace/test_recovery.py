"""A folder whose cache is damaged, deleted or unusable says so, and recovers by itself."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index import publication
from codeintel_ls.index.errors import CacheUnavailableError, SegmentsUnavailableError
from codeintel_ls.index.merge_policy import Step
from codeintel_ls.index.segment_files import SEGMENTS
from codeintel_ls.index.status import IndexState
from codeintel_ls.search import SearchQuery
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder, index_folder
from codeintel_ls.workspace.opening import repository_folder
from tests.unit.workspace.questions import answers
from tests.unit.workspace.trees import FILES, write_tree
from tests.waiting import eventually

NEW = {"new.py": "def rocket_engine():\n    return 'ignition'\n"}


def workspace(folder: WorkspaceFolder) -> Path:
    return index_folder(folder.root, folder.settings)


def shared(folder: WorkspaceFolder) -> Path:
    return repository_folder(folder.root, None, folder.settings)


def recovers(folder: WorkspaceFolder) -> bool:
    """Whether the folder answers as before and takes in what is new, without being asked."""

    def is_well() -> bool:
        try:
            status = folder.index_status()
        except CodeIntelError:
            return False
        return status.state is IndexState.READY and status.files == len(FILES)

    return (
        eventually(lambda: answers(folder) == "shop/cart.py", 30)
        and eventually(is_well, 30)
        and takes_in_what_is_new(folder)
    )


def takes_in_what_is_new(folder: WorkspaceFolder) -> bool:
    write_tree(folder.root, NEW)
    folder.changed(list(NEW))
    return eventually(lambda: answers(folder, "rocket engine ignition") == "new.py", 30)


DAMAGE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=30)
connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
connection.close()
with open(sys.argv[1], "r+b") as file:
    size = file.seek(0, 2)
    file.seek(4096)
    file.write(b"\\xff" * (size - 4096))
"""


def damage_the_middle(path: Path) -> None:
    """Overwrite all but the first page, from a process of its own."""
    subprocess.run([sys.executable, "-c", DAMAGE, str(path)], check=True)


def change(database: Path, sql: str) -> None:
    connection = sqlite3.connect(database)
    assert connection.execute(sql).rowcount
    connection.commit()
    connection.close()


def test_segments_that_cannot_be_read_for_a_while_are_waited_for(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_tree(tmp_path / "waiting", FILES)
    folder = WorkspaceFolder.open(root, settings)
    folder.rebuild()
    place = workspace(folder)
    folder.close()
    before = sorted((place / SEGMENTS).iterdir())

    def fail(_folder: Path) -> object:
        raise SegmentsUnavailableError("The index cannot be read at the moment: no.")

    with monkeypatch.context() as patched:
        patched.setattr(publication, "open_segment", fail)
        folder = WorkspaceFolder.open(root, settings)
        folder.start()
        assert folder.wait_until_ready(30)
        assert "at the moment" in (folder.index_status().last_error or "")
    assert recovers(folder)
    assert folder.index_status().last_error is None
    assert set(before) <= set((place / SEGMENTS).iterdir())
    assert list(place.glob("set-aside-*")) == []
    folder.close()


# -- while it is open ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "gone",
    [
        workspace,
        shared,
        lambda folder: workspace(folder).parent.parent,
        lambda folder: workspace(folder) / "index.sqlite3",
        lambda folder: shared(folder) / "contents.sqlite3",
    ],
    ids=["workspace", "repository", "everything", "index", "contents"],
)
def test_what_is_deleted_is_made_again(
    folder: WorkspaceFolder, gone: Callable[[WorkspaceFolder], Path]
) -> None:
    place = gone(folder)
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    assert recovers(folder)
    assert place.exists()
    assert workspace(folder).stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_made_for_a_while(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    cache = Path(settings.cache.directory)
    shutil.rmtree(cache)
    cache.write_text("in the way")
    assert eventually(lambda: answers(folder) == "")
    with pytest.raises(CodeIntelError) as caught:
        folder.update()
    assert str(cache) not in str(caught.value)
    cache.unlink()
    assert recovers(folder)


def test_segments_that_are_deleted_hinder_nobody(folder: WorkspaceFolder) -> None:
    shutil.rmtree(workspace(folder) / SEGMENTS)
    (workspace(folder) / "manifest.json").unlink()
    assert answers(folder) == "shop/cart.py"
    assert takes_in_what_is_new(folder)
    status = folder.merge()
    assert status.primary_vectors == status.chunks
    assert answers(folder) == "shop/cart.py"


@pytest.mark.parametrize("place", [workspace, shared])
def test_damage_deep_in_a_database_is_found_in_use(
    folder: WorkspaceFolder, place: Callable[[WorkspaceFolder], Path]
) -> None:
    (database,) = place(folder).glob("*.sqlite3")
    damage_the_middle(database)
    with suppress(CodeIntelError):
        folder.rebuild()
    assert recovers(folder)
    assert any("set aside" in notice for notice in folder.index_status().notices)


def test_a_busy_disk_is_told_and_tried_again(
    folder: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeintel_ls.index.database._BUSY_SECONDS", 0.1)
    write_tree(folder.root, NEW)
    connection = sqlite3.connect(workspace(folder) / "index.sqlite3", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    # Connections that are open already wait for longer.
    folder._index.store._idle.clear()
    with pytest.raises(CacheUnavailableError, match="locked"):
        folder.update()
    status = folder.index_status()
    assert status.state is IndexState.FAILED
    assert status.last_error
    assert answers(folder) == "shop/cart.py"
    assert not folder.search(SearchQuery(text="total price")).freshness.complete
    connection.execute("ROLLBACK")
    connection.close()
    assert eventually(lambda: folder.index_status().state is IndexState.READY)
    assert folder.index_status().last_error is None
    assert answers(folder, "rocket engine ignition") == "new.py"
    assert folder.search(SearchQuery(text="total price")).freshness.complete


# -- between two openings --------------------------------------------------------------------------


DAMAGES: dict[str, Callable[[WorkspaceFolder], object]] = {
    "no index": lambda folder: (workspace(folder) / "index.sqlite3").unlink(),
    "index": lambda folder: damage_the_middle(workspace(folder) / "index.sqlite3"),
    "no contents": lambda folder: (shared(folder) / "contents.sqlite3").unlink(),
    "contents": lambda folder: damage_the_middle(shared(folder) / "contents.sqlite3"),
    "vectors": lambda folder: change(
        shared(folder) / "contents.sqlite3", "UPDATE vector SET data = zeroblob(512)"
    ),
    "rows": lambda folder: change(
        shared(folder) / "contents.sqlite3", "UPDATE content SET terms = x'00'"
    ),
    "manifest": lambda folder: (workspace(folder) / "manifest.json").write_bytes(b"{"),
    "no manifest": lambda folder: (workspace(folder) / "manifest.json").unlink(),
    "no segments": lambda folder: shutil.rmtree(workspace(folder) / SEGMENTS),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("asked", [True, False])
def test_what_was_damaged_is_well_after_the_next_opening(
    folder: WorkspaceFolder, settings: Settings, damage: str, asked: bool
) -> None:
    folder.close()
    DAMAGES[damage](folder)
    again = WorkspaceFolder.open(folder.root, settings)
    if asked:
        assert again.update().state is IndexState.READY
    else:
        again.start()
    assert recovers(again)
    again.rebuild()
    assert answers(again) == "shop/cart.py"
    again.close()


def test_places_that_were_damaged_are_not_shown_and_made_anew_by_a_rebuild(
    folder: WorkspaceFolder,
) -> None:
    folder.close()
    change(shared(folder) / "contents.sqlite3", "UPDATE content SET places = x'00'")
    again = WorkspaceFolder.open(folder.root, folder.settings)
    assert again.search(SearchQuery(text="total price")).hits == ()
    again.rebuild()
    assert answers(again) == "shop/cart.py"
    again.close()


def test_places_that_were_damaged_are_made_anew_once_a_search_wanted_them(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    folder.close()
    change(shared(folder) / "contents.sqlite3", "UPDATE content SET places = x'00'")
    again = WorkspaceFolder.open(folder.root, settings)
    again.start()
    assert again.wait_until_ready(30)
    assert eventually(lambda: answers(again) == "shop/cart.py", 30)
    assert again.index_status().files == len(FILES)
    again.close()


def test_a_byte_that_is_flipped_after_the_opening_is_told_until_it_is_made_good(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    folder.close()
    again = WorkspaceFolder.open(folder.root, settings)
    (dense,) = workspace(folder).glob(f"{SEGMENTS}/*/dense.faiss")
    with dense.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 0x40]))
    upkeep, indexer = again._keeper.upkeep, again._keeper._indexer
    writing, during = indexer.carry_out, list[bool]()

    def carry_out(step: Step, cancellation: Cancellation) -> None:
        during.append(upkeep.repairing and not again._keeper.complete)
        writing(step, cancellation)

    indexer.carry_out = carry_out
    again.start()
    assert eventually(lambda: any("set aside" in notice for notice in again.index_status().notices))
    assert recovers(again)
    again.settle()
    assert (True in during, upkeep.repairing) == (True, False)
    assert again.index_status().primary_vectors
    again.close()


def test_a_flipped_byte_in_a_segment_is_found_and_made_good(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    folder.close()
    (dense,) = workspace(folder).glob(f"{SEGMENTS}/*/dense.faiss")
    data = bytearray(dense.read_bytes())
    data[-1] ^= 0x40
    dense.write_bytes(data)
    again = WorkspaceFolder.open(folder.root, settings)
    again.start()
    assert eventually(lambda: any("set aside" in notice for notice in again.index_status().notices))
    assert recovers(again)
    again.settle()
    status = again.index_status()
    assert status.primary_vectors + status.secondary_vectors - status.tombstones == status.chunks
    again.close()
    third = WorkspaceFolder.open(folder.root, settings)
    assert (answers(third), third.index_status().notices) == ("shop/cart.py", ())
    third.close()
