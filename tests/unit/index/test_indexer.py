"""The writer with its real worker processes: what it commits, and what it need not do again."""

import os
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.merge_policy import Step
from codeintel_ls.index.reconcile import IndexPlan, plan_rebuild
from codeintel_ls.index.schema import FileRecord
from codeintel_ls.index.segment_files import SEGMENTS
from codeintel_ls.index.tasks import CollectTask, FileToIndex
from codeintel_ls.progress import no_progress
from tests.unit.index.bench import Bench, function
from tests.unit.index.caches import shown


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_files_become_chunks_with_symbols(bench: Bench) -> None:
    bench.write("pkg/client.py", "class Client:\n    def send(self):\n        return 1\n")
    bench.index_all()
    symbols = {place.symbol for place in bench.places("pkg/client.py")}
    assert "Client" in symbols or "Client.send" in symbols
    assert bench.index.published.chunks == len(bench.places("pkg/client.py"))


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


def test_an_unchanged_file_is_not_written_again(bench: Bench) -> None:
    bench.write("a.py", "x = 1\n")
    bench.index_all()
    before = bench.index.store.files()["a.py"].id
    bench.write("a.py", "x = 1\n")
    assert bench.index_all() == 1
    assert bench.index.store.files()["a.py"].id == before
    assert bench.index_all() == 0


def test_a_renamed_file_embeds_nothing_but_its_path(bench: Bench) -> None:
    bench.write("old_name.py", "def work():\n    return compute()\n")
    bench.index_all()
    before = bench.vectors(), bench.indexer.embedded
    (bench.root / "old_name.py").rename(bench.root / "new_name.py")
    bench.index_all()
    assert set(bench.index.store.files()) == {"new_name.py"}
    assert (bench.vectors(), bench.indexer.embedded) == (before[0] + 1, before[1])
    assert set(shown(bench.index)) == {"new_name.py"}


def test_a_revert_embeds_nothing(bench: Bench) -> None:
    bench.write("a.py", function(1))
    bench.index_all()
    bench.write("a.py", function(2))
    bench.index_all()
    before = bench.vectors(), bench.indexer.embedded
    assert before[1] > 0
    bench.write("a.py", function(1))
    bench.index_all()
    assert (bench.vectors(), bench.indexer.embedded) == before
    assert bench.index.published.chunks == len(bench.places("a.py"))


def test_an_edit_embeds_only_the_chunks_that_are_new(bench: Bench) -> None:
    functions = [function(number, times=8) for number in range(20)]
    bench.write("a.py", "\n\n".join(functions))
    bench.index_all()
    chunks, before = len(bench.places("a.py")), bench.indexer.embedded
    functions[10] = function(99, times=8)
    bench.write("a.py", "\n\n".join(functions))
    bench.save("a.py")
    assert chunks >= 10
    assert 0 < bench.indexer.embedded - before <= 3


def test_several_workers_index_what_one_does(bench: Bench) -> None:
    bench.write_functions(150)
    bench.index_all(workers=2)
    assert len(bench.index.store.files()) == 150
    assert bench.index.published.chunks == 150


def test_a_rebuild_reads_and_embeds_everything_and_takes_out_what_is_gone(bench: Bench) -> None:
    bench.write("a.py", "x = 1\n")
    bench.write("b.py", "y = 1\n")
    bench.index_all()
    assert bench.indexer.embedded == 2
    (bench.root / "b.py").unlink()
    bench.apply(plan_rebuild(bench.found(), bench.index.store.files(), {}), embed_all=True)
    assert set(bench.index.store.files()) == {"a.py"}
    assert bench.index.published.chunks == 1
    assert bench.indexer.embedded == 3


def test_a_link_that_came_after_the_listing_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("outside = 1\n")
    bench.write("a.py", "x = 1\n")
    plan = bench.plan()
    (bench.root / "a.py").unlink()
    (bench.root / "a.py").symlink_to(tmp_path / "outside.py")
    bench.apply(plan)
    assert bench.index.store.files() == {}
    assert bench.index.store.skip_counts() == {"not-a-file": 1}


def test_a_file_that_went_after_the_listing_is_taken_out(bench: Bench) -> None:
    bench.write("a.py", "x = 1\n")
    bench.index_all()
    bench.write("a.py", "x = 2\n")
    plan = bench.plan()
    (bench.root / "a.py").unlink()
    bench.apply(plan)
    assert bench.index.store.files() == bench.index.store.skips() == {}
    assert shown(bench.index) == []


# -- saves beside a large plan ---------------------------------------------------------------------


