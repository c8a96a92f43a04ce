"""Two hundred hybrid queries, in process and through LSP, beside a grep for their main word."""

import subprocess
from collections.abc import AsyncIterator

from codeintel_ls.search import SearchQuery
from codeintel_ls.workspace import WorkspaceFolder
from tests.benchmarks.language_client import session
from tests.benchmarks.measuring import Goal, Row, in_turn
from tests.benchmarks.questions import keyword, two_hundred
from tests.benchmarks.semble_peer import NOT_INSTALLED, run_semble
from tests.benchmarks.workbench import Workbench

_GREP = "git grep -i"


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of queries."""
    queries = two_hundred(workbench.tree, workbench.files)

    def grep(query: str) -> None:
        # Exit status 1 says that nothing was found.
        command = ["git", "grep", "-inI", "-e", keyword(query)]
        subprocess.run(
            command, cwd=workbench.tree, env=workbench.environment, capture_output=True, check=False
        )

    folder = WorkspaceFolder.open(workbench.tree, workbench.settings)
    try:
        folder.update()

        def search(query: str) -> None:
            folder.search(SearchQuery(text=query))

        await in_turn(queries[:20], search, grep)
        own, greps = await in_turn(queries, search, grep)
    finally:
        folder.close()
    yield Row(name="query, in process", values=own, peer=_GREP, peer_values=greps)
    semble = run_semble(workbench, queries)
    yield Row(
        name="query, in process",
        values=own,
        peer="semble without its encoder",
        peer_values=semble["milliseconds"] if semble else (),
        note="" if semble else f"semble: {NOT_INSTALLED}",
    )
    async with session(workbench.environment, [workbench.tree]) as client:

        async def ask(query: str) -> None:
            await client.operation("semanticSearch", query=query)

        await in_turn(queries[:20], ask, grep)
        through, greps = await in_turn(queries, ask, grep)
    goal = Goal("p95", 50)
    yield Row(name="query, through LSP", values=through, peer=_GREP, peer_values=greps, goal=goal)
