"""The indexing process itself: urgent beside bulk, killed and replaced, polite and bounded."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
from attrs import evolve

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.embedding import bundled_encoder
from codeintel_ls.index.building import BuildTask
from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.errors import (
    CacheUnavailableError,
    DamagedCacheError,
    WorkerFailedError,
    WorkerUnavailableError,
)
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.schema import FileRecord
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.tasks import FileToIndex, MissingFile, PreparedFile, PrepareTask, VerifyTask
from codeintel_ls.index.worker_process import WorkerProcess
from tests.unit.index.bench import MEMORY, function
from tests.unit.index.records import FakeEncoder, save, stores
from tests.waiting import until

LONG = "".join(function(number) for number in range(20_000))
"""What a worker is busy with for some seconds."""


@pytest.fixture
def worker() -> Iterator[WorkerProcess]:
    made = WorkerProcess("", MEMORY)
    yield made
    made.close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    (root / "long.py").write_text(LONG)
    (root / "short.py").write_text(function(7))
    ContentStore(tmp_path / "contents.sqlite3").close()
    return root


def task(tree: Path, *paths: str, urgent: bool = False) -> PrepareTask:
    return PrepareTask(
        root=str(tree),
        files=tuple(FileToIndex(path, None) for path in paths),
        limits=ReadLimits(10_000_000, 10_000),
        contents=str(tree.parent / "contents.sqlite3"),
        recipe="r",
        urgent=urgent,
    )


class Asked:
    """What became of a task that was asked for on a thread of its own."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self.answer: object = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(ask,))
        self._thread.start()

    def _run(self, ask: Callable[[], object]) -> None:
        try:
            self.answer = ask()
        except BaseException as error:  # noqa: BLE001
            self.error = error

    @property
    def waits(self) -> bool:
        return self._thread.is_alive()

    def join(self) -> "Asked":
        self._thread.join(60)
        assert not self.waits
        return self


def in_background(
    worker: WorkerProcess, what: PrepareTask, cancellation: Cancellation | None = None
) -> Asked:
    """Has the worker carry it out; returns once the child has it."""
    worker.start(Cancellation())
    asked = Asked(lambda: worker.prepare(what, cancellation or Cancellation()))
    deadline = time.monotonic() + 20
    assert worker.pid is not None
    child = psutil.Process(worker.pid)
    before = sum(child.cpu_times()[:2])
    while asked.waits and sum(child.cpu_times()[:2]) < before + 0.1:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    assert asked.waits, "it was done before anybody could look"
    return asked


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_an_urgent_task_is_answered_while_a_long_one_runs(
    worker: WorkerProcess, tree: Path
) -> None:
    bulk = in_background(worker, task(tree, "long.py"))
    (file,) = worker.prepare(task(tree, "short.py", urgent=True), Cancellation())
    assert isinstance(file, FileRecord)
    for _ in range(3):
        assert len(worker.prepare(task(tree, "short.py", urgent=True), Cancellation())) == 1
    assert bulk.waits
    answer: Any = bulk.join().answer
    assert answer[0].chunks > 100
    with ContentStore(tree.parent / "contents.sqlite3") as contents:
        assert contents.known([answer[0].content, file.content]) == {
            answer[0].content,
            file.content,
        }


def test_many_tasks_at_once_are_each_answered(worker: WorkerProcess, tree: Path) -> None:
    for number in range(40):
        (tree / f"f{number}.py").write_text(function(number))
    asked = [
        Asked(
            lambda number=number: worker.prepare(
                task(tree, f"f{number}.py", urgent=number % 2 == 0), Cancellation()
            )
        )
        for number in range(40)
    ]
    for number, one in enumerate(asked):
        answer: Any = one.join().answer
        assert [file.path for file in answer] == [f"f{number}.py"]


def test_a_killed_child_fails_its_tasks_and_another_takes_its_place(
    worker: WorkerProcess, tree: Path
) -> None:
    bulk = in_background(worker, task(tree, "long.py"))
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert isinstance(bulk.join().error, WorkerFailedError)
    assert worker.pid is None
    assert worker.memory_bytes == 0
    assert prepared(worker, tree) == ["short.py"]
    assert worker.pid not in {pid, None}
    assert worker.memory_bytes > 10_000_000


def prepared(worker: WorkerProcess, tree: Path) -> list[str]:
    files: list[PreparedFile] = worker.prepare(task(tree, "short.py"), Cancellation())
    return [file.path for file in files]


