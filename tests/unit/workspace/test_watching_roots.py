"""A folder that goes away and comes back, or another in its place, is watched again by itself."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.workspace.watchers import Told, git, linux, mounted, watching

# watchdog's own recursive observer warns of a race between its listing and its events.
pytestmark = pytest.mark.filterwarnings("ignore:Callback with id:RuntimeWarning")
SOON = 0.05


@pytest.fixture(params=[pytest.param(True, marks=linux, id="inotify"), False], ids=str)
def kind(request: pytest.FixtureRequest) -> bool:
    return request.param


def make_folder(root: Path) -> Path:
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("a = 1\n")
    return root


def assert_is_watched(told: Told, root: Path) -> None:
    file = root / "src" / "a.py"
    told.insist(lambda: file.write_text("a = 2\n"), lambda batch: "src/a.py" in batch.paths)
    assert told.watcher.notice is None


def until_gone(told: Told) -> None:
    told.until(lambda: any("not there" in (batch.notice or "") for batch in told.batches))
    assert any(batch.rescan for batch in told.batches)
    told.batches.clear()


@pytest.mark.parametrize(
    "remove",
    [shutil.rmtree, lambda root: root.rename(root.parent / "away")],
    ids=["deleted", "moved"],
)
def test_a_folder_that_comes_back_is_watched_again(
    tmp_path: Path, kind: bool, remove: Callable[[Path], object]
) -> None:
    root = make_folder(tmp_path / "folder")
    with watching(root, use_inotify=kind, look_every=SOON) as told:
        remove(root)
        until_gone(told)
        make_folder(root)
        told.until_rescan()
        assert_is_watched(told, root)


def test_a_folder_whose_parent_is_moved_is_missed(tmp_path: Path, kind: bool) -> None:
    root = make_folder(tmp_path / "parent" / "folder")
    with watching(root, use_inotify=kind, look_every=SOON) as told:
        (tmp_path / "parent").rename(tmp_path / "away")
        until_gone(told)
        (tmp_path / "away").rename(tmp_path / "parent")
        told.until_rescan()
        assert_is_watched(told, root)


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path, kind: bool) -> None:
    with watching(tmp_path / "later", use_inotify=kind, look_every=SOON) as told:
        until_gone(told)
        root = make_folder(tmp_path / "later")
        told.until_rescan()
        assert_is_watched(told, root)


@linux
def test_a_folder_that_another_takes_the_place_of_is_told(tmp_path: Path) -> None:
    root, other = make_folder(tmp_path / "folder"), make_folder(tmp_path / "other")
    with watching(root, use_inotify=True, look_every=SOON) as told:
        root.rename(tmp_path / "away")
        other.rename(root)
        told.until_rescan()
        assert_is_watched(told, root)


def test_a_repository_that_is_made_anew_is_followed(tmp_path: Path, kind: bool) -> None:
    root = make_folder(tmp_path / "folder")
    git(root, "init", "-b", "main")
    directories = [root / ".git"]
    with watching(root, use_inotify=kind, look_every=SOON, git_directories=directories) as told:
        shutil.rmtree(root / ".git")
        told.until_rescan()
        git(root, "init", "-b", "main")
        assert_is_watched(told, root)
        told.insist(
            lambda: git(root, "commit", "--allow-empty", "-m", "one"),
            lambda batch: batch.head_changed and not batch.rescan,
        )


@linux
def test_a_file_system_that_is_mounted_over_the_folder_is_watched(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "folder")
    with watching(root, use_inotify=True, look_every=SOON) as told, mounted(root):
        told.until_rescan()
        make_folder(root)
        assert_is_watched(told, root)
