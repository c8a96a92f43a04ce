"""A newer request takes the place of an older one that nobody waits for any more.

Who searches while typing wants the answer to the last letter. Invariant: of the requests under one
key at most one is served; each of the others is answered at once, and its work is stopped.
"""

import asyncio
from collections.abc import Awaitable, Hashable
from typing import Any, TypeVar, cast

from codeintel_ls.server.errors import SupersededError

T = TypeVar("T")


class Newest:
    """The newest request under each key, for one client. Used on the event loop alone."""

    def __init__(self) -> None:
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}
        self._superseded: set[asyncio.Task[Any]] = set()

    async def serve(self, key: Hashable, work: Awaitable[T]) -> T:
        """The result of `work`, in place of whatever is served under `key`.

        Raises:
            SupersededError: a newer one has come meanwhile.

        """
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        older = self._tasks.get(key)
        if older is not None:
            self._superseded.add(older)
            older.cancel()
        self._tasks[key] = task
        try:
            return await work
        except asyncio.CancelledError:
            if task in self._superseded:
                raise SupersededError from None
            raise
        finally:
            self._superseded.discard(task)
            if self._tasks.get(key) is task:
                del self._tasks[key]

    def __len__(self) -> int:
        return len(self._tasks)
