"""Questions that are of use only together."""

import asyncio
from threading import Event

import pytest

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.server.pools import Pool
from codeintel_ls.server.together import all_or_none

SECONDS = 20


async def answered(value: int) -> int:
    await asyncio.sleep(0.01 * (3 - value))
    return value


async def test_answers_come_in_the_order_of_the_questions():
    assert await all_or_none(map(answered, (0, 1, 2))) == [0, 1, 2]
    assert await all_or_none(map(answered, ())) == []


class EndlessSearch:
    """Work in a thread that ends when nobody wants it any more."""

    def __init__(self) -> None:
        self.has_begun, self.was_stopped = Event(), Event()

    def run(self, cancellation: Cancellation) -> int:
        with cancellation.stopping(self.was_stopped.set):
            self.has_begun.set()
            return int(self.was_stopped.wait(SECONDS))

    async def begun(self) -> None:
        assert await asyncio.to_thread(self.has_begun.wait, SECONDS)

    async def stopped(self) -> bool:
        return await asyncio.to_thread(self.was_stopped.wait, SECONDS)


@pytest.fixture
async def pool():
    pool = Pool("search", 1)
    yield pool
    pool.close()


async def test_a_failure_stops_the_work_of_the_others_and_is_told_as_it_is(pool):
    search = EndlessSearch()

    async def fail() -> int:
        await search.begun()
        raise InvalidRequestError("shop is not a folder.")

    with pytest.raises(InvalidRequestError, match="shop is not a folder"):
        await all_or_none([pool.run(search.run), fail()])
    assert await search.stopped()


async def test_who_is_not_waited_for_is_stopped(pool):
    search = EndlessSearch()
    asking = asyncio.ensure_future(all_or_none([pool.run(search.run), answered(1)]))
    await search.begun()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await search.stopped()
