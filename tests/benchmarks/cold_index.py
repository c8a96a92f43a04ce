"""From nothing to a searchable index, a second opening, and a look that finds nothing changed."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from codeintel_ls.index.source import digest_of
from codeintel_ls.search import SearchQuery
from codeintel_ls.workspace import WorkspaceFolder
from tests.benchmarks.measuring import SECONDS, Goal, Row, in_turn
from tests.benchmarks.semble_peer import NOT_INSTALLED, run_semble
from tests.benchmarks.workbench import Workbench

_FLOOR = "read and hash once"
_GOAL_SECONDS_PER_FILE = 20 / 2000


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of indexing."""
    cache = workbench.folder / "cold"
    chunks = 0
    processor: list[float] = []
    semble: list[dict[str, float]] = []

    def index(_: int) -> None:
        nonlocal chunks
        before = _processor_seconds()
        chunks = _index_from_nothing(workbench, cache)
        processor.append(_processor_seconds() - before)

    def floor(_: int) -> None:
        for path in workbench.files:
            digest_of((workbench.tree / path).read_bytes())

    def beside(_: int) -> None:
        shutil.rmtree(cache, ignore_errors=True)
        result = run_semble(workbench, queries=[])
        if result is not None:
            semble.append(result)

    built, floors, _ = await in_turn(range(workbench.rounds), index, floor, beside, unit=SECONDS)
    workbench.facts["tree"]["chunks"] = chunks
    goal = Goal("max", _GOAL_SECONDS_PER_FILE * len(workbench.files))
    name = f"cold index of {len(workbench.files):,} files"
    yield Row(name=name, values=built, unit=SECONDS, peer=_FLOOR, peer_values=floors, goal=goal)
    yield Row(
        name=name,
        values=built,
        unit=SECONDS,
        peer="semble, BM25 only",
        peer_values=[result["seconds"] for result in semble],
        note=_about_semble(semble[-1], chunks) if semble else f"semble: {NOT_INSTALLED}",
    )
    yield Row(name="cold index, processor time of all processes", values=processor, unit=SECONDS)
    yield Row(name="cold index", values=[chunks / each for each in built], unit="chunks/s")
    async for row in _second_opening(workbench):
        yield row


def _processor_seconds() -> float:
    """Of this process and of every child that has ended: what a busy machine does not change."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _about_semble(result: dict[str, float], chunks: int) -> str:
    return (
        f"semble made {result['chunks']:,.0f} chunks of {result['files']:,.0f} files, and no "
        f"vectors; here {chunks:,} chunks with vectors."
    )


def _index_from_nothing(workbench: Workbench, cache: Path) -> int:
    folder = WorkspaceFolder.open(workbench.tree, workbench.settings_with_cache(cache))
    try:
        folder.start()
        folder.wait_until_ready()
        status = folder.index_status()
        if status.last_error or status.files != len(workbench.files):
            raise RuntimeError(f"{status.files} files were indexed: {status}")
        return status.chunks
    finally:
        folder.close()


async def _second_opening(workbench: Workbench) -> AsyncIterator[Row]:
    """On the index that later benchmarks use."""
    _index_from_nothing(workbench, workbench.folder / "cache" / "codeintel-ls")
    opened: list[WorkspaceFolder] = []

    def first_answer(_: int) -> None:
        folder = WorkspaceFolder.open(workbench.tree, workbench.settings)
        opened.append(folder)
        if not folder.search(SearchQuery(text="where is a file read")).hits:
            raise RuntimeError("the reopened index answers nothing")

    def nothing_changed(_: int) -> None:
        opened[-1].update()

    def close(_: int) -> None:
        opened.pop().close()

    first, nothing, _ = await in_turn(range(10), first_answer, nothing_changed, close)
    yield Row(name="warm open, to the first answer", values=first)
    yield Row(name="reconcile, nothing changed", values=nothing)
