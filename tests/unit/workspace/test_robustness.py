"""A live folder under trouble: lost caches, changed limits, failing listeners, two owners."""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import evolve

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.errors import CodeIntelError, InvalidRequestError
from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError, IndexingError
from codeintel_ls.index.schema import KnownFile
from codeintel_ls.index.status import IndexState, IndexStatus
from codeintel_ls.index.store import Store
from codeintel_ls.search import SearchFilter, SearchQuery
from codeintel_ls.settings import CacheSettings, EmbeddingSettings, IndexSettings, Settings
from codeintel_ls.workspace import WorkspaceFolder, index_folder, scope
from tests.unit.workspace.questions import answers, found
from tests.unit.workspace.trees import FILES, write_tree
from tests.waiting import eventually


def test_searches_after_a_merge_that_changed_no_generation(folder: WorkspaceFolder) -> None:
    (folder.root / "shop/mail.py").unlink()
    folder.update(["shop/mail.py"])
    everywhere = found(folder, "cart price", limit=50)
    below = found(folder, "cart price", limit=50, filter=SearchFilter(under=("shop",)))
    assert folder.index_status().tombstones
    folder.merge()
    assert found(folder, "cart price", limit=50) == everywhere
    assert found(folder, "cart price", limit=50, filter=SearchFilter(under=("shop",))) == below


def test_a_limit_of_nothing_finds_nothing(folder: WorkspaceFolder) -> None:
    assert found(folder, "cart", limit=0) == []
    assert found(folder, "cart", limit=10**9)


def test_files_beyond_the_usual_limits_are_found_where_the_settings_let_them_in(
    tmp_path: Path, settings: Settings
) -> None:
    root = write_tree(tmp_path / "large", {"large.py": "# rocket engine ignition\n" * 50_000})
    write_tree(root, {"wide.txt": "submarine hull " * 1000 + "\n"})
    allowing = IndexSettings(workers=1, max_file_bytes=5_000_000, max_line_characters=50_000)
    opened = WorkspaceFolder.open(root, evolve(settings, index=allowing))
    opened.update()
    assert found(opened, "rocket engine ignition")[0] == "large.py"
    assert found(opened, "submarine hull", limit=1) == ["wide.txt"]
    opened.close()


def test_a_longer_or_shorter_line_limit_takes_effect_while_running(
    tmp_path: Path, settings: Settings
) -> None:
    root = write_tree(tmp_path / "wide", {"wide.txt": "submarine hull " * 300 + "\n"})
    os.utime(root / "wide.txt", (10**9, 10**9))
    opened = WorkspaceFolder.open(root, settings)
    opened.update()
    for longest, there in ((1000, []), (10_000, ["wide.txt"])):
        index = IndexSettings(workers=1, max_line_characters=longest)
        opened.configure(evolve(settings, index=index))
        opened.update()
        assert opened.list_paths()[0] == there
    opened.close()


def test_a_file_from_a_far_future_hinders_nothing(folder: WorkspaceFolder) -> None:
    place = folder.root / "web/upload.js"
    try:
        os.utime(place, (2**34, 2**34))
    except OSError:
        pytest.skip("the file system has no such times")
    assert folder.update().state is IndexState.READY
    assert found(folder, "uploadPicture")[0] == "web/upload.js"


def test_a_listener_that_fails_stops_nothing(tmp_path: Path, settings: Settings) -> None:
    def failing(_status: IndexStatus) -> None:
        raise ValueError

    opened = WorkspaceFolder.open(write_tree(tmp_path / "tree"), settings, on_status=failing)
    opened.start()
    assert opened.wait_until_ready(30)
    assert opened.update().state is IndexState.READY
    assert found(opened, "total price")[0] == "shop/cart.py"
    opened.close()


