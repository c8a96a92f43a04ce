"""An index that keeps itself small and sound: caps, merges, idle unloading, collecting."""

import logging
import os
import signal
import sqlite3
import threading
from pathlib import Path

import psutil
import pytest
from attrs import evolve

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.index import Index
from codeintel_ls.index.indexer import Indexer
from codeintel_ls.index.status import IndexState
from codeintel_ls.settings import PrimaryIndex, Settings
from codeintel_ls.workspace import WorkspaceFolder, index_folder
from codeintel_ls.workspace.opening import repository_folder
from tests.unit.workspace.questions import found
from tests.unit.workspace.trees import FILES, write_tree
from tests.waiting import eventually


def with_index(settings: Settings, **options: object) -> Settings:
    return evolve(settings, index=evolve(settings.index, **options))


def functions(count: int, first: int = 0) -> dict[str, str]:
    return {
        f"f{number}.py": f"def work_{number}():\n    return {number}\n"
        for number in range(first, first + count)
    }


def contents(folder: WorkspaceFolder) -> Path:
    return repository_folder(folder.root, None, folder.settings) / "contents.sqlite3"


def rows(database: Path, table: str) -> int:
    connection = sqlite3.connect(database)
    ((count,),) = connection.execute(f"SELECT count(*) FROM {table}")
    connection.close()
    return count


# -- caps ------------------------------------------------------------------------------------------


def test_files_beyond_the_cap_are_counted_and_named_until_it_is_raised(
    tmp_path: Path, settings: Settings
) -> None:
    capped = with_index(settings, max_chunks=30)
    folder = WorkspaceFolder.open(write_tree(tmp_path / "tree", functions(50)), capped)
    status = folder.update()
    assert (status.state, status.chunks, status.files) == (IndexState.READY, 30, 30)
    assert status.skipped == {"over-cap": 20}
    (notice,) = status.notices
    assert "20 files are left out" in notice
    assert "index.maxChunks" in notice
    assert folder.update().skipped == {"over-cap": 20}
    folder.configure(with_index(settings, max_chunks=1_000))
    assert eventually(lambda: folder.index_status().files == 50)
    status = folder.update()
    assert (status.chunks, status.skipped, status.notices) == (50, {}, ())
    assert found(folder, "work_49")[0] == "f49.py"
    folder.close()


def test_room_that_files_leave_is_taken_by_others(tmp_path: Path, settings: Settings) -> None:
    capped = with_index(settings, max_chunks=30)
    folder = WorkspaceFolder.open(write_tree(tmp_path / "tree", functions(50)), capped)
    folder.update()
    indexed = folder.list_paths()[0]
    for path in indexed[:10]:
        (folder.root / path).unlink()
    folder.update()
    status = folder.update()
    assert (status.files, status.skipped) == (30, {"over-cap": 10})
    folder.close()


def test_a_lower_cap_takes_nothing_out_that_is_in(folder: WorkspaceFolder) -> None:
    folder.configure(with_index(folder.settings, max_chunks=1))
    write_tree(
        folder.root, {"shop/mail.py": FILES["shop/mail.py"] + "# more\n", "new.py": "x = 1\n"}
    )
    status = folder.update()
    assert status.files == len(FILES)
    assert status.skipped == {"over-cap": 1}
    assert "new.py" not in folder.list_paths()[0]


def test_the_cap_on_disk_space_is_named(folder: WorkspaceFolder) -> None:
    folder.close()
    small = evolve(folder.settings, cache=evolve(folder.settings.cache, max_workspace_megabytes=0))
    write_tree(folder.root, functions(5))
    again = WorkspaceFolder.open(folder.root, small)
    status = again.update()
    assert status.files == len(FILES)
    assert status.skipped == {"over-cap": 5}
    assert any("cache.maxWorkspaceMegabytes" in notice for notice in status.notices)
    again.close()


def test_the_cap_on_disk_space_holds_in_the_first_look(tmp_path: Path, settings: Settings) -> None:
    small = evolve(settings, cache=evolve(settings.cache, max_workspace_megabytes=1))
    lines = "".join(f"    value_{number} = number + {number}\n" for number in range(600))
    files = {name: f"{text}{lines}" for name, text in functions(400).items()}
    folder = WorkspaceFolder.open(write_tree(tmp_path / "tree", files), small)
    status = folder.update()
    assert 0 < status.files < 200
    assert status.skipped == {"over-cap": 400 - status.files}
    assert any("cache.maxWorkspaceMegabytes" in notice for notice in status.notices)
    folder.close()


