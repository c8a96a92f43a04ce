"""The files of a folder: listing, judging and watching go by the same rules."""

import subprocess
from pathlib import Path

import pytest

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.settings import IndexSettings
from codeintel_ls.workspace import scope
from codeintel_ls.workspace.scope import FolderScope
from tests.unit.workspace.trees import write_tree
from tests.unit.workspace.watchers import linux, mounted


@pytest.fixture
def renewed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each time the watcher was told of new rules, whether they leave out `web`."""
    told: list[bool] = []

    class FakeWatcher(scope.FolderWatcher):
        def start(self) -> None: ...

        def stop(self) -> None: ...

        def renew(self, skip_directory: object) -> None:
            assert callable(skip_directory)
            told.append(bool(skip_directory("web")))

    monkeypatch.setattr(scope, "FolderWatcher", FakeWatcher)
    return told


def test_rules_that_change_during_a_listing_reach_the_watcher_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renewed: list[bool]
) -> None:
    root = write_tree(tmp_path / "tree", {"web/a.js": "x\n", ".gitignore": "web/\n"})
    watched = FolderScope(root, None, IndexSettings(), watch=True, on_changes=lambda _: None)
    watched.start_watching()
    real = scope.discover_files

    def overtaken(*arguments: object) -> object:
        listed = real(*arguments)  # pyright: ignore[reportArgumentType] - passed through
        (root / ".gitignore").write_text("")
        watched.forget_rules()
        return listed

    with monkeypatch.context() as patched:
        patched.setattr(scope, "discover_files", overtaken)
        watched.discover(Cancellation())
    assert watched.policy().allows("web/a.js")
    watched.discover(Cancellation())
    assert renewed[-1:] == [False]
    count = len(renewed)
    watched.discover(Cancellation())
    assert len(renewed) == count
    watched.close()


@linux
def test_a_folder_that_is_looked_through_instead_of_watched_says_so(tmp_path: Path) -> None:
    with mounted(tmp_path / "mount") as root:
        write_tree(root, {"a.py": "a = 1\n"})
        watched = FolderScope(root, None, IndexSettings(), watch=True, on_changes=lambda _: None)
        watched.start_watching()
        assert watched.remarks == ()
        watched.stop_watching()
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
        watched.start_watching()
        (notice,) = watched.remarks
        assert "read-only file system (tmpfs)" in notice
        watched.discover(Cancellation())
        assert watched.remarks == (notice,)
        watched.close()