def test_cancelling_one_task_fails_the_others_without_cancelling_them(
    worker: WorkerProcess, tree: Path
) -> None:
    cancellation = Cancellation()
    bulk = in_background(worker, task(tree, "long.py"), cancellation)
    other = Asked(lambda: worker.prepare(task(tree, "long.py"), Cancellation()))
    pid = worker.pid
    cancellation.cancel()
    assert isinstance(bulk.join().error, CancelledError)
    assert pid is not None
    assert not alive(pid)
    # It may have come before or after the child's end.
    assert other.join().error is None or isinstance(other.error, WorkerFailedError)
    with pytest.raises(CancelledError):
        worker.prepare(task(tree, "short.py"), cancellation)
    assert prepared(worker, tree) == ["short.py"]


def test_closing_while_somebody_waits(worker: WorkerProcess, tree: Path) -> None:
    bulk = in_background(worker, task(tree, "long.py"))
    pid = worker.pid
    worker.close()
    assert pid is not None
    assert not alive(pid)
    assert isinstance(bulk.join().error, WorkerUnavailableError)
    with pytest.raises(WorkerUnavailableError, match="closed"):
        worker.prepare(task(tree, "short.py"), Cancellation())
    worker.close()


def test_an_ended_child_is_replaced(worker: WorkerProcess, tree: Path) -> None:
    worker.end()
    assert prepared(worker, tree) == ["short.py"]
    first = worker.pid
    worker.end()
    assert worker.pid is None
    assert prepared(worker, tree) == ["short.py"]
    assert worker.pid not in {first, None}


