"""A clock that is set back, and a process that is killed while another reads its index."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codeintel_ls.index import worker_process
from codeintel_ls.workspace import WorkspaceFolder
from tests.faults.checking import differences, fresh, is_right, opened, recovered
from tests.faults.conftest import Grown
from tests.faults.trees import check_out, copied
from tests.waiting import eventually

DAY = 86_400
EARLIER = f"""
import time
now, now_ns = time.time, time.time_ns
time.time = lambda: now() - {DAY}
time.time_ns = lambda: now_ns() - {DAY} * 10**9
from codeintel_ls.index.worker import main
main()
"""
OWNER = """
import sys, time
from pathlib import Path
from tests.faults.checking import opened, recovered
with opened(Path(sys.argv[1]), Path(sys.argv[2])) as folder:
    folder.start()
    print("begun", flush=True)
    if "settled" in sys.argv:
        recovered(folder)
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def tree(grown: Grown, tmp_path: Path) -> Path:
    """A tree of one's own."""
    return copied(grown.root, tmp_path / "tree")


def set_clock_back(patch: pytest.MonkeyPatch) -> None:
    """For this process, and for the indexing processes that it starts from now on."""
    now, now_ns = time.time, time.time_ns
    patch.setattr(time, "time", lambda: now() - DAY)
    patch.setattr(time, "time_ns", lambda: now_ns() - DAY * 10**9)

    def spawn() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-P", "-c", EARLIER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    patch.setattr(worker_process, "_spawn", spawn)


def edit(tree: Path, word: str, seconds: float) -> str:
    """Change one file, keeping its size, as of another time."""
    path = sorted(tree.rglob("*.py"))[3]
    text = path.read_text(encoding="utf-8")
    path.write_text(word * 5 + text[len(word) * 5 :], encoding="utf-8")
    os.utime(path, (seconds, seconds))
    return path.relative_to(tree).as_posix()


def test_a_clock_that_is_set_back_while_running(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tree, tmp_path / "cache") as folder:
        folder.start()
        recovered(folder)
        for worker in folder.worker_pids():
            os.kill(worker, signal.SIGKILL)
        set_clock_back(monkeypatch)
        saved = edit(tree, "abc ", time.time())
        folder.update([saved])
        check_out(tree, "before")
        folder.update()
        folder.merge()
        assert not differences(folder, fresh(tree))
        edit(tree, "xyz ", time.time())
        folder.update()
        folder.rebuild()
        assert not differences(folder, fresh(tree))
    with opened(tree, tmp_path / "cache") as folder:
        folder.start()
        recovered(folder)
        assert folder.index_status().embedded == 0


@pytest.mark.parametrize("years", [-20, 20])
def test_files_of_another_time(tree: Path, tmp_path: Path, years: int) -> None:
    with opened(tree, tmp_path / "cache") as folder:
        folder.start()
        recovered(folder)
        then = time.time() + years * 365 * DAY
        for word, seconds in (("abc ", then), ("xyz ", then - 5), ("ijk ", then + 5)):
            edit(tree, word, seconds)
            folder.update()
            assert not differences(folder, fresh(tree, ask=False))


@contextmanager
def owner(tree: Path, cache: Path, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that keeps the index, until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tree), str(cache), *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    try:
        process.stdout.readline()
        if words:
            process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("words", [(), ("settled",)])
def test_who_follows_takes_over_when_the_owner_is_killed(
    grown: Grown, tree: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    cache = tmp_path / "cache"
    with owner(tree, cache, *words) as process, opened(tree, cache) as folder:
        folder.start()
        if words:
            assert eventually(lambda: is_right(folder, grown.reference))
        assert follows(folder, process.pid)
        process.kill()
        check_out(tree, "before")
        folder.changed(["anything.py"])
        assert eventually(lambda: not follows(folder, process.pid))
        folder.update()
        recovered(folder)
        assert not differences(folder, fresh(tree))


def follows(folder: WorkspaceFolder, owner: int) -> bool:
    return any(str(owner) in remark for remark in folder.index_status().remarks)


def test_two_that_open_at_once_make_one_index(tree: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    reference = fresh(tree)
    with owner(tree, cache) as first, owner(tree, cache) as second:
        for process in (first, second):
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.kill()
        with opened(tree, cache) as folder:
            folder.start()
            recovered(folder)
            assert not differences(folder, reference)
