"""The writer with its real worker processes: what it commits, and what it survives."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.embedding import StaticEncoder
from codeintel_ls.index.errors import WorkerUnavailableError
from codeintel_ls.index.index import Index
from codeintel_ls.index.indexer import Indexer
from codeintel_ls.index.reconcile import FoundFile, IndexPlan, plan_all, plan_rebuild
from codeintel_ls.index.schema import FileRecord
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.tasks import FileToIndex
from codeintel_ls.index.worker_process import WorkerProcess
from codeintel_ls.progress import no_progress


class Bench:
    """A folder, its index and its indexer."""

    def __init__(self, folder: Path, encoder: StaticEncoder) -> None:
        self.writes = 10**18
        self.root = folder / "tree"
        self.root.mkdir()
        self.index = Index.open(folder / "cache", recipe="r", dimension=encoder.dimension)
        self.indexer = Indexer(self.root, self.index, "", ReadLimits(1_000_000, 10_000))

    def write(self, path: str, text: str | bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.writes += 1
        # Long ago, so that nothing is read again for having been written just now.
        os.utime(place, ns=(self.writes, self.writes))

    def found(self) -> list[FoundFile]:
        files = sorted(path for path in self.root.rglob("*") if path.is_file())
        stats = [(path, path.stat()) for path in files]
        return [
            FoundFile(path.relative_to(self.root).as_posix(), stat.st_size, stat.st_mtime_ns)
            for path, stat in stats
        ]

    def index_all(self, *, workers: int = 1, cancellation: Cancellation | None = None) -> int:
        plan = plan_all(self.found(), self.index.store.files(), self.index.store.skips())
        self.indexer.apply(
            plan,
            looked=self.index.store.moment(),
            workers=workers,
            progress=no_progress,
            cancellation=cancellation or Cancellation(),
        )
        return len(plan.stale)

    def vectors(self) -> int:
        return self.index.store.query("SELECT count(*) FROM vector")[0][0]

    def close(self) -> None:
        self.indexer.close()
        self.index.close()


@pytest.fixture
def bench(tmp_path: Path, encoder: StaticEncoder) -> Iterator[Bench]:
    made = Bench(tmp_path, encoder)
    yield made
    made.close()


def test_files_become_chunks_with_symbols(bench: Bench) -> None:
    bench.write("pkg/client.py", "class Client:\n    def send(self):\n        return 1\n")
    bench.index_all()
    symbols = {place.symbol for place in bench.index.store.chunks_of("pkg/client.py")}
    assert "Client" in symbols or "Client.send" in symbols
    assert bench.index.published.chunks == len(bench.index.store.chunks_of("pkg/client.py"))


def test_what_cannot_be_indexed_is_counted(bench: Bench) -> None:
    bench.write("data.bin", b"\0\1\2" * 100)
    bench.write("long.js", "x" * 20_000)
    bench.write("a.py", "x = 1\n")
    bench.index_all()
    assert bench.index.store.skip_counts() == {"binary": 1, "long-line": 1}
    assert set(bench.index.store.files()) == {"a.py"}


def test_only_what_changed_is_read_again(bench: Bench) -> None:
    bench.write("a.py", "x = 1\n")
    bench.write("b.py", "y = 1\n")
    assert bench.index_all() == 2
    assert bench.index_all() == 0
    bench.write("b.py", "y = 2\n")
    assert bench.index_all() == 1


def test_a_same_sized_edit_within_the_clocks_grain_is_seen(bench: Bench) -> None:
    now = time.time_ns()
    bench.write("a.py", "x = 1\n")
    os.utime(bench.root / "a.py", ns=(now, now))
    bench.index_all()
    before = bench.index.store.files()["a.py"].digest
    bench.write("a.py", "x = 2\n")
    os.utime(bench.root / "a.py", ns=(now, now))
    bench.index_all()
    assert bench.index.store.files()["a.py"].digest != before


def test_a_renamed_file_embeds_nothing_but_its_path(bench: Bench) -> None:
    bench.write("old_name.py", "def work():\n    return compute()\n")
    bench.index_all()
    before = bench.vectors()
    (bench.root / "old_name.py").rename(bench.root / "new_name.py")
    bench.index_all()
    assert set(bench.index.store.files()) == {"new_name.py"}
    assert bench.vectors() == before + 1


def test_a_revert_embeds_nothing(bench: Bench) -> None:
    bench.write("a.py", "def first():\n    return 1\n")
    bench.index_all()
    bench.write("a.py", "def second():\n    return 2\n")
    bench.index_all()
    before = bench.vectors()
    bench.write("a.py", "def first():\n    return 1\n")
    bench.index_all()
    assert bench.vectors() == before


def test_several_workers_index_what_one_does(bench: Bench) -> None:
    for number in range(150):
        bench.write(f"f{number}.py", f"def function_{number}():\n    return {number}\n")
    bench.index_all(workers=2)
    assert len(bench.index.store.files()) == 150
    assert bench.index.published.chunks == 150


def test_cancelling_kills_the_worker_and_keeps_what_was_committed(bench: Bench) -> None:
    for number in range(600):
        bench.write(f"f{number}.py", f"def function_{number}():\n    return {number}\n" * 40)
    cancellation = Cancellation()
    seen: list[int] = []

    def stop_after_the_first_batch(done: int, _total: int | None, _message: str) -> None:
        if done and not seen:
            seen.extend(bench.indexer.worker_pids)
            cancellation.cancel()

    plan = plan_all(bench.found(), {}, {})
    with pytest.raises(CancelledError):
        bench.indexer.apply(
            plan,
            looked=bench.index.store.moment(),
            workers=1,
            progress=stop_after_the_first_batch,
            cancellation=cancellation,
        )
    assert seen
    assert 0 < len(bench.index.store.files()) < 600
    assert bench.index.published.number == bench.index.store.generation()
    assert bench.index_all() < 600
    assert len(bench.index.store.files()) == 600


def test_a_killed_worker_is_replaced_and_nothing_is_lost(bench: Bench) -> None:
    for number in range(300):
        bench.write(f"f{number}.py", f"def function_{number}():\n    return {number}\n" * 30)
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


def test_a_closed_indexer_marks_no_file_as_crashed(bench: Bench) -> None:
    for number in range(400):
        bench.write(f"f{number}.py", f"def function_{number}():\n    return {number}\n" * 40)

    def close_at_once(done: int, _total: int | None, _message: str) -> None:
        if done:
            bench.indexer.close()

    with pytest.raises(WorkerUnavailableError):
        bench.indexer.apply(
            plan_all(bench.found(), {}, {}),
            looked=bench.index.store.moment(),
            workers=1,
            progress=close_at_once,
            cancellation=Cancellation(),
        )
    assert bench.index.store.skip_counts() == {}


def test_an_unusable_model_stops_the_work_instead_of_skipping_files(
    tmp_path: Path, encoder: StaticEncoder
) -> None:
    bench = Bench(tmp_path, encoder)
    bench.indexer = Indexer(
        bench.root, bench.index, str(tmp_path / "no-model"), ReadLimits(1_000_000, 10_000)
    )
    bench.write("a.py", "x = 1\n")
    with pytest.raises(WorkerUnavailableError, match=r"embedding\.model"):
        bench.index_all()
    assert bench.index.store.skip_counts() == {}
    bench.close()


def test_a_rebuild_reads_everything_and_takes_out_what_is_gone(bench: Bench) -> None:
    bench.write("a.py", "x = 1\n")
    bench.write("b.py", "y = 1\n")
    bench.index_all()
    (bench.root / "b.py").unlink()
    plan = plan_rebuild(bench.found(), bench.index.store.files(), {})
    bench.indexer.apply(
        plan,
        looked=bench.index.store.moment(),
        workers=1,
        progress=no_progress,
        cancellation=Cancellation(),
        embed_all=True,
    )
    assert set(bench.index.store.files()) == {"a.py"}
    assert bench.index.published.chunks == 1


def test_the_worker_dies_with_its_parent(bench: Bench) -> None:
    bench.indexer.warm(Cancellation())
    (pid,) = bench.indexer.worker_pids
    bench.indexer.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_that_is_being_started_does_not_outlive_closing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = WorkerProcess("")
    started: list[subprocess.Popen[bytes]] = []
    closers = [threading.Thread(target=worker.close)]

    class FakePopen(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)
            closers[0].start()
            while not worker._closed:  # pyright: ignore[reportPrivateUsage] - between two lines
                time.sleep(0.001)
            time.sleep(0.02)

    monkeypatch.setattr("codeintel_ls.index.worker_process.subprocess.Popen", FakePopen)
    with pytest.raises(WorkerUnavailableError):
        worker.start(Cancellation())
    closers[0].join()
    assert started[0].returncode is not None


def test_a_link_that_came_after_the_listing_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("outside = 1\n")
    bench.write("a.py", "x = 1\n")
    plan = plan_all(bench.found(), {}, {})
    (bench.root / "a.py").unlink()
    (bench.root / "a.py").symlink_to(tmp_path / "outside.py")
    bench.indexer.apply(
        plan,
        looked=bench.index.store.moment(),
        workers=1,
        progress=no_progress,
        cancellation=Cancellation(),
    )
    assert bench.index.store.files() == {}
    assert bench.index.store.skip_counts() == {"not-a-file": 1}


def test_what_a_save_committed_meanwhile_is_neither_replaced_nor_taken_out(bench: Bench) -> None:
    bench.write("gone.py", "x = 1\n")
    bench.write("old.py", "x = 1\n")
    plan = IndexPlan((FileToIndex("old.py", None), FileToIndex("missing.py", None)), ("gone.py",))
    store = bench.index.store
    looked = store.moment()
    later = looked.clock_ns + 3_600_000_000_000
    real = bench.index.store.missing_vectors

    def save_all(keys: Iterable[bytes]) -> list[bytes]:
        commit_saves(bench, ("old.py", "missing.py"), later)
        return real(keys)

    commit_saves(bench, ("gone.py",), later)
    store.missing_vectors = save_all
    bench.indexer.apply(
        plan, looked=looked, workers=1, progress=no_progress, cancellation=Cancellation()
    )
    assert {file.seen_ns for file in store.files().values()} == {later}
    assert set(store.files()) == {"gone.py", "old.py", "missing.py"}


def commit_saves(bench: Bench, paths: Iterable[str], seen_ns: int) -> None:
    for path in paths:
        file = FileRecord(path, b"digest", 1, 1, seen_ns, "python", b"key", ())
        bench.index.store.commit(replaced=[file], vectors={b"key": bytes(512)})


def test_an_unchanged_file_is_not_written_again(bench: Bench) -> None:
    bench.write("a.py", "x = 1\n")
    bench.index_all()
    before = bench.index.store.files()["a.py"].id
    bench.write("a.py", "x = 1\n")
    assert bench.index_all() == 1
    assert bench.index.store.files()["a.py"].id == before
    assert bench.index_all() == 0
