"""Bounded pools of threads, one for each kind of work, so that no kind can starve another.

Invariant: the event loop never waits for a thread. A coroutine that is cancelled cancels the
work it waits for, and what nobody has begun yet never begins.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from attrs import define, field

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.server.errors import ServerBusyError

T = TypeVar("T")

MAX_WAITING: Final = 2_000
_MANY_CORES: Final = (os.cpu_count() or 1) > 2
"""More threads than cores only take turns at the interpreter."""


class Pool:
    """At most `threads` pieces of work at once; the others wait in their order."""

    def __init__(self, name: str, threads: int) -> None:
        self.name = name
        self.threads = threads
        self.unfinished = 0
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=f"codeintel-{name}")

    async def run(self, work: Callable[[Cancellation], T]) -> T:
        """The result of `work`, which runs in a thread and is told when it is not wanted.

        Raises:
            ServerBusyError: too much work waits already.

        """
        if self.unfinished >= MAX_WAITING:
            raise ServerBusyError
        cancellation = Cancellation()
        self.unfinished += 1
        future = self._executor.submit(work, cancellation)
        loop = asyncio.get_running_loop()
        future.add_done_callback(lambda _: self._call_finished(loop))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            cancellation.cancel()
            raise

    def _call_finished(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._finished)

    def _finished(self) -> None:
        self.unfinished -= 1

    def close(self) -> None:
        """Begin no more work; what runs is not waited for."""
        self._executor.shutdown(wait=False, cancel_futures=True)


@define(eq=False)
class Pools:
    """The pools of one process. All sessions share them."""

    search: Pool = field(factory=lambda: Pool("search", 4 if _MANY_CORES else 2))
    git: Pool = field(factory=lambda: Pool("git", 4))
    files: Pool = field(factory=lambda: Pool("files", 3 if _MANY_CORES else 2))
    index: Pool = field(factory=lambda: Pool("index", 2))

    def __iter__(self) -> Iterator[Pool]:
        return iter((self.search, self.git, self.files, self.index))

    def close(self) -> None:
        """Begin no more work in any pool."""
        for pool in self:
            pool.close()
