"""An index of a million chunks: searching, saving, opening it, and what it takes of the memory.

Only when named, for it takes half an hour. The tree is made of copies of the workbench's files in
which a third of the words are others, so that chunks and vectors differ as those of real code do.
"""

import random
import re
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.language_client import LanguageClient, session
from tests.benchmarks.measuring import SECONDS, Goal, Row
from tests.benchmarks.questions import two_hundred
from tests.benchmarks.save_to_searchable import Saves
from tests.benchmarks.workbench import Workbench

CHUNKS = 1_000_000
_CHUNKS_PER_BYTE = 1 / 830
_CHANGED = 0.3
_WORD = re.compile(r"[A-Za-z_]{4,}")
_ROUNDS = 10
_MEGABYTE = 1_000_000


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of the million."""
    tree = workbench.folder / "million"
    files = list(_write_tree(workbench, tree))
    large = workbench.of(tree, files)
    started = time.perf_counter()
    async with session(large.environment, [tree]) as client:
        built = time.perf_counter() - started
        await client.operation("mergeIndexes")
        status = await _status(client)
        merged = time.perf_counter() - started - built
    chunks = f"{status['chunks']:,} chunks"
    kind = status["primary"]["kind"]
    yield Row(name="cold index", values=[built], unit=SECONDS, on=chunks)
    yield Row(
        name=f"merge into one {kind}",
        values=[merged],
        unit=SECONDS,
        on=chunks,
        note=f"recall {status['primary']['recall']}, {status['diskBytes'] / _MEGABYTE:,.0f} MB",
    )
    yield await _warm_open(large, chunks)
    async with session(large.environment, [tree]) as client:
        queries = two_hundred(tree, files)
        await _searches(client, queries)
        values = await _searches(client, list(reversed(queries)))
        yield Row(name="query through LSP", values=values, on=chunks, goal=Goal("p95", 20))
        memory = psutil.Process(client.process.pid).memory_info().rss / _MEGABYTE
        yield Row(
            name="resident memory of the server, mapped pages included",
            values=[memory],
            unit="MB",
            on=chunks,
            goal=Goal("max", 600),
        )
        saves = Saves(client, large)
        await saves.times(3)
        values = await saves.times(30)
        yield Row(name="save to searchable", values=values, on=chunks, goal=Goal("p95", 200))


async def _warm_open(workbench: Workbench, chunks: str) -> Row:
    values: list[float] = []
    for _ in range(_ROUNDS):
        async with session(workbench.environment, [workbench.tree], wait=False) as client:
            started = time.perf_counter()
            found = await client.operation("semanticSearch", query="where is a file read")
            values.append((time.perf_counter() - started) * 1000)
            if not found["hits"]:
                raise RuntimeError("the reopened index answers nothing")
    return Row(
        name="warm open, initialize to the first answer",
        values=values,
        on=chunks,
        goal=Goal("max", 1000),
    )


async def _searches(client: LanguageClient, queries: list[str]) -> list[float]:
    values: list[float] = []
    for query in queries:
        started = time.perf_counter()
        await client.operation("semanticSearch", query=query)
        values.append((time.perf_counter() - started) * 1000)
    return values


def _write_tree(workbench: Workbench, tree: Path) -> Iterator[str]:
    """Write copies until there are as many chunks as wanted; yield their paths."""
    texts = {
        path: (workbench.tree / path).read_text("utf-8", "replace") for path in workbench.files
    }
    words = sorted({word for text in texts.values() for word in _WORD.findall(text)})
    wanted = CHUNKS / _CHUNKS_PER_BYTE
    chance = random.Random(11)
    copy = 0
    while wanted > 0:
        for path, text in texts.items():
            changed = {
                word: chance.choice(words)
                for word in set(_WORD.findall(text))
                if copy and chance.random() < _CHANGED
            }
            other = _WORD.sub(lambda match, new=changed: new.get(match[0], match[0]), text)
            place = f"copy_{copy:02d}/{path}"
            (tree / place).parent.mkdir(parents=True, exist_ok=True)
            (tree / place).write_text(other)
            yield place
            wanted -= len(other)
            if wanted <= 0:
                break
        copy += 1
    subprocess.run(["git", "init", "-q"], cwd=tree, check=True, capture_output=True)


async def _status(client: LanguageClient) -> dict[str, Any]:
    (status,) = (await client.operation("indexStatus"))["folders"]
    return status
