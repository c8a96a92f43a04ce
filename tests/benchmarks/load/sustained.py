"""A thousand mixed requests within a minute, while their folder is indexed anew."""

import asyncio
import time
from collections.abc import AsyncIterator

from tests.benchmarks.load.burst import told
from tests.benchmarks.load.daemon_clients import Daemon, cloned
from tests.benchmarks.load.mixed_requests import BLAME, HISTORY, PATHS, SEARCH, Crowd, Outcomes
from tests.benchmarks.measuring import Goal, Row
from tests.benchmarks.rebuilding import rebuilding
from tests.benchmarks.workbench import Workbench

_REQUESTS = 1_000
_SECONDS = 60.0
_CLIENTS = 10
_WARMING = 60
_GOALS = {SEARCH: 150, BLAME: 50, HISTORY: 40, PATHS: 50}


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """A row for each kind of request."""
    workbench = cloned(workbench)
    async with Daemon(workbench) as daemon:
        crowd = Crowd(workbench, seed=2)
        clients = [await daemon.client() for _ in range(_CLIENTS)]
        await clients[0].operation("updateIndex")
        # What a session's first questions wait for is measured elsewhere.
        warmed = Outcomes()
        for number in range(_WARMING):
            kind, request = crowd.next()
            await warmed.run(kind, request, clients[number % _CLIENTS])
        told(clients, warmed, _WARMING)
        outcomes = Outcomes()
        async with rebuilding(clients[0], workbench.tree):
            under_way: list[asyncio.Task[None]] = []
            started = time.monotonic()
            for number in range(_REQUESTS):
                kind, request = crowd.next()
                client = clients[number % _CLIENTS]
                under_way.append(asyncio.create_task(outcomes.run(kind, request, client)))
                due = started + (number + 1) * _SECONDS / _REQUESTS
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            await asyncio.gather(*under_way)
        note = told(clients, outcomes, _REQUESTS)
    for kind, goal in _GOALS.items():
        yield Row(
            name=f"{kind}, {_REQUESTS:,} mixed requests in {_SECONDS:.0f} s during a full index",
            values=outcomes.times[kind],
            goal=Goal("p95", goal),
            note=note if kind == SEARCH else "",
        )
