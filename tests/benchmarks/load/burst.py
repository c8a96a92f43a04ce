"""A hundred searches of one client at once, and a hundred clients with ten requests each."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import psutil

from tests.benchmarks.language_client import LanguageClient
from tests.benchmarks.load.daemon_clients import Daemon, cloned
from tests.benchmarks.load.mixed_requests import SEARCH, Crowd, Outcomes, all_at_once
from tests.benchmarks.measuring import Goal, Row
from tests.benchmarks.workbench import Workbench

_AT_ONCE = 100
_EACH = 10
_MOST_THREADS = 24
_LOOK_SECONDS = 0.02


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of both bursts."""
    workbench = cloned(workbench)
    async with Daemon(workbench) as daemon:
        crowd = Crowd(workbench, seed=1)
        client = await daemon.client()
        await client.operation("updateIndex")
        await asyncio.gather(*(crowd.request(SEARCH)(client) for _ in range(8)))
        outcomes, threads = await _watched(daemon, _searches(client, crowd))
        note = told([client], outcomes, _AT_ONCE)
        yield Row(
            name=f"{_AT_ONCE} searches at once, one client",
            values=outcomes.times[SEARCH],
            goal=Goal("p95", 1000),
            note=note,
        )
        clients = [await daemon.client() for _ in range(_AT_ONCE)]
        outcomes, most = await _watched(daemon, all_at_once(clients, _EACH, crowd))
        yield Row(
            name=f"{_AT_ONCE} clients, {_EACH} mixed requests each, all at once",
            values=[time for times in outcomes.times.values() for time in times],
            note=told(clients, outcomes, _AT_ONCE * _EACH),
        )
        yield Row(
            name="threads of the daemon during both, at most",
            values=[max(threads, most)],
            unit="",
            goal=Goal("max", _MOST_THREADS),
        )


def told(clients: list[LanguageClient], outcomes: Outcomes, asked: int) -> str:
    """Errors and lost or doubled answers, in words; an exception where there are any."""
    twice = sum(client.unasked for client in clients)
    if outcomes.errors or twice or outcomes.answered != asked:
        first = outcomes.errors[0] if outcomes.errors else ""
        raise RuntimeError(
            f"{outcomes.answered} of {asked} were answered, {twice} twice, "
            f"{len(outcomes.errors)} with an error: {first}"
        )
    return f"{asked} asked, {asked} answered once, no error"


async def _searches(client: LanguageClient, crowd: Crowd) -> Outcomes:
    outcomes = Outcomes()
    requests = [crowd.request(SEARCH) for _ in range(_AT_ONCE)]
    await asyncio.gather(*(outcomes.run(SEARCH, request, client) for request in requests))
    return outcomes


async def _watched(daemon: Daemon, work: Coroutine[Any, Any, Outcomes]) -> tuple[Outcomes, int]:
    """What came of it, and the most threads that the daemon had meanwhile."""
    process = psutil.Process(daemon.pid)
    most = process.num_threads()
    task = asyncio.create_task(work)
    while not task.done():
        most = max(most, process.num_threads())
        await asyncio.wait([task], timeout=_LOOK_SECONDS)
    return task.result(), most
