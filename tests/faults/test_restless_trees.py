"""Trees that do what no index likes: change while they are read, move, go, and come back."""

import random
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from codeintel_ls.search import SearchQuery
from codeintel_ls.workspace import WorkspaceFolder
from codeintel_ls.workspace.index_keeper import IndexKeeper
from tests.faults.checking import differences, fresh, is_right, opened, recovered
from tests.faults.conftest import Grown
from tests.faults.trees import WORDS, copied, text_of
from tests.unit.workspace.trees import commit_all, git, write_tree
from tests.waiting import eventually

RENAMED = 10_000


@pytest.fixture
def tree(grown: Grown, tmp_path: Path) -> Path:
    """A tree of one's own."""
    return copied(grown.root, tmp_path / "tree")


@contextmanager
def restless(paths: list[Path]) -> Iterator[dict[str, list[str]]]:
    """Write the files again and again, by halves, until the block ends.

    Gives every text that was in each file.
    """
    ended, chance = threading.Event(), random.Random(3)
    texts = {path.name: [path.read_text(encoding="utf-8")] for path in paths}

    def write() -> None:
        while not ended.is_set():
            path, text = chance.choice(paths), text_of(0, chance)
            texts[path.name].append(text)
            with path.open("w", encoding="utf-8", newline="") as file:
                file.write(text[: len(text) // 2])
                file.flush()
                file.write(text[len(text) // 2 :])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield texts
    finally:
        ended.set()
        writer.join()


def test_files_that_change_while_they_are_read(tree: Path, tmp_path: Path) -> None:
    paths = sorted(tree.rglob("*.py"))[:8]
    names = [path.relative_to(tree).as_posix() for path in paths]
    with opened(tree, tmp_path / "cache") as folder:
        with restless(paths) as texts:
            folder.start()
            for number in range(8):
                folder.update(names if number % 2 else None)
                folder.changed(names)
                for hit in folder.search(SearchQuery(text=WORDS[number], limit=50)).hits:
                    written = texts.get(Path(hit.path).name, [])
                    assert not written or any(hit.snippet in text for text in written)
        folder.update()
        assert not differences(folder, fresh(tree))


def test_ten_thousand_renames_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[str] = []
    monkeypatch.setattr(IndexKeeper, "_run_reconcile", noted(IndexKeeper._run_reconcile, passes))
    tree = write_tree(
        tmp_path / "tree",
        {
            f"old/part{number % 100}/work{number}.py": f"def work_{number}():\n    return 1\n"
            for number in range(RENAMED)
        },
    )
    commit_all(tree)
    with opened(tree, tmp_path / "cache", watch=True) as folder:
        folder.start()
        recovered(folder)
        before, generation = folder.index_status().embedded, folder.index_status().generation
        passes.clear()
        git(tree, "mv", "old", "new")
        assert eventually(lambda: len(paths_below(folder, "new")) == RENAMED)
        assert recovered(folder).files == RENAMED
        assert paths_below(folder, "old") == []
        # Their paths are embedded, but no text; and one look at the folder is enough, or another
        # where git was not ready with all it does.
        assert folder.index_status().embedded == before
        assert 1 <= len(passes) <= 3
        assert folder.index_status().generation > generation


def noted(real: Callable[..., None], calls: list[str]) -> Callable[..., None]:
    def run(*arguments: Any) -> None:
        calls.append("a look at the folder")
        real(*arguments)

    return run


def paths_below(folder: WorkspaceFolder, under: str) -> list[str]:
    return folder.list_paths(under=under, limit=2 * RENAMED)[0]


@pytest.mark.parametrize("watch", [True, False])
def test_a_tree_that_goes_and_comes_back(
    grown: Grown, tree: Path, tmp_path: Path, watch: bool
) -> None:
    aside = tree.with_name("aside")
    with opened(tree, tmp_path / "cache", watch=watch) as folder:
        folder.start()
        recovered(folder)
        before = folder.index_status().embedded
        copied(tree, aside)
        shutil.rmtree(tree)
        if not watch:
            folder.changed([path for path, *_ in grown.reference.chunks])
        assert eventually(lambda: folder.index_status().files == 0)
        status = recovered(folder)
        assert status.chunks == 0
        told = (*status.notices, *status.remarks)
        assert not watch or any("not there any more" in sentence for sentence in told)
        aside.rename(tree)
        if not watch:
            folder.update()
        assert eventually(lambda: is_right(folder, grown.reference))
        assert recovered(folder).last_error is None
        assert folder.index_status().embedded == before
