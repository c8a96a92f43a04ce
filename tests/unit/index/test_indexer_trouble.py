"""The writer under trouble: cancelled, closed, with workers that die, hang, or have no room."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.index.building import BuildTask, BuiltSegment
from codeintel_ls.index.errors import OwnershipLostError, WorkerUnavailableError
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.manifest import read_manifest
from codeintel_ls.index.merge_policy import Step
from codeintel_ls.index.segment_files import SEGMENTS, STAGED
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.tasks import PrepareTask
from codeintel_ls.index.worker_process import WorkerProcess
from tests.unit.index.bench import Bench, function
from tests.unit.index.caches import shown
from tests.unit.index.generations import BUILD


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def dies_over(monkeypatch: pytest.MonkeyPatch, *names: str) -> list[tuple[str, ...]]:
    """Have the child killed whenever it is given one of these files; returns what it was given."""
    asked: list[tuple[str, ...]] = []
    real = WorkerProcess.prepare

    def prepare(worker: WorkerProcess, task: PrepareTask, cancellation: Cancellation) -> object:
        asked.append(tuple(file.path for file in task.files))
        if set(names) & set(asked[-1]):
            worker.start(cancellation)
            assert worker.pid is not None
            os.kill(worker.pid, signal.SIGSTOP)
            threading.Timer(0.05, os.kill, (worker.pid, signal.SIGKILL)).start()
        return real(worker, task, cancellation)

    monkeypatch.setattr(WorkerProcess, "prepare", prepare)
    return asked


def test_cancelling_kills_the_worker_and_keeps_what_was_committed(bench: Bench) -> None:
    bench.write_functions(600, times=40)
    cancellation = Cancellation()
    seen: list[int] = []

    def stop_after_the_first_batch(done: int, _total: int | None, _message: str) -> None:
        if done and not seen:
            seen.extend(bench.indexer.worker_pids)
            cancellation.cancel()

    with pytest.raises(CancelledError):
        bench.apply(bench.plan(), cancellation=cancellation, progress=stop_after_the_first_batch)
    assert seen
    assert 0 < len(bench.index.store.files()) < 600
    assert set(shown(bench.index)) == set(bench.index.store.files())
    assert bench.index_all() < 600
    assert len(bench.index.store.files()) == 600
    assert set(shown(bench.index)) == set(bench.index.store.files())


def take_over(bench: Bench) -> dict[str, object]:
    """Another process becomes the owner of the cache, as far as its note says; returns the note."""
    note = bench.index.folder / "owner.json"
    found = json.loads(note.read_bytes())
    since = psutil.boot_time() if psutil.LINUX else 0.0
    found["pid"] = os.getppid()
    found["started"] = psutil.Process(os.getppid()).create_time() - since
    note.write_text(json.dumps(found))
    return found


def test_nothing_more_is_written_once_another_process_owns_the_index(bench: Bench) -> None:
    bench.write_functions(400, times=2)
    seen: list[int] = []

    def lose_it_after_the_first_batch(done: int, _total: int | None, _message: str) -> None:
        if done and not seen:
            take_over(bench)
            seen.append(bench.index.store.generation())

    with pytest.raises(OwnershipLostError):
        bench.apply(bench.plan(), progress=lose_it_after_the_first_batch)
    assert seen == [bench.index.store.generation()]
    assert 0 < len(bench.index.store.files()) < 400
    with pytest.raises(OwnershipLostError):
        bench.save("f399.py")
    assert seen == [bench.index.store.generation()]


def test_a_segment_is_not_published_once_another_process_owns_the_index(bench: Bench) -> None:
    bench.write_functions(10)
    bench.index_all()
    before = read_manifest(bench.index.folder)
    staged = bench.index.folder / SEGMENTS / f"{STAGED}of-the-next-owner"

    def build(task: BuildTask) -> BuiltSegment:
        built = BUILD(task)
        staged.mkdir()
        take_over(bench)
        return built

    with pytest.raises(OwnershipLostError):
        bench.index.carry_out(Step(0, PrimaryKind.FLAT), build)
    assert read_manifest(bench.index.folder) == before
    assert staged.exists()


def test_cancelling_in_the_middle_of_a_task_ends_the_child(bench: Bench) -> None:
    bench.write_functions(40, times=3_000)
    cancellation = Cancellation()
    bench.indexer.warm(Cancellation())
    (pid,) = bench.indexer.worker_pids
    threading.Timer(0.2, cancellation.cancel).start()
    with pytest.raises(CancelledError):
        bench.apply(bench.plan(), cancellation=cancellation)
    assert not is_alive(pid)
    assert bench.index.store.files() == {}
    assert bench.index.store.skip_counts() == {}


def test_a_killed_worker_is_replaced_and_nothing_is_lost(bench: Bench) -> None:
    bench.write_functions(300, times=30)
    killed: list[int] = []

    def kill_once() -> None:
        while not killed:
            for pid in bench.indexer.worker_pids:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            time.sleep(0.001)

    bench.indexer.warm(Cancellation())
    killer = threading.Thread(target=kill_once)
    killer.start()
    bench.index_all()
    killer.join()
    assert len(bench.index.store.files()) == 300
    assert bench.index.store.skip_counts() == {}
    assert bench.indexer.worker_pids
    assert not set(bench.indexer.worker_pids) & set(killed)
    assert set(shown(bench.index)) == set(bench.index.store.files())


def test_a_file_over_which_workers_die_is_left_out_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write_functions(6)
    asked = dies_over(monkeypatch, "f3.py")
    bench.index_all()
    assert set(bench.index.store.files()) == {f"f{n}.py" for n in (0, 1, 2, 4, 5)}
    assert bench.index.store.skip_counts() == {"crashed": 1}
    assert set(shown(bench.index)) == set(bench.index.store.files())
    assert asked.count(("f3.py",)) == 2
    assert bench.index_all() == 0
    monkeypatch.undo()
    bench.write("f3.py", function(3))
    bench.index_all()
    assert bench.index.store.skip_counts() == {}


def test_a_save_whose_worker_others_kill_is_tried_more_often(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write("a.py", "x = 1\n")
    asked = dies_over(monkeypatch, "a.py")
    bench.save("a.py")
    assert len(asked) == 1 + 4
    assert bench.index.store.skip_counts() == {"crashed": 1}


def test_a_closed_indexer_marks_no_file_as_crashed(bench: Bench) -> None:
    bench.write_functions(400, times=40)

    def close_at_once(done: int, _total: int | None, _message: str) -> None:
        if done:
            bench.indexer.close()

    with pytest.raises(WorkerUnavailableError):
        bench.apply(bench.plan(), progress=close_at_once)
    assert bench.index.store.skip_counts() == {}


def test_an_unusable_model_stops_the_work_instead_of_skipping_files(tmp_path: Path) -> None:
    bench = Bench(tmp_path, model=str(tmp_path / "no-model"))
    bench.write("a.py", "x = 1\n")
    for _ in range(2):
        with pytest.raises(WorkerUnavailableError, match=r"embedding\.model"):
            bench.index_all()
        with pytest.raises(WorkerUnavailableError, match=r"embedding\.model"):
            bench.save("a.py")
    assert bench.index.store.skip_counts() == {}
    bench.close()


def test_the_worker_ends_with_its_indexer(bench: Bench) -> None:
    bench.indexer.warm(Cancellation())
    (pid,) = bench.indexer.worker_pids
    bench.indexer.close()
    assert not is_alive(pid)
    bench.write("a.py", "x = 1\n")
    bench.index_all()
    assert shown(bench.index) == ["a.py"]


def test_resting_keeps_one_worker_that_is_small(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write_functions(100)
    bench.index_all(workers=2)
    assert len(bench.indexer.worker_pids) == 2
    bench.indexer.rest()
    assert len(bench.indexer.worker_pids) == 1
    monkeypatch.setattr("codeintel_ls.index.indexer._KEPT_MEMORY", 1)
    bench.indexer.rest()
    assert bench.indexer.worker_pids == []
    bench.write("a.py", "x = 1\n")
    bench.save("a.py")
    assert "a.py" in shown(bench.index)


# -- a cap on chunks -------------------------------------------------------------------------------


def test_what_goes_beyond_the_cap_is_left_out_and_counted(bench: Bench) -> None:
    bench.write_functions(60)
    bench.indexer.most_chunks = 50
    bench.index_all()
    assert bench.index.store.count_chunks() == 50
    assert bench.index.store.skip_counts() == {"over-cap": 10}
    assert bench.indexer.room == 0
    assert bench.index_all() == 0
    bench.indexer.most_chunks = 55
    assert bench.index_all() == 10
    assert bench.index.store.skip_counts() == {"over-cap": 5}
    bench.indexer.most_chunks = 1_000
    bench.index_all()
    assert bench.index.store.skip_counts() == {}
    assert bench.index.store.count_chunks() == 60


def test_a_file_that_is_in_stays_in_when_it_is_saved_at_the_cap(bench: Bench) -> None:
    bench.write_functions(20)
    bench.indexer.most_chunks = 20
    bench.index_all()
    for number in (3, 4):
        bench.write(f"f{number}.py", function(1_000 + number))
    bench.save("f3.py")
    bench.index_all()
    assert bench.index.store.skip_counts() == {}
    assert bench.index.store.count_chunks() == 20


def test_a_large_file_that_has_no_room_keeps_no_small_one_out(bench: Bench) -> None:
    bench.write("a.py", "\n\n".join(function(number, times=8) for number in range(40)))
    bench.write("b.py", "x = 1\n")
    bench.indexer.most_chunks = 5
    bench.index_all()
    assert set(bench.index.store.files()) == {"b.py"}
    assert bench.index.store.skip_counts() == {"over-cap": 1}


def test_once_there_is_no_room_new_files_are_not_even_read(bench: Bench) -> None:
    bench.write_functions(300)
    bench.indexer.most_chunks = 40
    bench.index_all(workers=2)
    assert bench.index.store.count_chunks() == 40
    assert bench.index.store.skip_counts() == {"over-cap": 260}
    # Each of two workers had one batch of 48 in hand at the most when the cap was reached.
    assert bench.indexer.embedded <= 3 * 48
    before = bench.indexer.embedded
    bench.write("new.py", function(7_000))
    bench.save("new.py")
    assert bench.index.store.skip_counts() == {"over-cap": 261}
    bench.write("f3.py", function(8_000))
    known = "f3.py" in bench.index.store.files()
    bench.save("f3.py")
    assert bench.indexer.embedded == before + known
    (bench.root / "new.py").unlink()
    bench.index_all()
    assert bench.index.store.skip_counts() == {"over-cap": 260}


def test_a_cap_that_is_lowered_meanwhile_holds_from_the_next_batch_on(bench: Bench) -> None:
    bench.write_functions(300)

    def limit() -> None:
        bench.indexer.most_chunks = bench.index.store.count_chunks()

    bench.apply(bench.plan(), limit=limit)
    assert bench.index.store.count_chunks() == 48
    assert bench.index.store.skip_counts() == {"over-cap": 252}
    assert bench.indexer.embedded == 48


def test_files_that_somebody_waits_for_are_shown_however_many_chunks_they_have(
    bench: Bench,
) -> None:
    bench.write("a.py", "x = 1\n")
    bench.index_all()
    paths = [f"m{number}.py" for number in range(60)]
    for number, path in enumerate(paths):
        text = "\n\n".join(function(number * 1_000 + part, times=8) for part in range(70))
        bench.write(path, text)
    bench.save(*paths)
    assert bench.index.store.count_chunks() > 4_000
    assert set(shown(bench.index)) == {"a.py", *paths}
    assert bench.index.published.chunks == bench.index.store.count_chunks()


# -- a bound on memory -----------------------------------------------------------------------------


def test_a_file_for_which_a_worker_has_no_memory_is_left_out_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path, memory_bytes=256 * 1024 * 1024)
    bench.write_functions(10)
    bench.index_all()
    bench.indexer.limits = ReadLimits(100_000_000, 10_000)
    bench.write("hungry.py", "".join(function(number) for number in range(500_000)))
    bench.write("small.py", "x = 1\n")
    bench.index_all()
    assert bench.index.store.skip_counts() == {"crashed": 1}
    assert "small.py" in shown(bench.index)
    bench.write("small.py", "y = 1\n")
    bench.save("small.py")
    assert set(shown(bench.index)) == {"small.py", *(f"f{n}.py" for n in range(10))}
    bench.close()
