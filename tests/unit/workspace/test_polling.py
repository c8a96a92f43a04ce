"""Folders on file systems that tell of nothing are looked through instead of watched."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeintel_ls.workspace.file_systems import FileSystem
from tests.unit.workspace.watchers import Told, git, linux, mounted, watching

NFS = FileSystem("nfs4")
SOON = 0.05
NEVER = 3600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    root.mkdir()
    git(root, "init", "-b", "main")
    git(root, "commit", "--allow-empty", "-m", "one")
    return root


def rescans(told: Told) -> int:
    return sum(batch.rescan for batch in told.batches)


def commit(told: Told, root: Path, message: str) -> None:
    """Commit, and wait until that is told."""
    git(root, "commit", "--allow-empty", "-m", message)
    told.until(lambda: any(batch.head_changed for batch in told.batches))


def inotify_watches() -> int:
    """How many directories this process has the kernel watch."""
    return sum(
        line.startswith("inotify wd")
        for descriptor in Path("/proc/self/fdinfo").iterdir()
        for line in _lines(descriptor)
    )


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text().splitlines()
    except OSError:
        return


def test_a_network_file_system_is_looked_through_again_and_again(folder: Path) -> None:
    with watching(folder, file_system=NFS, poll_every=SOON) as told:
        told.until(lambda: rescans(told) >= 3)
        notice = told.watcher.notice
    assert notice is not None
    assert "(nfs4)" in notice
    assert "every 0.05 seconds" in notice
    assert "read-only" not in notice
    assert told.batches[-1].notice == notice


@linux
def test_no_watch_is_spent_on_it(folder: Path) -> None:
    before = inotify_watches()
    with watching(folder):
        assert inotify_watches() > before
    with watching(folder, file_system=NFS):
        assert inotify_watches() == before


def test_a_commit_is_seen_between_two_looks(folder: Path) -> None:
    with watching(
        folder,
        file_system=NFS,
        poll_every=NEVER,
        look_every=SOON,
        reconcile_every=SOON,
        git_directories=[folder / ".git"],
    ) as told:
        commit(told, folder, "two")
        git(folder, "checkout", "-b", "other")
        told.batches.clear()
        commit(told, folder, "three")
        # That it is polled is no gap in the watching, for which a rescan would have to make up.
        assert rescans(told) == 0


def test_polling_leaves_time_between_looks_that_take_long(folder: Path) -> None:
    with watching(
        folder,
        file_system=NFS,
        poll_every=SOON,
        look_every=SOON,
        git_directories=[folder / ".git"],
    ) as told:
        told.until(lambda: rescans(told) >= 2)
        told.watcher.scanned(NEVER)
        commit(told, folder, "two")
        told.batches.clear()
        commit(told, folder, "three")
        told.batches.clear()
        commit(told, folder, "four")
        assert rescans(told) == 0
        told.watcher.scanned(0.0)
        told.until(lambda: rescans(told) >= 2)


@linux
def test_a_read_only_file_system_is_looked_through_seldom(tmp_path: Path) -> None:
    with mounted(tmp_path / "mount") as root:
        (root / "a.py").write_text("1\n")
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
        with watching(root, poll_every=SOON) as told:
            told.until(lambda: rescans(told) >= 2)
            assert "read-only file system (tmpfs)" in (told.watcher.notice or "")
            assert "every 0.5 seconds" in (told.watcher.notice or "")


def test_a_folder_that_goes_away_is_said_and_missed_no_more_when_it_is_back(
    tmp_path: Path,
) -> None:
    root = tmp_path / "folder"
    root.mkdir()
    with watching(root, file_system=NFS, poll_every=SOON, look_every=SOON) as told:
        root.rename(tmp_path / "away")
        told.until(lambda: "not there" in (told.watcher.notice or ""))
        (tmp_path / "away").rename(root)
        told.until(lambda: "(nfs4)" in (told.watcher.notice or ""))