def test_a_save_is_searchable_in_the_middle_of_a_large_plan(bench: Bench) -> None:
    bench.write_functions(300, times=20)
    seen: list[list[str]] = []

    def save_one(done: int, _total: int | None, _message: str) -> None:
        if done and not seen:
            bench.write("saved.py", "def rocket_engine():\n    return 1\n")
            # Not on this thread, which holds the index for writing.
            seen.append([])
            saver.start()

    def save_and_look() -> None:
        bench.save("saved.py")
        seen.append(shown(bench.index))

    saver = threading.Thread(target=save_and_look)
    bench.apply(bench.plan(), progress=save_one)
    saver.join()
    assert "saved.py" in seen[1]
    assert len(bench.index.store.files()) == 301
    assert set(shown(bench.index)) == {*(f"f{n}.py" for n in range(300)), "saved.py"}


def test_what_a_save_committed_meanwhile_is_neither_replaced_nor_taken_out(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.write("gone.py", "x = 1\n")
    bench.write("old.py", "x = 1\n")
    plan = IndexPlan((FileToIndex("old.py", None), FileToIndex("missing.py", None)), ("gone.py",))
    store = bench.index.store
    looked = store.moment()
    later = looked.clock_ns + 3_600_000_000_000
    real = bench.indexer._commit

    def save_all(prepared: Any, looked: Any) -> None:
        commit_saves(bench, ("old.py", "missing.py"), later)
        real(prepared, looked)

    commit_saves(bench, ("gone.py",), later)
    monkeypatch.setattr(bench.indexer, "_commit", save_all)
    bench.indexer.apply(
        plan, looked=looked, workers=1, progress=no_progress, cancellation=Cancellation()
    )
    assert {file.seen_ns for file in store.files().values()} == {later}
    assert set(store.files()) == {"gone.py", "old.py", "missing.py"}


def commit_saves(bench: Bench, paths: Iterable[str], seen_ns: int) -> None:
    for path in paths:
        file = FileRecord(path, b"digest", 1, 1, seen_ns, "python", b"key", b"path key", 0)
        bench.index.store.commit(replaced=[file])


def test_a_removed_file_that_is_saved_urgently_goes_at_once(bench: Bench) -> None:
    bench.write("a.py", "x = 1\n")
    bench.write("b.py", "x = 2\n")
    bench.index_all()
    (bench.root / "a.py").unlink()
    bench.save("a.py")
    assert shown(bench.index) == ["b.py"]


def test_a_cold_index_is_written_as_it_grows(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codeintel_ls.index.merge_policy._FOLD_AT", 100)
    monkeypatch.setattr("codeintel_ls.index.indexer._PUBLISH_SECONDS", 0.0)
    bench.write_functions(500)
    seen: list[tuple[int, int]] = []

    def note() -> None:
        generation = bench.index.published
        seen.append((generation.chunks, len(generation.segments)))

    bench.apply(bench.plan(), published=note)
    chunks = [count for count, _ in seen]
    assert chunks == sorted(chunks)
    assert chunks[-1] == 500
    assert any(0 < count < 500 for count in chunks)
    assert max(segments for _, segments in seen) <= 9
    assert bench.index.published.primary is not None
    assert len(list((bench.index.folder / SEGMENTS).iterdir())) == len(
        bench.index.published.manifest.segments
    )


# -- what else a worker does -----------------------------------------------------------------------


def test_a_segment_is_built_by_the_worker(bench: Bench) -> None:
    bench.write_functions(30)
    bench.index_all()
    before = shown(bench.index)
    bench.indexer.carry_out(Step(0, PrimaryKind.SQ8), Cancellation())
    assert bench.index.counts.primary_kind == "sq8"
    assert shown(bench.index) == before
    folders = list((bench.index.folder / SEGMENTS).iterdir())
    assert bench.indexer.verify(folders, Cancellation())
    dense = folders[0] / "dense.faiss"
    dense.write_bytes(dense.read_bytes()[:-1] + b"\0")
    assert not bench.indexer.verify(folders, Cancellation())
    assert bench.indexer.verify([], Cancellation())


def test_contents_are_collected_by_the_worker(bench: Bench, tmp_path: Path) -> None:
    bench.write("a.py", function(1))
    bench.write("b.py", function(2))
    bench.index_all()
    (bench.root / "b.py").unlink()
    bench.index_all()
    bench.index.store.sweep(bench.index.store.generation())
    store = bench.index.store

    def collect(*databases: Path, unused_days: int) -> int:
        task = CollectTask(
            contents=str(store.contents.path),
            databases=tuple(map(str, databases)),
            unused_days=unused_days,
        )
        return bench.indexer.collect(task, Cancellation())

    (tmp_path / "broken.sqlite3").write_bytes(b"broken" * 1000)
    assert collect(store.path, unused_days=14) == 0
    assert collect(store.path, tmp_path / "broken.sqlite3", unused_days=0) == 0
    assert collect(store.path, tmp_path / "nowhere.sqlite3", unused_days=0) == 4
    assert bench.vectors() == 2
    with ContentStore(store.contents.path) as contents:
        assert contents.known(store.contents_named()) == store.contents_named()
