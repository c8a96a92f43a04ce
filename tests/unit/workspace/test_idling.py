"""A folder at which nobody works: what it lets go of, what it keeps up, what wakes it not."""

import threading
from pathlib import Path

import pytest
from attrs import evolve

from codeintel_ls.index.lock import CacheLock
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder, index_folder
from tests.unit.workspace.questions import found
from tests.unit.workspace.trees import write_tree
from tests.waiting import eventually


def quick(settings: Settings) -> Settings:
    return evolve(settings, index=evolve(settings.index, unload_after_seconds=1))


def is_asleep(folder: WorkspaceFolder) -> bool:
    return folder.index_status().memory_bytes == 0 and folder.worker_pids() == []


def test_a_look_that_finds_nothing_wakes_up_nothing(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = WorkspaceFolder.open(write_tree(tmp_path / "shop"), quick(settings))
    folder.start()
    assert folder.wait_until_ready(30)
    # Files that were written just now are read once more.
    assert eventually(lambda: is_asleep(folder))
    folder.update()
    assert eventually(lambda: is_asleep(folder))
    woken: list[str] = []
    publication = folder._index.publication  # what is loaded
    noting(monkeypatch, publication, "load", woken)
    noting(monkeypatch, folder._keeper._indexer, "warm", woken)
    for _ in range(2):
        folder.update()
    # Whatever was queued for saves is done when this is.
    folder.update(["nowhere.py"])
    assert woken == []
    assert is_asleep(folder)
    folder.close()


def noting(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, notes: list[str]) -> None:
    """Has each call of the method be noted."""
    method = getattr(owner, name)

    def noted(*arguments: object, **options: object) -> object:
        notes.append(name)
        return method(*arguments, **options)

    monkeypatch.setattr(owner, name, noted)


def test_who_follows_keeps_no_process_and_lets_go_of_its_memory(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    follower = WorkspaceFolder.open(folder.root, quick(settings))
    follower.start()
    assert follower.wait_until_ready(30)
    assert follower.index_status().chunks
    assert eventually(lambda: is_asleep(follower))
    write_tree(folder.root, {"new.py": "def rocket_engine():\n    return 1\n"})
    folder.update(["new.py"])
    assert eventually(lambda: found(follower, "rocket engine")[0] == "new.py")
    assert follower.worker_pids() == []
    assert eventually(lambda: is_asleep(follower))
    follower.close()


def test_who_followed_has_a_process_ready_once_it_owns(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    follower = WorkspaceFolder.open(folder.root, settings)
    follower.start()
    assert follower.wait_until_ready(30)
    # Whatever was queued for saves is done when this is.
    follower.update(["nowhere.py"])
    assert follower.worker_pids() == []
    folder.close()
    assert eventually(lambda: len(follower.worker_pids()) == 1)
    follower.close()


def test_the_owner_says_so_while_the_whole_folder_is_indexed(
    folder: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    renewed, done = threading.Event(), threading.Event()
    keeper = folder._keeper  # what keeps it busy
    job = keeper._bulk.add("Indexing", lambda _: assert_comes(renewed, done))
    refresh = CacheLock.refresh

    def noted(lock: CacheLock) -> bool:
        renewed.set()
        return refresh(lock)

    monkeypatch.setattr(CacheLock, "refresh", noted)
    assert job.ended.wait(40)
    assert done.is_set()
    assert (index_folder(folder.root, folder.settings) / "owner.json").exists()


def assert_comes(renewed: threading.Event, done: threading.Event) -> None:
    if renewed.wait(20):
        done.set()
