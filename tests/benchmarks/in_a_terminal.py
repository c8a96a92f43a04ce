"""`search` on the command line from start to end, where a daemon has the index open."""

import subprocess
import sys
from collections.abc import AsyncIterator

from tests.benchmarks.language_client import BARE
from tests.benchmarks.load.daemon_clients import Daemon
from tests.benchmarks.measuring import Goal, Row, in_turn
from tests.benchmarks.questions import two_hundred
from tests.benchmarks.workbench import Workbench

_SEARCH = (sys.executable, "-m", "codeintel_ls", "search")
_TIMES = 40


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """One row."""
    queries = two_hundred(workbench.tree, workbench.files)

    def run(command: tuple[str, ...]) -> None:
        subprocess.run(
            command,
            cwd=workbench.tree,
            env=dict(workbench.environment),
            capture_output=True,
            check=True,
        )

    def search(query: str) -> None:
        run((*_SEARCH, "--", query))

    def bare(_: str) -> None:
        run(BARE)

    async with Daemon(workbench) as daemon:
        client = await daemon.client()
        await client.operation("updateIndex")
        await in_turn(queries[:3], search, bare)
        own, others = await in_turn(queries[3 : _TIMES + 3], search, bare)
    yield Row(
        name="search on the command line, a daemon runs",
        values=own,
        peer="python -c pass",
        peer_values=others,
        goal=Goal("p95", 150),
    )
