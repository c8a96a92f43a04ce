"""What git does to a folder is told once, when git has ended; a lock left behind hinders nobody."""

import os
import time
from pathlib import Path

import pytest

from tests.unit.workspace.watchers import Told, git, linux, watching

pytestmark = linux
SLOW = "filter.slow.smudge=sleep 0.5; cat"
FOREVER = 3600.0


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "folder"
    root.mkdir()
    git(root, "init", "-b", "main")
    git(root, "commit", "--allow-empty", "-m", "one")
    return root


def lock(directory: Path, *, age: float = 0.0) -> Path:
    """The lock of a git that works, or has been killed."""
    held = directory / "index.lock"
    held.touch()
    os.utime(held, (time.time() - age, time.time() - age))
    return held


def assert_told_once(told: Told, root: Path) -> None:
    """Nothing comes after the one batch but what is done now."""
    assert len(told.batches) == 1
    (root / "mark").touch()
    told.until_path("mark")
    (_, last) = told.batches
    assert last.paths == {"mark"}
    assert not last.rescan
    assert not last.head_changed


def test_a_slow_checkout_of_5000_files_is_one_update(repository: Path) -> None:
    files = [repository / f"d{number % 50}" / f"f{number}.py" for number in range(5000)]
    slow = [repository / f"d{number}" / "g.slow" for number in range(0, 50, 10)]
    for branch in ("two", "three"):
        git(repository, "checkout", "-b", branch)
        for file in (*files, *slow):
            file.parent.mkdir(exist_ok=True)
            file.write_text(f"{branch} of {file.name}\n")
        (repository / ".gitattributes").write_text("*.slow filter=slow\n")
        git(repository, "add", ".")
        git(repository, "commit", "-m", branch)
    with watching(repository, git_directories=[repository / ".git"]) as told:
        git(repository, "-c", SLOW, "checkout", "two")
        told.until(lambda: len(told.paths) >= 5000)
        assert told.batches[0].head_changed
        assert_told_once(told, repository)


def test_what_changes_while_git_holds_its_lock_is_told_when_it_has_let_go(
    repository: Path,
) -> None:
    with watching(
        repository, git_directories=[repository / ".git"], debounce=0.01, longest_wait=0.5
    ) as told:
        held = lock(repository / ".git")
        for number in range(60):
            (repository / f"f{number}.py").write_text("1\n")
            time.sleep(0.03)
        assert told.is_silent()
        held.rename(repository / ".git" / "index")
        told.until(lambda: len(told.paths) >= 60)
        assert told.batches[0].head_changed
        assert_told_once(told, repository)


def test_a_lock_that_stays_holds_nothing_up_for_good(repository: Path) -> None:
    with watching(repository, git_directories=[repository / ".git"], longest_hold=1.0) as told:
        held = lock(repository / ".git")
        (repository / "a.py").write_text("1\n")
        told.until_path("a.py")
        assert held.exists()


@pytest.mark.parametrize("age", [FOREVER, -FOREVER], ids=["old", "of tomorrow"])
def test_a_lock_that_was_left_behind_holds_nothing_up(repository: Path, age: float) -> None:
    lock(repository / ".git", age=age)
    with watching(repository, git_directories=[repository / ".git"]) as told:
        (repository / "a.py").write_text("1\n")
        told.until_path("a.py")


def test_work_on_another_work_tree_holds_nothing_up(repository: Path, tmp_path: Path) -> None:
    tree, common = tmp_path / "tree", repository / ".git"
    git(repository, "worktree", "add", str(tree))
    directories = [common / "worktrees" / "tree", common]
    with watching(tree, git_directories=directories, longest_hold=FOREVER) as told:
        lock(common)
        (tree / "a.py").write_text("1\n")
        told.until_path("a.py")
        held = lock(directories[0])
        (tree / "b.py").write_text("1\n")
        (tree / "c.py").write_text("1\n")
        held.unlink()
        told.until(lambda: {"b.py", "c.py"} <= told.paths)