def test_a_save_is_indexed_though_the_clock_went_back(
    folder: WorkspaceFolder,
) -> None:
    database = index_folder(folder.root, folder.settings) / "index.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE file SET seen_ns = seen_ns + 3600000000000")
    connection.close()
    write_tree(folder.root, {"shop/mail.py": "def pigeon_post():\n    return 'by pigeon'\n"})
    folder.update(["shop/mail.py"])
    hit = folder.search(SearchQuery(text="pigeon post", limit=1)).hits[0]
    assert (hit.path, hit.stale) == ("shop/mail.py", False)


def test_a_cache_that_was_deleted_is_made_again(folder: WorkspaceFolder) -> None:
    shutil.rmtree(index_folder(folder.root, folder.settings))
    with pytest.raises((DamagedCacheError, CacheUnavailableError)):
        found(folder, "total price")
    assert eventually(lambda: answers(folder, "total price") == "shop/cart.py")
    assert folder.update().files == len(FILES)
    assert index_folder(folder.root, folder.settings).stat().st_mode & 0o777 == 0o700


def test_a_cache_that_breaks_while_in_use_is_set_aside_and_said(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    place = index_folder(folder.root, settings)
    with sqlite3.connect(place / "index.sqlite3") as connection:
        connection.execute("DROP TABLE skipped")
    connection.close()
    assert folder.update().files == len(FILES)
    assert any("set aside" in notice for notice in folder.index_status().notices)
    assert len(list(place.glob("set-aside-*"))) == 1
    assert found(folder, "total price")[0] == "shop/cart.py"


def test_what_was_a_directory_takes_its_files_along(folder: WorkspaceFolder) -> None:
    shutil.rmtree(folder.root / "web")
    (folder.root / "web").write_text("the web is a file now\n")
    folder.update(["web"])
    assert folder.list_paths(under="web")[0] == []
    assert "web" in folder.list_paths()[0]
    (folder.root / "web").unlink()
    write_tree(folder.root, {"web/upload.js": FILES["web/upload.js"]})
    folder.update(["web"])
    assert folder.list_paths(under="web")[0] == ["web/upload.js"]
    assert "web" not in folder.list_paths()[0]


def test_a_file_saved_while_the_folder_is_listed_stays(
    folder: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = scope.discover_files

    def slow(*arguments: object) -> object:
        listed = real(*arguments)  # pyright: ignore[reportArgumentType] - passed through
        write_tree(folder.root, {"late.py": "def latecomer():\n    return 1\n"})
        folder.update(["late.py"])
        return listed

    monkeypatch.setattr(scope, "discover_files", slow)
    folder.update()
    assert "late.py" in folder.list_paths()[0]


def test_a_stopped_comparison_is_not_called_complete(
    folder: WorkspaceFolder,
) -> None:
    assert folder.search(SearchQuery(text="cart")).freshness.complete
    write_tree(folder.root, {f"f{n}.py": f"def work_{n}():\n    return {n}\n" for n in range(120)})
    cancellation = Cancellation()

    def stop(done: int, _total: int | None, _message: str) -> None:
        if done:
            cancellation.cancel()

    with pytest.raises(CancelledError):
        folder.update(progress=stop, cancellation=cancellation)
    assert not folder.search(SearchQuery(text="cart")).freshness.complete
    folder.update()
    assert folder.search(SearchQuery(text="cart")).freshness.complete


def test_waiting_ends_where_nothing_is_indexed(tmp_path: Path, settings: Settings) -> None:
    off = evolve(settings, index=IndexSettings(enabled=False))
    opened = WorkspaceFolder.open(write_tree(tmp_path / "tree"), off)
    opened.start()
    assert opened.wait_until_ready(10)
    opened.close()


def test_a_closed_folder_is_not_watched_again(tmp_path: Path, settings: Settings) -> None:
    opened = WorkspaceFolder.open(write_tree(tmp_path / "tree"), settings, watch=True)
    opened.start()
    opened.close()
    opened.configure(evolve(settings, index=IndexSettings(exclude=("web/",))))
    assert "folder-watcher" not in {thread.name for thread in threading.enumerate()}


def test_the_wish_to_reopen_goes_when_the_setting_comes_back(folder: WorkspaceFolder) -> None:
    before = folder.settings
    for _ in range(2):
        folder.configure(evolve(before, cache=CacheSettings(directory="/elsewhere")))
        notices = folder.index_status().notices
        assert sum("restarted" in notice for notice in notices) == 1
        folder.configure(before)
        assert not any("restarted" in notice for notice in folder.index_status().notices)


def test_caps_on_the_cache_count_from_the_next_moment_on(folder: WorkspaceFolder) -> None:
    before = folder.settings
    assert folder.index_status().state is IndexState.READY
    folder.configure(evolve(before, cache=evolve(before.cache, max_workspace_megabytes=77)))
    assert not any("restarted" in notice for notice in folder.index_status().notices)
    assert folder._keeper.upkeep.settings.cache.max_workspace_megabytes == 77
    # Nothing but the cap was changed, and the folder is looked through for what it lets in.
    assert eventually(lambda: folder.search(SearchQuery(text="cart")).freshness.complete)


def test_a_follower_takes_over_while_it_waits(folder: WorkspaceFolder, settings: Settings) -> None:
    follower = WorkspaceFolder.open(folder.root, settings)
    write_tree(folder.root, {"new.py": "def rocket_engine():\n    return 1\n"})
    threading.Timer(0.3, folder.close).start()
    assert follower.update().state is IndexState.READY
    assert found(follower, "rocket engine")[0] == "new.py"
    follower.close()


@pytest.mark.parametrize("failure", [CacheUnavailableError("The disk is busy."), ValueError()])
def test_changes_that_could_not_be_followed_are_found_by_looking_at_everything(
    folder: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    failures = [failure]
    real = Store.files_at

    def failing(store: Store, paths: Iterable[str]) -> dict[str, KnownFile]:
        if failures:
            raise failures.pop()
        return real(store, paths)

    monkeypatch.setattr(Store, "files_at", failing)
    write_tree(folder.root, {"new.py": "def rocket_engine():\n    return 1\n"})
    folder.changed(["new.py"])
    assert eventually(lambda: "new.py" in folder.list_paths()[0])
    assert failures == []


def test_what_fails_unexpectedly_is_told_and_tried_again(
    folder: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise ValueError

    write_tree(folder.root, {"new.py": "def rocket_engine():\n    return 1\n"})
    with monkeypatch.context() as patched:
        patched.setattr(scope, "discover_files", failing)
        with pytest.raises(CodeIntelError, match="ValueError"):
            folder.update()
        status = folder.index_status()
        assert (status.state, status.last_error) == (
            IndexState.FAILED,
            "Indexing failed with ValueError.",
        )
    assert eventually(lambda: folder.index_status().state is IndexState.READY)
    assert folder.index_status().last_error is None
    assert found(folder, "rocket engine")[0] == "new.py"


def test_a_cancelled_wait_takes_no_hint_along(folder: WorkspaceFolder) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def hold(_done: int, _total: int | None, _message: str) -> None:
        begun.set()
        go_on.wait(10)

    threads = [threading.Thread(target=folder.rebuild, kwargs={"progress": hold})]
    threads[0].start()
    assert begun.wait(10)
    asked = Cancellation()
    threads.append(threading.Thread(target=stopped_update, args=(folder, asked)))
    threads[1].start()
    time.sleep(0.05)  # until it waits in the queue; later it would only be cancelled sooner
    write_tree(folder.root, {"new.py": "x = 1\n", ".gitignore": "web/\n"})
    folder.changed([".gitignore"])
    asked.cancel()
    go_on.set()
    assert eventually(lambda: folder.list_paths(under="web")[0] == [])
    for thread in threads:
        thread.join()


def stopped_update(folder: WorkspaceFolder, cancellation: Cancellation) -> None:
    with suppress(CancelledError):
        folder.update(cancellation=cancellation)


def test_a_follower_waits_until_the_owner_has_the_new_text(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    follower = WorkspaceFolder.open(folder.root, settings)
    write_tree(folder.root, {"shop/mail.py": "def pigeon_post():\n    return 'by pigeon'\n"})
    threading.Timer(0.3, folder.update, [["shop/mail.py"]]).start()
    follower.update(["shop/mail.py"])
    hit = follower.search(SearchQuery(text="pigeon post", limit=1)).hits[0]
    assert (hit.path, hit.stale) == ("shop/mail.py", False)
    follower.close()


def test_a_follower_that_gave_up_catches_up_when_the_owner_goes_on(
    folder: WorkspaceFolder, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codeintel_ls.workspace.following._PATIENCE_SECONDS", 0.1)
    follower = WorkspaceFolder.open(folder.root, settings)
    write_tree(folder.root, {"new.py": "def rocket_engine():\n    return 1\n"})
    with pytest.raises(IndexingError, match="caught up"):
        follower.update()
    assert follower.index_status().state is IndexState.FAILED
    folder.update()
    assert eventually(lambda: follower.index_status().state is IndexState.READY)
    assert eventually(lambda: follower.search(SearchQuery(text="rocket")).freshness.complete)
    follower.close()


@pytest.mark.parametrize("path", ["../outside.py", "/etc/hostname", "shop/../../outside.py"])
def test_nothing_outside_the_folder_is_read(folder: WorkspaceFolder, path: str) -> None:
    (folder.root.parent / "outside.py").write_text("def parse(): pass\n")
    with pytest.raises(InvalidRequestError, match="outside"):
        folder.find_similar(path, 0, 0, query=SearchQuery(text=" "))


@pytest.mark.parametrize("page", [{"limit": -1}, {"offset": -1}])
def test_a_negative_page_is_refused(folder: WorkspaceFolder, page: dict[str, int]) -> None:
    with pytest.raises(InvalidRequestError, match="negative"):
        folder.search(evolve(SearchQuery(text="cart"), **page))


def test_only_the_owner_rebuilds(folder: WorkspaceFolder, settings: Settings) -> None:
    follower = WorkspaceFolder.open(folder.root, settings)
    with pytest.raises(IndexingError, match="alone can rebuild"):
        follower.rebuild()
    follower.close()


def test_two_processes_on_one_folder(folder: WorkspaceFolder, settings: Settings) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from codeintel_ls.settings import CacheSettings, Settings\n"
        "from codeintel_ls.search import SearchQuery\n"
        "from codeintel_ls.workspace import WorkspaceFolder\n"
        "folder = WorkspaceFolder.open(Path(sys.argv[1]),"
        " Settings(cache=CacheSettings(directory=sys.argv[2])))\n"
        "status = folder.update()\n"
        "print(folder.search(SearchQuery(text='total price')).hits[0].path)\n"
        "print(status.remarks[-1])\n"
        "folder.close()\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, str(folder.root), settings.cache.directory],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert out[0] == "shop/cart.py"
    assert str(os.getpid()) in out[1]


def test_an_unusable_model_falls_back_and_says_so(
    folder: WorkspaceFolder, settings: Settings
) -> None:
    folder.close()
    wrong = evolve(settings, embedding=EmbeddingSettings(model="/nowhere/model"))
    again = WorkspaceFolder.open(folder.root, wrong)
    assert any("embedding.model" in notice for notice in again.update().notices)
    hit = again.search(SearchQuery(text="total price", limit=1)).hits[0]
    assert hit.path == "shop/cart.py"
    again.close()


def test_closing_ends_the_workers_and_is_repeatable(folder: WorkspaceFolder) -> None:
    folder.update(["README.md"])
    pids = folder.worker_pids()
    assert pids
    folder.close()
    folder.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
