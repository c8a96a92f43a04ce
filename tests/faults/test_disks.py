"""A cache on a disk that is full, or that cannot be written: told, answered from, and got over."""

import logging
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.errors import CacheUnavailableError, IndexingError
from codeintel_ls.workspace import WorkspaceFolder
from tests.faults.checking import asked, differences, opened, recovered
from tests.faults.conftest import Grown
from tests.faults.disks import failing_disk, memory_disk
from tests.faults.trees import copied
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="disks are mounted as on Linux")


def size_of(cache: Path) -> int:
    return sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())


def fill(rest: Path) -> None:
    """Write until there is no space left."""
    with rest.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass


def names_space(sentence: str | None) -> bool:
    return any(sign in (sentence or "").lower() for sign in ("full", "space"))


@pytest.mark.parametrize("share", [0.4, 0.7, 0.9, 1.2])
def test_a_tree_that_does_not_fit_is_indexed_once_there_is_room(
    grown: Grown, tmp_path: Path, share: float
) -> None:
    """The less there is, the earlier it ends: in the contents, the store, the log, a segment."""
    with (
        memory_disk(tmp_path / "disk", int(size_of(grown.cache) * share)) as disk,
        opened(grown.root, disk.place / "cache") as folder,
    ):
        folder.start()
        assert eventually(lambda: names_space(folder.index_status().last_error))
        found = len(asked(folder).hits)
        assert bool(found) == bool(folder.index_status().chunks)
        disk.remount("size=64m")
        assert recovered(folder).last_error is None
        assert not differences(folder, grown.reference)
        assert not folder.index_status().skipped.get("crashed")


def test_a_disk_that_fills_up_keeps_what_is_there(
    grown: Grown, cache: Path, tmp_path: Path
) -> None:
    with memory_disk(tmp_path / "disk", 64 << 20) as disk:
        copied(cache, disk.place / "cache")
        with opened(grown.root, disk.place / "cache") as folder:
            folder.start()
            recovered(folder)
            rest = disk.place / "rest"
            fill(rest)
            with pytest.raises(IndexingError) as raised:
                folder.rebuild()
            assert names_space(str(raised.value))
            assert not differences(folder, grown.reference)
            rest.unlink()
            assert recovered(folder).last_error is None
            assert not differences(folder, grown.reference)


def test_a_full_disk_is_told_to_whoever_opens_a_folder(grown: Grown, tmp_path: Path) -> None:
    with memory_disk(tmp_path / "disk", 40_000) as disk:
        with pytest.raises(CacheUnavailableError) as raised, opened(grown.root, disk.place):
            pass
        assert names_space(str(raised.value))
        disk.remount("size=64m")
        with opened(grown.root, disk.place) as folder:
            folder.start()
            recovered(folder)


def test_a_read_only_cache_is_told_to_whoever_opens_a_folder(
    grown: Grown, cache: Path, tmp_path: Path
) -> None:
    with memory_disk(tmp_path / "disk", 64 << 20) as disk:
        copied(cache, disk.place / "cache")
        disk.remount("ro")
        with (
            pytest.raises(CacheUnavailableError, match="Read-only file system"),
            opened(grown.root, disk.place / "cache"),
        ):
            pass
        disk.remount("rw")
        with opened(grown.root, disk.place / "cache") as folder:
            folder.start()
            recovered(folder)
            assert folder.index_status().embedded == 0


def test_a_disk_that_turns_read_only_answers_on(
    grown: Grown, cache: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with failing_disk(tmp_path / "disk") as disk:
        copied(cache, disk.place / "cache")
        with opened(grown.root, disk.place / "cache") as folder:
            folder.start()
            recovered(folder)
            disk.remount("abort")
            with pytest.raises(CodeIntelError, match="cannot be used"):
                folder.rebuild()
            assert not differences(folder, grown.reference)
            assert is_told(folder)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def is_told(folder: WorkspaceFolder) -> bool:
    return "cannot be used" in (folder.index_status().last_error or "")
