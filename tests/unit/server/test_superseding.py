"""Of the requests under one key, the newest alone is served."""

import asyncio

import pytest

from codeintel_ls.server.errors import SupersededError
from codeintel_ls.server.superseding import Newest


async def test_the_older_ends_and_the_newer_is_answered():
    newest, stopped = Newest(), asyncio.Event()

    async def long_work():
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async def answer():
        return 7

    older = asyncio.create_task(newest.serve("search", long_work()))
    other = asyncio.create_task(newest.serve("history", long_work()))
    await asyncio.sleep(0)
    assert await newest.serve("search", answer()) == 7
    with pytest.raises(SupersededError):
        await older
    assert stopped.is_set()
    assert not other.done()
    other.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other
    assert len(newest) == 0


async def test_a_cancel_of_the_client_stays_a_cancel():
    newest = Newest()
    task = asyncio.create_task(newest.serve("search", asyncio.sleep(60)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(newest) == 0


async def test_errors_and_many_keys_leave_nothing_behind():
    newest = Newest()

    async def fail():
        raise KeyError("x")

    for key in range(100):
        with pytest.raises(KeyError):
            await newest.serve(key, fail())
    assert len(newest) == 0
