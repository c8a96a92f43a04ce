"""`listPaths` of a thousand files, beside git's own listing of the same tree."""

import subprocess
from collections.abc import AsyncIterator

from tests.benchmarks.language_client import session
from tests.benchmarks.measuring import Goal, Row, in_turn
from tests.benchmarks.workbench import Workbench

_TIMES = 100


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """One row."""
    expected = min(1000, len(workbench.files))
    async with session(workbench.environment, [workbench.tree]) as client:

        async def ask(_: int) -> None:
            listed = await client.operation("listPaths", limit=1000)
            if len(listed["paths"]) != expected:
                raise RuntimeError(f"{len(listed['paths'])} paths were listed")

        def git(_: int) -> None:
            subprocess.run(
                ["git", "ls-files", "-co", "--exclude-standard"],
                cwd=workbench.tree,
                env=workbench.environment,
                capture_output=True,
                check=True,
            )

        await in_turn(range(5), ask, git)
        own, listings = await in_turn(range(_TIMES), ask, git)
    yield Row(
        name=f"listPaths of {expected:,} files, through LSP",
        values=own,
        peer="git ls-files",
        peer_values=listings,
        goal=Goal("p95", 50),
    )