def test_contents_of_other_indexes_leave_room_for_a_new_one(
    tmp_path: Path, settings: Settings
) -> None:
    small = evolve(settings, cache=evolve(settings.cache, max_workspace_megabytes=1))
    root = write_tree(tmp_path / "tree", functions(60))
    others = repository_folder(root, None, small)
    others.mkdir(parents=True)
    (others / "others").write_bytes(bytes(2_000_000))
    folder = WorkspaceFolder.open(root, small)
    status = folder.update()
    assert (status.files, status.skipped) == (60, {})
    folder.close()


# -- merges ----------------------------------------------------------------------------------------


def test_a_small_folder_is_on_disk_when_it_was_indexed(folder: WorkspaceFolder) -> None:
    status = folder.index_status()
    assert (status.primary_kind, status.primary_recall) == ("flat", 1.0)
    assert (status.primary_vectors, status.secondary_vectors) == (status.chunks, 0)


def test_another_kind_of_primary_is_built_when_the_settings_ask_for_it(
    folder: WorkspaceFolder,
) -> None:
    before = found(folder, "total price of the cart", limit=50)
    folder.configure(with_index(folder.settings, primary=PrimaryIndex.SQ8))
    assert eventually(lambda: folder.index_status().primary_kind == "sq8")
    assert found(folder, "total price of the cart", limit=50) == before
    folder.configure(with_index(folder.settings, primary=PrimaryIndex.AUTO))
    assert eventually(lambda: folder.index_status().primary_kind == "flat")


