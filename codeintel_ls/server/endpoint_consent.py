"""Asks a person whether source text may be sent to an endpoint on another machine.

Invariant: one question for each endpoint, however many folders want to know; closing the question,
or having nobody to ask, is no consent, and the next session asks again.
"""

import asyncio
from typing import Final

from codeintel_ls.server.client import Client
from codeintel_ls.server.pools import Pool
from codeintel_ls.workspace import WorkspaceFolder

ALLOW: Final = "Allow"
REFUSE: Final = "Do Not Allow"


class EndpointQuestions:
    """The questions of one session."""

    def __init__(self, client: Client, pool: Pool) -> None:
        self._client = client
        self._pool = pool
        self._answers: dict[str, asyncio.Future[str | None]] = {}

    async def ask_for(self, opened: WorkspaceFolder) -> None:
        """Ask, where a folder's endpoint needs that, and let the folder go by the answer."""
        refinement = opened.refinement
        origin = await self._pool.run(lambda _: refinement.asks)
        if origin is None:
            return
        answer = await self._answer(origin)
        if answer in {ALLOW, REFUSE}:
            await self._pool.run(lambda _: refinement.allow(answer == ALLOW))

    async def _answer(self, origin: str) -> str | None:
        known = self._answers.get(origin)
        if known is not None:
            return await asyncio.shield(known)
        future = self._answers[origin] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._client.choose(_question(origin), (ALLOW, REFUSE))
            future.set_result(answer)
            return answer
        finally:
            # Where the session ends before the answer, nobody waits any longer.
            future.cancel()


def _question(origin: str) -> str:
    return (
        f"CodeIntel LS: may pieces of this workspace's files, and your questions, be sent to the "
        f"embedding endpoint {origin}? It is set in your settings (embedding.endpoint). Searches "
        "work without it, too."
    )