def test_a_child_that_is_being_started_does_not_outlive_closing(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    closers = [threading.Thread(target=worker.close)]

    class FakePopen(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)
            closers[0].start()
            while not worker._closed:  # between two lines
                time.sleep(0.001)
            time.sleep(0.02)

    monkeypatch.setattr("codeintel_ls.index.worker_process.subprocess.Popen", FakePopen)
    with pytest.raises(WorkerUnavailableError):
        worker.start(Cancellation())
    closers[0].join()
    assert started[0].returncode is not None


def test_a_child_that_takes_too_long_is_ended(
    worker: WorkerProcess, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.start(Cancellation())
    pid = worker.pid
    monkeypatch.setattr("codeintel_ls.index.worker_process._LEAST_SECONDS", 0.1)
    monkeypatch.setattr("codeintel_ls.index.worker_process._SECONDS_PER_FILE", 0.1)
    with pytest.raises(WorkerFailedError, match="too long"):
        worker.prepare(task(tree, "long.py"), Cancellation())
    assert pid is not None
    assert not alive(pid)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be made to wait there")
def test_a_task_that_waits_for_its_turn_does_not_end_the_one_ahead(
    worker: WorkerProcess, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = in_background(worker, task(tree, "long.py"))
    pid = worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr("codeintel_ls.index.worker_process._LEAST_SECONDS", 0.1)
    monkeypatch.setattr("codeintel_ls.index.worker_process._SECONDS_PER_FILE", 0.0)
    behind = Asked(lambda: worker.prepare(task(tree, "short.py"), Cancellation()))
    time.sleep(0.5)
    assert behind.waits
    os.kill(pid, signal.SIGCONT)
    assert ahead.join().error is None
    # Once it is its turn, it may take too long.
    assert behind.join().error is None or isinstance(behind.error, WorkerFailedError)


def test_the_child_ends_when_its_parent_is_killed(tree: Path) -> None:
    script = (
        "import sys, time\n"
        "from codeintel_ls.cancellation import Cancellation\n"
        "from codeintel_ls.index.worker_process import WorkerProcess\n"
        "worker = WorkerProcess('', 2**31)\n"
        "worker.start(Cancellation())\n"
        "print(worker.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
    until(lambda: not alive(pid))


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a niceness of its own on Linux")
def test_bulk_work_is_polite_and_what_somebody_waits_for_is_not(
    worker: WorkerProcess, tree: Path
) -> None:
    assert prepared(worker, tree) == ["short.py"]
    worker.prepare(task(tree, "short.py", urgent=True), Cancellation())
    own = os.nice(0)
    found = {
        int(stat.read_text().rpartition(")")[2].split()[16])
        for stat in Path(f"/proc/{worker.pid}/task").glob("*/stat")
    }
    polite = min(own + 10, 19)
    assert found == {own, polite}
    bulk = in_background(worker, task(tree, "long.py"))
    busiest = max(
        Path(f"/proc/{worker.pid}/task").glob("*/stat"),
        key=lambda stat: sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13])),
    )
    assert int(busiest.read_text().rpartition(")")[2].split()[16]) == polite
    worker.end()
    bulk.join()


# -- failures as answers ---------------------------------------------------------------------------


def build_task(folder: Path, dimension: int) -> BuildTask:
    return BuildTask(
        folder=str(folder),
        database=str(folder / "index.sqlite3"),
        contents=str(folder / "contents.sqlite3"),
        dimension=dimension,
        since=0,
        kind=PrimaryKind.FLAT,
        threads=1,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="memory is bounded on POSIX alone")
def test_a_task_that_needs_more_memory_than_it_may_says_so_and_the_child_lives(
    tmp_path: Path,
) -> None:
    with stores(tmp_path) as store:
        save(store, FakeEncoder(), {"a.py": [f"chunk {number}" for number in range(300)]})
    worker = WorkerProcess("", 256 * 1024 * 1024)
    with pytest.raises(WorkerFailedError, match=r"more memory .*index\.workerMegabytes"):
        worker.build(build_task(tmp_path, dimension=1_000_000), Cancellation())
    pid = worker.pid
    built = worker.build(build_task(tmp_path, dimension=8), Cancellation())
    assert built.chunks == 300
    assert worker.pid == pid
    worker.close()


def test_a_damaged_cache_is_told_as_such(worker: WorkerProcess, tree: Path) -> None:
    (tree.parent / "contents.sqlite3").write_bytes(b"no database" * 1000)
    with pytest.raises(DamagedCacheError):
        worker.prepare(task(tree, "short.py"), Cancellation())
    with pytest.raises(DamagedCacheError):
        worker.build(build_task(tree.parent, 8), Cancellation())
    (tree.parent / "contents.sqlite3").unlink()
    with pytest.raises(DamagedCacheError, match="removed"):
        worker.prepare(task(tree, "short.py"), Cancellation())
    assert not (tree.parent / "contents.sqlite3").exists()
    ContentStore(tree.parent / "contents.sqlite3").close()
    assert prepared(worker, tree) == ["short.py"]


def test_contents_that_are_replaced_are_opened_anew(worker: WorkerProcess, tree: Path) -> None:
    assert prepared(worker, tree) == ["short.py"]
    for path in tree.parent.glob("contents.sqlite3*"):
        path.unlink()
    ContentStore(tree.parent / "contents.sqlite3").close()
    (file,) = worker.prepare(task(tree, "short.py"), Cancellation())
    assert isinstance(file, FileRecord)
    assert file.embedded == 1
    with ContentStore(tree.parent / "contents.sqlite3") as contents:
        assert contents.known([file.content]) == {file.content}


def test_each_file_has_an_answer_of_its_own(worker: WorkerProcess, tree: Path) -> None:
    (tree / "copy.py").write_text(function(7))
    (tree / "empty.py").write_text("")
    first, copy, missing, empty = worker.prepare(
        task(tree, "short.py", "copy.py", "nowhere.py", "empty.py"), Cancellation()
    )
    assert isinstance(first, FileRecord)
    assert isinstance(copy, FileRecord)
    assert isinstance(empty, FileRecord)
    assert missing == MissingFile("nowhere.py")
    assert first.content == copy.content
    assert first.path_content != copy.path_content
    assert (first.chunks, copy.chunks, empty.chunks) == (1, 1, 0)
    again = worker.prepare(task(tree, "short.py", "copy.py"), Cancellation())
    assert [file.embedded for file in again if isinstance(file, FileRecord)] == [0, 0]
    assert bundled_encoder().identity


def test_a_place_that_cannot_be_written_is_told_without_its_name(
    worker: WorkerProcess, tree: Path
) -> None:
    (tree.parent / "folder").mkdir()
    with pytest.raises(WorkerFailedError) as caught:
        worker.verify(VerifyTask(cast("Any", None)), Cancellation())
    assert "TypeError" in str(caught.value)
    broken = evolve(task(tree, "short.py"), contents=str(tree.parent / "folder"))
    with pytest.raises(CacheUnavailableError) as caught:
        worker.prepare(broken, Cancellation())
    assert str(tree.parent) not in str(caught.value)