def test_what_has_grown_is_merged_without_anybody_asking(
    folder: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeintel_ls.index.merge_policy._LEAST", 10)
    monkeypatch.setattr("codeintel_ls.index.merge_policy._PAUSE_SHARE", 0.0)
    for number in range(15):
        write_tree(folder.root, functions(1, first=number))
        folder.update([f"f{number}.py"])
    assert eventually(lambda: folder.index_status().secondary_vectors == 0)
    status = folder.index_status()
    assert (status.primary_vectors, status.tombstones) == (status.chunks, 0)
    assert eventually(lambda: folder.index_status().state is IndexState.READY)


def test_settling_writes_what_is_due(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeintel_ls.index.merge_policy._LEAST", 10)
    folder = WorkspaceFolder.open(write_tree(tmp_path / "tree", functions(40)), settings)
    folder.update()
    folder.settle()
    write_tree(folder.root, functions(30, first=40))
    folder.update()
    folder.settle()
    status = folder.index_status()
    assert (status.primary_vectors, status.secondary_vectors, status.tombstones) == (70, 0, 0)
    assert status.state is IndexState.READY
    folder.close()
    again = WorkspaceFolder.open(folder.root, settings)
    assert again.index_status().primary_vectors == 70
    assert found(again, "work_45")[0] == "f45.py"
    again.close()


def test_searches_go_on_while_everything_is_merged(folder: WorkspaceFolder) -> None:
    write_tree(folder.root, functions(100))
    folder.update()
    expected = found(folder, "work_45 total price", limit=50)
    job = folder._keeper.merge()  # without waiting for it
    while not job.ended.is_set():
        assert found(folder, "work_45 total price", limit=50) == expected
    assert job.error is None
    assert found(folder, "work_45 total price", limit=50) == expected


def test_upkeep_that_fails_unexpectedly_is_told_and_waits(
    folder: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.settle()

    def failing(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    upkeep = folder._keeper.upkeep  # when it has to do
    with monkeypatch.context() as patched:
        patched.setattr(Index, "forget_lost", failing)
        upkeep.check_again()
        assert upkeep.is_due
        with pytest.raises(CodeIntelError, match="ZeroDivisionError"):
            folder.settle()
    assert not upkeep.is_due
    assert any("ZeroDivisionError" in notice for notice in folder.index_status().notices)
    folder.settle()
    assert not any("ZeroDivisionError" in notice for notice in folder.index_status().notices)


# -- idle ------------------------------------------------------------------------------------------


def test_an_index_that_nobody_asks_leaves_the_memory_and_comes_back(
    tmp_path: Path, settings: Settings
) -> None:
    quick = with_index(settings, unload_after_seconds=1)
    folder = WorkspaceFolder.open(write_tree(tmp_path / "shop"), quick)
    folder.start()
    assert folder.wait_until_ready(30)
    before = folder.update()
    assert before.memory_bytes > 0
    assert eventually(lambda: folder.index_status().memory_bytes == 0)
    assert eventually(lambda: folder.worker_pids() == [])
    status = folder.index_status()
    assert (status.state, status.chunks, status.files) == (
        IndexState.READY,
        before.chunks,
        before.files,
    )
    assert (status.generation, status.primary_kind) == (before.generation, before.primary_kind)
    assert found(folder, "total price")[0] == "shop/cart.py"
    assert folder.index_status().memory_bytes > 0
    assert eventually(lambda: folder.index_status().memory_bytes == 0)
    write_tree(folder.root, {"new.py": "def rocket_engine():\n    return 1\n"})
    folder.update(["new.py"])
    assert found(folder, "rocket engine")[0] == "new.py"
    folder.close()


def test_an_index_stays_where_it_is_never_to_be_unloaded(folder: WorkspaceFolder) -> None:
    folder.configure(with_index(folder.settings, unload_after_seconds=0))
    assert not eventually(lambda: folder.index_status().memory_bytes == 0, seconds=2.5)


# -- collecting ------------------------------------------------------------------------------------


def test_a_rebuild_forgets_what_nothing_needs(folder: WorkspaceFolder) -> None:
    before = rows(contents(folder), "content"), rows(contents(folder), "vector")
    write_tree(folder.root, {"shop/mail.py": "def pigeon_post():\n    return 'by pigeon'\n"})
    folder.update(["shop/mail.py"])
    write_tree(folder.root, {"shop/mail.py": FILES["shop/mail.py"]})
    folder.update(["shop/mail.py"])
    assert rows(contents(folder), "vector") == before[1] + 1
    folder.rebuild()
    assert (rows(contents(folder), "content"), rows(contents(folder), "vector")) == before


def test_what_was_long_not_used_is_collected_on_a_later_day(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    folder.settle()
    before = rows(contents(folder), "vector")
    write_tree(folder.root, {"shop/mail.py": "def pigeon_post():\n    return 'by pigeon'\n"})
    folder.update()
    write_tree(folder.root, {"shop/mail.py": FILES["shop/mail.py"]})
    folder.update()
    folder.merge()
    folder.close()
    assert rows(contents(folder), "vector") == before + 1
    store = index_folder(folder.root, settings) / "index.sqlite3"
    for database, change in (
        (contents(folder), "UPDATE content SET used = used - 20"),
        (store, "UPDATE meta SET value = '7' WHERE key = 'collected'"),
    ):
        connection = sqlite3.connect(database)
        connection.execute(change)
        connection.commit()
        connection.close()
    again = WorkspaceFolder.open(folder.root, settings)
    again.update()
    again.settle()
    assert rows(contents(again), "vector") == before
    assert found(again, "total price")[0] == "shop/cart.py"
    again.rebuild()
    assert rows(contents(again), "vector") == before
    again.close()


def test_closing_leaves_no_process(folder: WorkspaceFolder) -> None:
    write_tree(folder.root, functions(3))
    folder.update()
    folder.settle()
    pids = folder.worker_pids()
    folder.close()
    assert pids
    assert not any(map(psutil.pid_exists, pids))


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be made to wait there")
def test_closing_in_the_middle_of_the_upkeep_is_no_failure(
    folder: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder.settle()
    write_tree(folder.root, functions(30))
    folder.update()
    (pid,) = folder.worker_pids()
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr("codeintel_ls.index.merge_policy._LEAST", 10)
    upkeep = folder._keeper.settle()  # without waiting for it
    assert eventually(lambda: folder.index_status().state is IndexState.MERGING)
    end_workers = Indexer.close

    def end_workers_first(indexer: Indexer) -> None:
        end_workers(indexer)
        # Whoever waits for a worker hears of its end before anything else is closed.
        upkeep.ended.wait(5)

    monkeypatch.setattr(Indexer, "close", end_workers_first)
    folder.close()
    with pytest.raises(CancelledError):
        upkeep.wait(Cancellation())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_upkeep_that_outlasts_its_folder_is_no_failure(
    root: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, closed = threading.Event(), threading.Event()

    def outlasting(*_: object, **__: object) -> None:
        begun.set()
        closed.wait(30)
        raise OSError

    monkeypatch.setattr("codeintel_ls.workspace.upkeep.prune", outlasting)
    folder = WorkspaceFolder.open(root, settings)
    folder.update()
    assert begun.wait(30)
    behind = folder._keeper.settle()  # without waiting for it
    folder.close()
    closed.set()
    with pytest.raises(CancelledError):
        behind.wait(Cancellation())
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
