"""Threads for blocking work."""

import asyncio
import threading

import pytest

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.server.errors import ServerBusyError
from codeintel_ls.server.pools import MAX_OF_ONE, MAX_WAITING, Pool, Pools, asking_client


@pytest.fixture
def pool():
    pool = Pool("test", 2)
    yield pool
    pool.close()


async def nothing_unfinished(pool: Pool) -> None:
    for _ in range(1_000):
        if not pool.unfinished:
            return
        await asyncio.sleep(0.001)
    pytest.fail("The pool still counts unfinished work.")


async def test_work_runs_elsewhere_and_its_result_comes_back(pool):
    assert await pool.run(lambda _: threading.get_ident()) != threading.get_ident()


async def test_errors_come_back(pool):
    def fail(_):
        raise KeyError("x")

    with pytest.raises(KeyError):
        await pool.run(fail)


async def test_cancelling_tells_the_work(pool):
    started, stopped = threading.Event(), threading.Event()

    def work(cancellation: Cancellation) -> None:
        with cancellation.stopping(stopped.set):
            started.set()
            assert stopped.wait(30)

    task = asyncio.ensure_future(pool.run(work))
    await asyncio.to_thread(started.wait, 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()


async def test_what_was_cancelled_before_it_began_never_begins(pool):
    gate, begun = threading.Event(), []
    blockers = [asyncio.ensure_future(pool.run(lambda _: gate.wait(30))) for _ in range(2)]
    late = asyncio.ensure_future(pool.run(begun.append))
    await asyncio.sleep(0)
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    gate.set()
    await asyncio.gather(*blockers)
    assert await pool.run(lambda _: 7) == 7
    assert begun == []
    await nothing_unfinished(pool)


async def test_more_than_can_wait_is_refused(pool):
    gate = threading.Event()
    tasks = []
    for number in range(MAX_WAITING):
        asking_client.set(number % 4)
        tasks.append(asyncio.ensure_future(pool.run(lambda _: gate.wait(30))))
    await asyncio.sleep(0)
    with pytest.raises(ServerBusyError):
        await pool.run(lambda _: None)
    gate.set()
    await asyncio.gather(*tasks)
    await nothing_unfinished(pool)
    assert await pool.run(lambda _: 7) == 7


async def test_one_client_cannot_fill_it(pool):
    gate = threading.Event()
    asking_client.set(1)
    greedy = [
        asyncio.ensure_future(pool.run(lambda _: gate.wait(30)))
        for _ in range(MAX_OF_ONE + pool.threads)
    ]
    await asyncio.sleep(0)
    with pytest.raises(ServerBusyError):
        await pool.run(lambda _: None)
    asking_client.set(2)
    modest = asyncio.ensure_future(pool.run(lambda _: 7))
    await asyncio.sleep(0)
    gate.set()
    assert await modest == 7
    # It was served next, not after all that waited before it.
    assert sum(task.done() for task in greedy) < 100
    await asyncio.gather(*greedy)
    await nothing_unfinished(pool)


async def test_clients_take_turns(pool):
    gate, order = threading.Event(), []
    blockers = [asyncio.ensure_future(pool.run(lambda _: gate.wait(30))) for _ in range(2)]
    await asyncio.sleep(0)
    tasks = []
    for name in (1, 2, 3):
        asking_client.set(name)
        tasks += [
            asyncio.ensure_future(pool.run(lambda _, one=(number, name): order.append(one)))
            for number in range(3)
        ]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*blockers, *tasks)
    # Two threads may note two neighbours the other way round.
    rounds = [number for number, _ in order]
    assert all(abs(rounds[place] - place // 3) <= 1 for place in range(9))
    assert sorted(order) == [(number, name) for number in range(3) for name in (1, 2, 3)]


async def test_all_pools_together_stay_below_the_bound_on_threads():
    pools = Pools()
    assert sum(pool.threads for pool in pools) <= 20
    pools.close()
