"""Hovers and queries during a full index against the same at rest (invariant 6 of the house)."""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, TypeVar

from tests.benchmarks.language_client import session
from tests.benchmarks.measuring import Goal, Row
from tests.benchmarks.questions import two_hundred
from tests.benchmarks.rebuilding import rebuilding
from tests.benchmarks.workbench import Workbench

T = TypeVar("T")

_PAUSE_SECONDS = 0.02
_WARM_FILES = 20
_WARM = 200
_COLD = 60
_GOAL = Goal("ratio", 1.5)


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of what a person does while the folder is indexed anew."""
    async with session(workbench.environment, [workbench.tree]) as client:
        chance = random.Random(6)
        files = chance.sample(workbench.files, min(_WARM_FILES + 2 * _COLD, len(workbench.files)))
        warm = list(itertools.islice(itertools.cycle(files[:_WARM_FILES]), _WARM))
        first, second = files[_WARM_FILES:][::2], files[_WARM_FILES:][1::2]
        queries = two_hundred(workbench.tree, workbench.files)

        async def hover(path: str) -> None:
            await client.hover(workbench.tree / path, 0)

        async def search(query: str) -> None:
            await client.operation("semanticSearch", query=query)

        works: tuple[tuple[str, Callable[[Any], Awaitable[None]], Any, Any], ...] = (
            ("hover, blame known", hover, warm, warm),
            ("hover, blame new", hover, first, second),
            ("query", search, queries, queries),
        )
        await _spread(warm[:_WARM_FILES], hover)
        await _spread(queries[:20], search)
        at_rest = [await _spread(items, work) for _, work, items, _ in works]
        async with rebuilding(client, workbench.tree):
            during = [await _spread(items, work) for _, work, _, items in works]
    for (name, *_), own, rest in zip(works, during, at_rest, strict=True):
        yield Row(
            name=f"{name}, during a full index",
            values=own,
            peer="at rest",
            peer_values=rest,
            ratio_of="p95",
            goal=_GOAL,
        )


async def _spread(items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> list[float]:
    """Milliseconds of each, with pauses between them as a person makes."""
    values: list[float] = []
    for item in items:
        started = time.perf_counter()
        await work(item)
        values.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(_PAUSE_SECONDS)
    return values
