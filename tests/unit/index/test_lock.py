"""Who may write a cache, tried with real processes that live, stop, die and come back."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from codeintel_ls.index import lock as lock_module
from codeintel_ls.index.lock import HONOURED_SECONDS, CacheLock

PROCESS = """
import sys
from pathlib import Path
from codeintel_ls.index.lock import CacheLock
lock = CacheLock(Path(sys.argv[1]))
for line in sys.stdin:
    print(getattr(lock, line.strip())(), flush=True)
"""


class OtherProcess:
    """Another process with a lock of its own on the same folder."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid

    def ask(self, method: str) -> str:
        """What a method of its lock answers."""
        self.begin(method)
        return self.answer()

    def begin(self, method: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{method}\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once. Nobody has asked for its end yet: it stays in the list as a zombie."""
        self._process.kill()
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


Starter = Callable[[], OtherProcess]
Note = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cache = tmp_path / "cache"
    cache.mkdir()
    return cache


@pytest.fixture
def start(folder: Path) -> Iterator[Starter]:
    started: list[OtherProcess] = []

    def start_process() -> OtherProcess:
        started.append(OtherProcess(folder))
        return started[-1]

    yield start_process
    for process in started:
        process.end()


@pytest.fixture
def owner(start: Starter) -> OtherProcess:
    """Another process, which has the lock."""
    process = start()
    assert process.ask("try_acquire") == "True"
    return process


@pytest.fixture
def lock(folder: Path) -> Iterator[CacheLock]:
    taken = CacheLock(folder)
    yield taken
    taken.release()


def note_of(folder: Path) -> Note:
    return json.loads((folder / "owner.json").read_text())


def write_note(folder: Path, note: object) -> Path:
    path = folder / "owner.json"
    path.write_text(note if isinstance(note, str) else json.dumps(note))
    return path


def test_one_process_owns_and_the_next_takes_over_after_it(
    lock: CacheLock, owner: OtherProcess, folder: Path
) -> None:
    assert (lock.try_acquire(), lock.owned, lock.owner()) == (False, False, owner.pid)
    assert lock.in_use()
    assert owner.ask("release") == "None"
    assert not (folder / "owner.json").exists()
    assert not lock.in_use()
    assert (lock.try_acquire(), lock.owned, lock.owner()) == (True, True, os.getpid())
    assert (owner.ask("try_acquire"), owner.ask("owner")) == ("False", str(os.getpid()))


def test_of_many_that_start_at_once_one_becomes_the_owner(start: Starter) -> None:
    processes = [start() for _ in range(5)]
    for process in processes:
        assert process.ask("owner") == "None"
    for process in processes:
        process.begin("try_acquire")
    assert sorted(process.answer() for process in processes) == ["False"] * 4 + ["True"]


def test_an_owner_that_was_killed_is_no_obstacle(lock: CacheLock, owner: OtherProcess) -> None:
    owner.kill()
    assert lock.owner() == owner.pid
    assert not lock.in_use()
    assert lock.try_acquire()
    assert lock.owner() == os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be deleted there")
def test_a_lock_file_that_was_deleted_does_not_make_a_second_owner(
    lock: CacheLock, owner: OtherProcess, folder: Path
) -> None:
    (folder / "owner.lock").unlink()
    assert not lock.try_acquire()
    # Trying has made the file anew, unlocked.
    assert (folder / "owner.lock").exists()
    assert not lock.try_acquire()
    owner.signal(signal.SIGSTOP)
    assert not lock.try_acquire()
    owner.signal(signal.SIGCONT)
    assert (owner.ask("is_current"), owner.ask("owner")) == ("False", str(owner.pid))
    owner.kill()
    assert lock.try_acquire()


def started_earlier(note: Note) -> Note:
    return {**note, "started": note["started"] - 60}


def before_the_machine_was_started(note: Note) -> Note:
    return {**note, "place": {**note["place"], "boot": "another"}}


@pytest.mark.parametrize("by_another", [started_earlier, before_the_machine_was_started])
def test_a_later_process_with_the_same_id_is_no_obstacle(
    lock: CacheLock, owner: OtherProcess, folder: Path, by_another: Callable[[Note], Note]
) -> None:
    note = note_of(folder)
    owner.ask("release")
    write_note(folder, note)
    assert not lock.try_acquire()
    write_note(folder, by_another(note))
    assert lock.try_acquire()


def test_a_note_of_this_very_process_is_no_obstacle(lock: CacheLock, folder: Path) -> None:
    lock.try_acquire()
    note = note_of(folder)
    lock.release()
    write_note(folder, started_earlier(note))
    assert lock.try_acquire()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems record a start for good")
def test_the_start_of_a_process_does_not_change_with_the_clock(
    lock: CacheLock, folder: Path
) -> None:
    lock.try_acquire()
    after_name = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    ticks_since_boot = int(after_name[19])
    ticks = os.sysconf("SC_CLK_TCK")
    assert note_of(folder)["started"] == pytest.approx(ticks_since_boot / ticks, abs=0.1)


@pytest.mark.parametrize(
    "elsewhere",
    [{"host": "another", "boot": "another"}, {"namespace": "pid:[1]"}],
    ids=["another host", "another container"],
)
def test_an_owner_out_of_sight_counts_while_it_renews_its_note(
    lock: CacheLock, folder: Path, elsewhere: dict[str, str]
) -> None:
    lock.try_acquire()
    note = note_of(folder)
    lock.release()
    path = write_note(folder, {**note, "pid": 1, "place": {**note["place"], **elsewhere}})
    assert not lock.try_acquire()
    # Too long ago; or in the future, by a clock that was set back since.
    for far in (-2 * HONOURED_SECONDS, 2 * HONOURED_SECONDS):
        os.utime(path, (time.time() + far, time.time() + far))
        assert not lock.in_use()
    assert lock.try_acquire()


@pytest.mark.parametrize(
    "note",
    [
        "",
        "{",
        "[" * 100_000,
        "null",
        "[]",
        "17",
        '{"pid": 1}',
        '{"pid": -1, "started": 1.0, "place": {"host": "", "boot": "", "namespace": ""}}',
        '{"pid": 10000000000, "started": 1.0, "place": {"host": "", "boot": "", "namespace": ""}}',
        '{"pid": 1, "started": NaN, "place": {"host": "", "boot": "", "namespace": ""}}',
        '{"pid": 1, "started": 1.0, "place": null}',
    ],
)
def test_what_is_no_note_is_no_obstacle(
    lock: CacheLock, folder: Path, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "HONOURED_SECONDS", 0)
    write_note(folder, note)
    lock.owner()
    assert lock.try_acquire()
    assert lock.owner() == os.getpid()


def test_the_owner_sees_that_it_lost_the_folder(
    lock: CacheLock, start: Starter, folder: Path
) -> None:
    assert not lock.refresh()
    assert lock.try_acquire()
    assert lock.is_current()
    assert lock.refresh()
    shutil.rmtree(folder)
    assert (lock.owned, lock.is_current(), lock.refresh()) == (True, False, False)
    folder.mkdir()
    other = start()
    assert other.ask("try_acquire") == "True"
    assert (lock.is_current(), lock.refresh()) == (False, False)
    lock.release()
    assert (other.ask("is_current"), other.ask("owner")) == ("True", str(other.pid))
    assert not lock.try_acquire()


def test_a_note_of_another_owner_ends_the_ownership(
    lock: CacheLock, owner: OtherProcess, folder: Path
) -> None:
    theirs = note_of(folder)
    owner.ask("release")
    assert lock.try_acquire()
    # As a file system without locks lets it happen.
    write_note(folder, theirs)
    assert (lock.is_current(), lock.refresh()) == (False, False)
    lock.release()
    assert note_of(folder) == theirs


def test_the_owner_renews_its_note(
    lock: CacheLock, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock.try_acquire()
    written = note_of(folder)
    (folder / "owner.json").unlink()
    assert lock.refresh()
    assert note_of(folder) == written
    os.utime(folder / "owner.json", (0, 0))
    assert lock.refresh()
    assert (folder / "owner.json").stat().st_mtime == 0
    monkeypatch.setattr(lock_module, "_RENEWAL_SECONDS", -1)
    assert lock.refresh()
    assert (folder / "owner.json").stat().st_mtime > 0


def test_threads_of_one_process_share_it(lock: CacheLock, start: Starter) -> None:
    barrier = Barrier(8)

    def take() -> bool:
        barrier.wait()
        return lock.try_acquire()

    with ThreadPoolExecutor(8) as threads:
        assert all(future.result() for future in [threads.submit(take) for _ in range(8)])
    other = start()
    assert other.ask("try_acquire") == "False"
    lock.release()
    lock.release()
    assert other.ask("try_acquire") == "True"


def test_a_process_can_take_it_again(lock: CacheLock) -> None:
    for _ in range(3):
        assert lock.try_acquire()
        lock.release()
        assert not lock.owned


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions of files")
def test_the_note_is_for_its_owner_alone(lock: CacheLock, folder: Path) -> None:
    lock.try_acquire()
    for name in ("owner.json", "owner.lock"):
        assert (folder / name).stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_used_is_an_error_and_leaves_nothing_taken(folder: Path) -> None:
    (folder / "owner.json").mkdir()
    refused = CacheLock(folder)
    with pytest.raises((IsADirectoryError, PermissionError)):
        refused.try_acquire()
    assert not refused.owned
    (folder / "owner.json").rmdir()
    assert refused.try_acquire()
    refused.release()
