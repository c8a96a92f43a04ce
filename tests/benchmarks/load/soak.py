"""Ten minutes of edits, searches, clients that come, go and are killed: nothing piles up."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil

from tests.benchmarks.load.daemon_clients import Daemon, cloned
from tests.benchmarks.load.mixed_requests import Crowd, Outcomes
from tests.benchmarks.measuring import Goal, Row
from tests.benchmarks.workbench import Workbench

_SECONDS = 600.0
_SETTLING_SECONDS = 60.0
_SAMPLE_SECONDS = 5.0
_EDITED_FILES = 20
_MEGABYTE = 1_000_000


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of memory, of descriptors and of what is left when all have gone."""
    workbench = cloned(workbench)
    soak = _Soak(workbench)
    async with Daemon(workbench) as daemon:
        await soak.run(daemon)
        process = psutil.Process(daemon.pid)
        children = process.children(recursive=True)
    outcomes = soak.outcomes
    if outcomes.errors:
        raise RuntimeError(f"{len(outcomes.errors)} errors, the first: {outcomes.errors[0]}")
    if soak.twice:
        raise RuntimeError(f"{soak.twice} requests were answered twice")
    if never := outcomes.never_answered():
        raise RuntimeError(f"never asked: {', '.join(never)}")
    settled, last = soak.resident[0], soak.resident[-1]
    what = f"{outcomes.answered:,} answers, {soak.saves} saves, {soak.killed} killed clients"
    yield Row(
        name="soak: resident memory, after the first minute and later",
        values=soak.resident,
        unit="MB",
        peer="after the first minute",
        peer_values=[settled] * len(soak.resident),
        note=f"{what}; last {last / settled:.3f} of it",
    )
    yield Row(
        name="soak: resident memory at the end, of that after the first minute",
        values=[last / settled],
        unit="",
        goal=Goal("max", 1.05),
    )
    yield Row(name="soak: open files of the daemon", values=soak.descriptors, unit="")
    left = [child for child in (process, *children) if child.is_running()]
    yield Row(
        name="soak: processes and sockets left at the end",
        values=[len(left) + len(daemon.sockets_left())],
        unit="",
        goal=Goal("max", 0),
    )


class _Soak:
    """What happens for ten minutes, and what is seen meanwhile."""

    def __init__(self, workbench: Workbench) -> None:
        self._workbench = workbench
        self._crowd = Crowd(workbench, seed=3)
        self._chance = random.Random(5)
        self._edited = [workbench.tree / path for path in workbench.files[:_EDITED_FILES]]
        self.outcomes = Outcomes()
        self.twice = 0
        self.saves = 0
        self.killed = 0
        self.resident: list[float] = []
        self.descriptors: list[int] = []

    async def run(self, daemon: Daemon) -> None:
        """Let it happen."""
        client = await daemon.client()
        await client.operation("updateIndex")
        until = time.monotonic() + _SECONDS
        await asyncio.gather(
            self._searching(daemon, until),
            self._saving(daemon, until),
            self._dying(daemon, until),
            self._looking(psutil.Process(daemon.pid), until),
        )

    async def _searching(self, daemon: Daemon, until: float) -> None:
        """Sessions of a few requests each."""
        while time.monotonic() < until:
            client = await daemon.passing_client()
            for _ in range(self._chance.randrange(1, 30)):
                kind, request = self._crowd.next()
                await self.outcomes.run(kind, request, client)
                await asyncio.sleep(0.02)
            await client.close()
            self.twice += client.unasked
            client.end()

    async def _saving(self, daemon: Daemon, until: float) -> None:
        client = await daemon.client()
        while time.monotonic() < until:
            file = self._chance.choice(self._edited)
            _edit(file, self._chance)
            client.saved(file)
            self.saves += 1
            await asyncio.sleep(0.5)

    async def _dying(self, daemon: Daemon, until: float) -> None:
        """Editors with their forwarders that are killed in the middle of a question."""
        while time.monotonic() < until:
            forwarder = await daemon.forwarder()
            kind, request = self._crowd.next()
            asked = asyncio.create_task(Outcomes().run(kind, request, forwarder))
            await asyncio.sleep(self._chance.random() * 0.2)
            os.kill(forwarder.process.pid, signal.SIGKILL)
            await forwarder.process.wait()
            await asked
            self.killed += 1
            await asyncio.sleep(1)

    async def _looking(self, process: psutil.Process, until: float) -> None:
        await asyncio.sleep(_SETTLING_SECONDS)
        while time.monotonic() < until:
            self.resident.append(process.memory_info().rss / _MEGABYTE)
            self.descriptors.append(process.num_fds())
            await asyncio.sleep(_SAMPLE_SECONDS)


def _edit(file: Path, chance: random.Random) -> None:
    """Replace the last edit of a file by another one."""
    text = file.read_text(errors="replace").split("\n# soak\n")[0]
    file.write_text(f"{text}\n# soak\ndef soaked_{chance.randrange(10**6)}():\n    return 1\n")
