"""Parts of a cache are deleted while it is in use: by a person, a cleaner, a script."""

import shutil
from pathlib import Path

import pytest

from tests.faults.checking import differences, is_right, opened, recovered
from tests.faults.conftest import Grown
from tests.waiting import eventually


def remove(cache: Path, pattern: str) -> None:
    found = list(cache.parent.glob(pattern))
    assert found, pattern
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


PARTS = {
    "everything": "cache",
    "workspaces": "cache/workspaces",
    "repositories": "cache/repositories",
    "workspace": "cache/workspaces/*",
    "segments": "cache/workspaces/*/segments",
    "one segment": "cache/workspaces/*/segments/*/dense.faiss",
    "manifest": "cache/workspaces/*/manifest.json",
    "store": "cache/workspaces/*/index.sqlite3*",
    "log": "cache/workspaces/*/index.sqlite3-wal",
    "contents": "cache/repositories/*/contents.sqlite3*",
    "lock": "cache/workspaces/*/owner.*",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_deleted_part_is_made_anew_while_running(grown: Grown, cache: Path, part: str) -> None:
    with opened(grown.root, cache) as folder:
        folder.start()
        recovered(folder)
        remove(cache, PARTS[part])
        recovered(folder)
        assert eventually(lambda: is_right(folder, grown.reference))
        folder.merge()
        assert not differences(folder, grown.reference)
        assert {path.name for path in cache.iterdir()} == {"workspaces", "repositories"}
    with opened(grown.root, cache) as folder:
        assert not differences(folder, grown.reference)


@pytest.mark.parametrize("part", [part for part in PARTS if part not in {"log", "lock"}])
def test_a_deleted_part_is_made_anew_after_opening(grown: Grown, cache: Path, part: str) -> None:
    remove(cache, PARTS[part])
    with opened(grown.root, cache) as folder:
        folder.start()
        recovered(folder)
        assert eventually(lambda: is_right(folder, grown.reference))
