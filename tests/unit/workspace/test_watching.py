"""Watching real folders: what is told, what is left out, and what is said when it cannot be."""

import errno
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from threading import Event
from typing import Any

import pytest

from codeintel_ls.workspace.watching import Changes, FolderWatcher
from tests.unit.workspace.watchers import PATIENCE, Told, git, linux

# watchdog's own recursive observer warns of a race between its listing and its events.
pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")

Watch = Callable[..., "Told"]


@pytest.fixture(params=[pytest.param(True, marks=linux, id="inotify"), False], ids=str)
def kind(request: pytest.FixtureRequest) -> bool:
    return request.param


@pytest.fixture
def watch(kind: bool) -> Iterator[Watch]:
    running: list[Told] = []

    def start(root: Path, **options: Any) -> Told:
        running.append(Told(root, use_inotify=kind, **options))
        return running[-1]

    yield start
    for told in running:
        told.watcher.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("a = 1\n")
    return root


def test_written_created_and_deleted_files_are_told(folder: Path, watch: Watch) -> None:
    told = watch(folder)
    (folder / "src" / "a.py").write_text("a = 2\n")
    told.until_path("src/a.py")
    told.forget(folder)
    (folder / "src" / "a.py").unlink()
    told.until_path("src/a.py")


def test_a_renamed_file_is_told_under_both_names(folder: Path, watch: Watch) -> None:
    told = watch(folder)
    (folder / "src" / "a.py").rename(folder / "c.py")
    told.until(lambda: {"src/a.py", "c.py"} <= told.paths)


def test_files_in_new_nested_directories_are_told_then_and_later(
    folder: Path, watch: Watch
) -> None:
    told = watch(folder)
    (folder / "x" / "y" / "z").mkdir(parents=True)
    (folder / "x" / "y" / "z" / "deep.py").write_text("1\n")
    told.until_path("x/y/z/deep.py")
    told.forget(folder)
    (folder / "x" / "y" / "z" / "deep.py").write_text("2\n")
    told.until_path("x/y/z/deep.py")


def test_a_directory_that_moves_in_is_told_with_its_files(
    folder: Path, tmp_path: Path, watch: Watch
) -> None:
    (tmp_path / "elsewhere" / "inner").mkdir(parents=True)
    (tmp_path / "elsewhere" / "inner" / "f.py").write_text("1\n")
    told = watch(folder)
    (tmp_path / "elsewhere").rename(folder / "here")
    told.until_path("here/inner/f.py")
    told.forget(folder)
    (folder / "here" / "inner" / "f.py").write_text("2\n")
    told.until_path("here/inner/f.py")


def test_a_directory_that_moves_asks_for_a_rescan_and_is_watched_under_its_new_name(
    folder: Path, watch: Watch
) -> None:
    told = watch(folder)
    (folder / "src").rename(folder / "lib")
    told.until_rescan()
    told.forget(folder)
    (folder / "lib" / "a.py").write_text("a = 2\n")
    told.until_path("lib/a.py")
    assert "src/a.py" not in told.paths


def test_a_deleted_directory_is_told_by_its_files_or_a_rescan(folder: Path, watch: Watch) -> None:
    told = watch(folder)
    (folder / "src" / "a.py").unlink()
    (folder / "src").rmdir()
    told.until(lambda: "src/a.py" in told.paths or any(batch.rescan for batch in told.batches))


def test_a_burst_is_told_at_once(folder: Path, watch: Watch) -> None:
    told = watch(folder, debounce=0.5, longest_wait=30.0)
    for number in range(200):
        (folder / f"f{number}.py").write_text("1\n")
    told.until(lambda: len(told.paths) >= 200)
    assert len(told.batches) == 1


def test_changes_that_never_pause_are_told_all_the_same(folder: Path, watch: Watch) -> None:
    told = watch(folder, debounce=3600.0, longest_wait=0.2)
    (folder / "b.py").write_text("1\n")
    told.until_path("b.py")


def test_nothing_in_a_skipped_directory_is_told(folder: Path, watch: Watch) -> None:
    (folder / "node_modules" / "pkg").mkdir(parents=True)
    told = watch(folder, skip_directory=lambda path: path.endswith("node_modules"))
    (folder / "node_modules" / "pkg" / "index.js").write_text("1\n")
    (folder / "src" / "node_modules").mkdir()
    (folder / "src" / "node_modules" / "index.js").write_text("1\n")
    (folder / "z.py").write_text("1\n")
    told.until_path("z.py")
    assert all("node_modules" not in path for path in told.paths)


