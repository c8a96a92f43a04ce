"""A large index at work: opening it warm, adding to it, switching branches, merging under it.

Meant for `--files 0` (about 100 K chunks with the installed packages); any size will do.
"""

import asyncio
import itertools
import random
import shutil
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from threading import Event, Thread

from codeintel_ls.search import SearchQuery
from codeintel_ls.server.uris import uri_from_path
from codeintel_ls.workspace import WorkspaceFolder
from tests.benchmarks.language_client import LanguageClient, session
from tests.benchmarks.measuring import SECONDS, Goal, Row
from tests.benchmarks.questions import two_hundred
from tests.benchmarks.workbench import Workbench

_ADDED_CHUNKS = 1_000
_SWITCHED_FILES = 500
_ROUNDS = 5
_BESIDE = Goal("ratio", 1.5)


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of a large index."""
    async with session(workbench.environment, [workbench.tree]) as client:
        (status,) = (await client.operation("indexStatus"))["folders"]
        await client.operation("mergeIndexes")
        workbench.facts["tree"]["chunks"] = status["chunks"]
    yield await _warm_open(workbench)
    async with session(workbench.environment, [workbench.tree]) as client:
        yield await _added(workbench, client)
        yield await _switched(workbench, client)
    for row in await asyncio.to_thread(_while_merging, workbench):
        yield row


async def _warm_open(workbench: Workbench) -> Row:
    """From the answer to `initialize` to that of the first search."""
    values: list[float] = []
    for _ in range(_ROUNDS * 2):
        async with session(workbench.environment, [workbench.tree], wait=False) as client:
            started = time.perf_counter()
            found = await client.operation("semanticSearch", query="where is a file read")
            values.append((time.perf_counter() - started) * 1000)
            if not found["hits"]:
                raise RuntimeError("the reopened index answers nothing")
    return Row(
        name="warm open, initialize to the first answer", values=values, goal=Goal("max", 300)
    )


async def _added(workbench: Workbench, client: LanguageClient) -> Row:
    """New files with about a thousand chunks, until they are searchable."""
    values: list[float] = []
    chance = random.Random(7)
    sources = [path for path in workbench.files if path.endswith(".py")]
    counted: list[int] = []
    for number in range(_ROUNDS):
        before = await _chunks(client)
        folder = workbench.tree / f"added_{number}"
        uris = _write_new(workbench.tree, folder, sources, chance)
        started = time.perf_counter()
        await client.operation("updateIndex", uris=uris)
        values.append(time.perf_counter() - started)
        counted.append(await _chunks(client) - before)
        shutil.rmtree(folder)
        await client.operation("updateIndex")
    return Row(
        name="about 1,000 chunks added, until searchable",
        values=values,
        unit=SECONDS,
        goal=Goal("max", 0.5),
        note=f"chunks added: {', '.join(f'{count:,}' for count in counted)}",
    )


def _write_new(tree: Path, folder: Path, sources: list[str], chance: random.Random) -> list[str]:
    """Copies of real files in which every line differs, so that all of it must be embedded."""
    folder.mkdir()
    uris: list[str] = []
    lines = 0
    while lines < _ADDED_CHUNKS * 22 and len(uris) < 190:
        text = (tree / chance.choice(sources)).read_text("utf-8", "replace")
        word = f"w{chance.getrandbits(40):x}"
        text = "\n".join(f"{line}  # {word}" if line else line for line in text.split("\n"))
        file = folder / f"{word}.py"
        file.write_text(text)
        lines += text.count("\n")
        uris.append(uri_from_path(file))
    return uris


async def _switched(workbench: Workbench, client: LanguageClient) -> Row:
    """Between two branches that differ in 500 files, there and back, after the first time."""
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    tree = workbench.tree
    workbench.git(tree, "checkout", "-q", "-b", "other")
    sources = (path for path in workbench.files if path.endswith(".py"))
    for path in itertools.islice(sources, _SWITCHED_FILES):
        file = tree / path
        file.write_text(file.read_text("utf-8", "replace") + "\n\ndef other_branch():\n    pass\n")
    workbench.git(tree, *who, "commit", "-q", "-a", "-m", "Other")
    await client.operation("updateIndex")
    workbench.git(tree, "checkout", "-q", "-")
    await client.operation("updateIndex")
    values: list[float] = []
    embedded = 0
    for _ in range(_ROUNDS * 2):
        before = await _embedded(client)
        workbench.git(tree, "checkout", "-q", "-")
        started = time.perf_counter()
        await client.operation("updateIndex")
        values.append(time.perf_counter() - started)
        embedded += await _embedded(client) - before
    return Row(
        name=f"switch between branches, {_SWITCHED_FILES} files differ",
        values=values,
        unit=SECONDS,
        goal=Goal("max", 2),
        note=f"{embedded} texts were embedded in all of these switches",
    )


def _while_merging(workbench: Workbench) -> list[Row]:
    """Searches while everything is merged again and again, beside those at rest."""
    folder = WorkspaceFolder.open(workbench.tree, workbench.settings)
    try:
        folder.update()
        queries = two_hundred(workbench.tree, workbench.files)
        _times(folder, queries[:50])
        at_rest = _times(folder, queries)
        with _Merging(folder) as merges:
            during = _times(folder, queries)
            count = merges()
        name = "query in process, while the index is merged"
        return [
            Row(
                name=name,
                values=during,
                peer="at rest",
                peer_values=at_rest,
                ratio_of="p95",
                goal=_BESIDE,
                note=f"{count} merges",
            )
        ]
    finally:
        folder.close()


def _times(folder: WorkspaceFolder, queries: list[str]) -> list[float]:
    values: list[float] = []
    for query in queries:
        started = time.perf_counter()
        folder.search(SearchQuery(text=query))
        values.append((time.perf_counter() - started) * 1000)
        time.sleep(0.02)
    return values


class _Merging:
    """Merges one after the other, each with something to merge, for as long as the block lasts."""

    def __init__(self, folder: WorkspaceFolder) -> None:
        self._folder = folder
        self._end = Event()
        self._done = 0
        self._thread = Thread(target=self._merge)

    def __enter__(self) -> Callable[[], int]:
        self._thread.start()
        return lambda: self._done

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _merge(self) -> None:
        file = self._folder.root / "changing.py"
        while not self._end.is_set():
            file.write_text(f"def changing():\n    return {self._done}\n")
            self._folder.update([file.name])
            self._folder.merge()
            self._done += 1
        file.unlink()
        self._folder.update([file.name])


async def _chunks(client: LanguageClient) -> int:
    (status,) = (await client.operation("indexStatus"))["folders"]
    return status["chunks"]


async def _embedded(client: LanguageClient) -> int:
    (status,) = (await client.operation("indexStatus"))["folders"]
    return status["embedded"]
