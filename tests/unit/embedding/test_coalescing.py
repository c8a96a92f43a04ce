"""Questions of the same time travel together, and each is answered for itself."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from codeintel_ls.embedding import Vectors
from codeintel_ls.embedding.coalescing import Coalescer


class FakeEndpoint:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.cancelled: list[list[str]] = []
        self.released = asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.requests.append(list(texts))
        try:
            await self.released.wait()
        except asyncio.CancelledError:
            self.cancelled.append(list(texts))
            raise
        return np.ones((len(texts), 2), dtype=np.float32)

    async def asked(self, times: int) -> None:
        async with asyncio.timeout(30):
            while len(self.requests) < times:  # noqa: ASYNC110 (several turns of the loop)
                await asyncio.sleep(0)


async def test_who_asks_again_does_not_keep_the_first_request_alive() -> None:
    endpoint = FakeEndpoint()
    coalescer = Coalescer(endpoint.embed)
    first = asyncio.create_task(coalescer.ask("where"))
    await endpoint.asked(1)
    second = asyncio.create_task(coalescer.ask("where"))
    await endpoint.asked(2)
    first.cancel()
    await asyncio.wait([first])
    async with asyncio.timeout(30):
        while not endpoint.cancelled:  # noqa: ASYNC110 (several turns of the loop)
            await asyncio.sleep(0)
    endpoint.released.set()
    assert (await second).tolist() == [1, 1]
    assert endpoint.cancelled == [["where"]]


async def test_a_sender_that_is_cancelled_ends_and_keeps_nobody_waiting() -> None:
    endpoint = FakeEndpoint()
    coalescer = Coalescer(endpoint.embed)
    before = asyncio.all_tasks()
    asking = asyncio.create_task(coalescer.ask("where"))
    await endpoint.asked(1)
    others = asyncio.all_tasks() - before - {asking}
    for task in others:
        task.cancel()
    await asyncio.wait(others)
    assert all(task.cancelled() for task in others)
    with pytest.raises(asyncio.CancelledError):
        await asking