def test_new_rules_are_watched_by(folder: Path, watch: Watch) -> None:
    (folder / "out").mkdir()
    told = watch(folder, skip_directory=lambda path: path == "out")
    told.watcher.renew(lambda path: path == "src")
    (folder / "src" / "a.py").write_text("a = 2\n")
    (folder / "out" / "o.py").write_text("1\n")
    told.until_path("out/o.py")
    assert "src/a.py" not in told.paths


@pytest.mark.parametrize(
    "command",
    [["commit", "--allow-empty", "-m", "two"], ["checkout", "-b", "x/y"], ["add", "new.py"]],
    ids=["commit", "checkout", "add"],
)
def test_a_commit_a_checkout_and_a_staged_file_are_told(
    folder: Path, watch: Watch, command: list[str]
) -> None:
    git(folder, "init", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "one")
    (folder / "new.py").write_text("1\n")
    told = watch(folder, git_directories=[folder / ".git"])
    git(folder, *command)
    told.until(lambda: any(batch.head_changed for batch in told.batches))
    assert not any(path.startswith(".git/") for path in told.paths)


def test_a_commit_in_a_linked_work_tree_is_told(folder: Path, tmp_path: Path, watch: Watch) -> None:
    git(folder, "init", "-b", "main")
    git(folder, "commit", "--allow-empty", "-m", "one")
    tree = tmp_path / "tree"
    git(folder, "worktree", "add", str(tree))
    directories = [folder / ".git" / "worktrees" / "tree", folder / ".git"]
    told = watch(tree, git_directories=directories)
    git(tree, "commit", "--allow-empty", "-m", "two")
    told.until(lambda: any(batch.head_changed for batch in told.batches))


def test_git_s_objects_and_logs_are_not_told(folder: Path, watch: Watch) -> None:
    git(folder, "init", "-b", "main")
    told = watch(folder, git_directories=[folder / ".git"])
    git(folder, "hash-object", "-w", "src/a.py")
    (folder / ".git" / "description").write_text("x\n")
    (folder / "z.py").write_text("1\n")
    told.until_path("z.py")
    assert told.paths == {"z.py"}
    assert not any(batch.head_changed or batch.rescan for batch in told.batches)


def test_a_folder_that_becomes_a_repository_asks_for_a_rescan(folder: Path, watch: Watch) -> None:
    told = watch(folder)
    git(folder, "init")
    told.until_rescan()


def test_a_folder_behind_a_link_is_watched(folder: Path, tmp_path: Path, watch: Watch) -> None:
    (tmp_path / "link").symlink_to(folder)
    told = watch(tmp_path / "link")
    (folder / "src" / "a.py").write_text("a = 2\n")
    told.until_path("src/a.py")


def test_names_that_are_no_utf8_are_told(folder: Path, watch: Watch) -> None:
    told = watch(folder)
    name = os.fsdecode(b"caf\xe9.py")
    (folder / name).write_text("1\n")
    told.until_path(name)


def test_after_a_failure_of_its_reader_it_asks_for_a_rescan(
    folder: Path, kind: bool, caplog: pytest.LogCaptureFixture
) -> None:
    told: Queue[Changes] = Queue()
    failed = Event()

    def fail_once(changes: Changes) -> None:
        if not failed.is_set():
            failed.set()
            raise ValueError("broken")
        told.put(changes)

    watcher = FolderWatcher(folder, fail_once, use_inotify=kind)
    watcher.start()
    try:
        (folder / "a.py").write_text("1\n")
        assert failed.wait(PATIENCE)
        (folder / "b.py").write_text("1\n")
        assert told.get(timeout=PATIENCE).rescan
    finally:
        watcher.stop()
    assert "broken" in caplog.text


def test_after_a_failure_of_its_reader_a_rescan_comes_by_itself(folder: Path, kind: bool) -> None:
    told: Queue[Changes] = Queue()
    failures = iter([ValueError("broken"), ValueError("broken again")])

    def fail_twice(changes: Changes) -> None:
        told.put(changes)
        for failure in failures:
            raise failure

    watcher = FolderWatcher(folder, fail_twice, use_inotify=kind, retry_after=0.5)
    watcher.start()
    try:
        (folder / "a.py").write_text("1\n")
        told.get(timeout=PATIENCE)
        assert told.get(timeout=PATIENCE).rescan
        assert told.get(timeout=PATIENCE).rescan
    finally:
        watcher.stop()


