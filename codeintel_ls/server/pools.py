"""Bounded pools of threads, one for each kind of work, so that no kind can starve another.

Clients take turns: whoever asks for a thousand things waits for them, and who asks for one is
served next. Invariant: the event loop never waits for a thread. A coroutine that is cancelled
cancels the work it waits for, and what nobody has begun yet never begins.
"""

import asyncio
import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from attrs import define, field, frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.server.errors import ServerBusyError

T = TypeVar("T")

MAX_WAITING: Final = 4_000
MAX_OF_ONE: Final = 2_000
_MANY_CORES: Final = (os.cpu_count() or 1) > 2
"""More threads than cores only take turns at the interpreter."""

asking_client: ContextVar[int] = ContextVar("asking_client", default=0)
"""Whose request is served; set for each connection, inherited by every task that it begins.

A number: tasks and timers outlive a session, and must not keep it.
"""


@frozen(eq=False)
class _Work:
    work: Callable[[Cancellation], Any]
    cancellation: Cancellation
    answer: asyncio.Future[Any]


class Pool:
    """At most `threads` pieces of work at once; the others wait, those of each client in order."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.threads = threads
        self._running = 0
        self._waiting: OrderedDict[int, deque[_Work]] = OrderedDict()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"codeintel-{name}")

    @property
    def unfinished(self) -> int:
        """How much runs or waits."""
        return self._running + sum(map(len, self._waiting.values()))

    async def run(self, work: Callable[[Cancellation], T]) -> T:
        """The result of `work`, which runs in a thread and is told when it is not wanted.

        Raises:
            ServerBusyError: too much work waits already, of all clients or of this one.

        """
        whose = asking_client.get()
        own = self._waiting.get(whose)
        if self.unfinished >= MAX_WAITING or (own is not None and len(own) >= MAX_OF_ONE):
            raise ServerBusyError
        given = _Work(work, Cancellation(), asyncio.get_running_loop().create_future())
        self._waiting.setdefault(whose, deque()).append(given)
        self._begin()
        try:
            return await given.answer
        except asyncio.CancelledError:
            given.cancellation.cancel()
            self._forget(whose, given)
            raise

    def _begin(self) -> None:
        """Begin what there are threads for: one of each client, in turn."""
        while self._running < self.threads and self._waiting:
            whose, own = self._waiting.popitem(last=False)
            given = own.popleft()
            if own:
                self._waiting[whose] = own
            self._running += 1
            loop = given.answer.get_loop()
            future = self._executor.submit(given.work, given.cancellation)
            future.add_done_callback(
                lambda done, given=given, loop=loop: self._call_finished(loop, given, done)
            )

    def _forget(self, whose: int, given: _Work) -> None:
        own = self._waiting.get(whose)
        if own is not None and given in own:
            own.remove(given)
            if not own:
                del self._waiting[whose]

    def _call_finished(
        self, loop: asyncio.AbstractEventLoop, given: _Work, done: Future[Any]
    ) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._finished, given, done)

    def _finished(self, given: _Work, done: Future[Any]) -> None:
        self._running -= 1
        if not given.answer.done():
            error = None if done.cancelled() else done.exception()
            if done.cancelled():
                given.answer.cancel()
            elif error is not None:
                given.answer.set_exception(error)
            else:
                given.answer.set_result(done.result())
        self._begin()

    def close(self) -> None:
        """Begin no more work; what runs is not waited for."""
        for own in self._waiting.values():
            for given in own:
                given.answer.cancel()
        self._waiting.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)


@define(eq=False)
class Pools:
    """The pools of one process. All sessions share them."""

    search: Pool = field(factory=lambda: Pool("search", 4 if _MANY_CORES else 2))
    git: Pool = field(factory=lambda: Pool("git", 4))
    files: Pool = field(factory=lambda: Pool("files", 3 if _MANY_CORES else 2))
    index: Pool = field(factory=lambda: Pool("index", 2))
    deep: Pool = field(factory=lambda: Pool("deep", 1))

    def __iter__(self) -> Iterator[Pool]:
        return iter((self.search, self.git, self.files, self.index, self.deep))

    def close(self) -> None:
        """Begin no more work in any pool."""
        for pool in self:
            pool.close()