def test_stopping_from_within_a_call_works(folder: Path, kind: bool) -> None:
    stopped = Event()

    def stop(_changes: Changes) -> None:
        watcher.stop()
        stopped.set()

    watcher = FolderWatcher(folder, stop, use_inotify=kind)
    watcher.start()
    (folder / "a.py").write_text("1\n")
    assert stopped.wait(PATIENCE)


def test_nothing_is_told_after_stopping(folder: Path, watch: Watch) -> None:
    told = watch(folder)
    told.watcher.stop()
    (folder / "late.py").write_text("1\n")
    probe = watch(folder)
    (folder / "probe.py").write_text("1\n")
    probe.until_path("probe.py")
    assert told.is_silent()


@linux
def test_dropped_events_ask_for_a_rescan_and_new_directories_are_watched_again(
    folder: Path,
) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    blocked, go_on = Event(), Event()

    def skip(path: str) -> bool:
        if path == "gate" and not go_on.is_set():
            blocked.set()
            go_on.wait(PATIENCE)
        return False

    told = Told(folder, skip_directory=skip, use_inotify=True)
    try:
        (folder / "gate").mkdir()
        assert blocked.wait(PATIENCE)
        for number in range(limit // 2 + 1):
            descriptor = os.open(folder / "src" / f"f{number % 50}", os.O_CREAT | os.O_WRONLY)
            os.close(descriptor)
            (folder / "src" / f"f{number % 50}").unlink()
        (folder / "unseen").mkdir()
        go_on.set()
        told.until_rescan()
        told.forget(folder)
        (folder / "unseen" / "u.py").write_text("1\n")
        told.until_path("unseen/u.py")
        assert told.watcher.notice is None
    finally:
        go_on.set()
        told.watcher.stop()


@linux
def test_at_the_limit_of_watches_it_says_so_and_asks_for_rescans_again_and_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchdog.observers.inotify_c import InotifyFD

    real = InotifyFD.add_callback

    # The limit belongs to the whole machine and cannot be lowered for one test.
    def fake_add_callback(self: InotifyFD, path: bytes, *rest: Any) -> Any:
        if path.endswith(b"src"):
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        return real(self, path, *rest)

    monkeypatch.setattr(InotifyFD, "add_callback", fake_add_callback)
    told = Told(folder, reconcile_every=0.1, use_inotify=True)
    try:
        told.until(lambda: sum(batch.rescan for batch in told.batches) >= 3)
    finally:
        told.watcher.stop()
    assert told.watcher.notice is not None
    assert "fs.inotify.max_user_watches" in told.watcher.notice
    assert told.batches[-1].notice == told.watcher.notice


@linux
def test_without_a_free_descriptor_it_says_so_and_asks_for_rescans(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    watcher_told: Queue[Changes] = Queue()
    watcher = FolderWatcher(folder, watcher_told.put, reconcile_every=0.1, use_inotify=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        watcher.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        assert watcher_told.get(timeout=PATIENCE).rescan
        assert watcher_told.get(timeout=PATIENCE).rescan
    finally:
        watcher.stop()
    assert watcher.notice is not None
    assert "fs.inotify.max_user_instances" in watcher.notice


@linux
def test_a_folder_that_goes_away_is_said(folder: Path, tmp_path: Path) -> None:
    told = Told(folder, use_inotify=True)
    try:
        folder.rename(tmp_path / "gone")
        told.until_rescan()
        assert told.watcher.notice is not None
    finally:
        told.watcher.stop()


def test_a_watcher_that_died_is_noticed(
    folder: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def skip(path: str) -> bool:
        if path == "poison":
            raise SystemExit
        return False

    monkeypatch.setattr("threading.excepthook", lambda _arguments: None)
    told = watch(folder, skip_directory=skip, reconcile_every=0.2)
    (folder / "poison").mkdir()
    (folder / "poison" / "p.py").touch()
    told.until_rescan()
    assert "has stopped" in (told.watcher.notice or "")
