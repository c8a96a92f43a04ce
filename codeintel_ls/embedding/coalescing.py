"""Questions that come at the same time go to the endpoint in one request.

Invariant: a question is answered with its own vector or with the error of its request; one that
nobody waits for any more is not sent. Belongs to one event loop.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from codeintel_ls.embedding.encoder import Vectors

_MOST_TEXTS: Final = 64
_AT_ONCE: Final = 8


class Coalescer:
    """Collects the questions of one turn of the loop, and those that wait while others are out."""

    def __init__(self, embed: Callable[[Sequence[str]], Awaitable[Vectors]]) -> None:
        """`embed` sends one request."""
        self._embed = embed
        self._waiting: dict[str, asyncio.Future[Vectors]] = {}
        self._askers: Counter[asyncio.Future[Vectors]] = Counter()
        self._sending: set[asyncio.Task[None]] = set()

    async def ask(self, text: str) -> Vectors:
        """The vector (d,) of a question. Raises what `embed` raises."""
        answer = self._waiting.get(text)
        if answer is None:
            answer = self._waiting[text] = asyncio.get_running_loop().create_future()
            if len(self._sending) < _AT_ONCE:
                task = asyncio.get_running_loop().create_task(self._send())
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
        self._askers[answer] += 1
        try:
            return await asyncio.shield(answer)
        finally:
            self._left(text, answer)

    def _left(self, text: str, answer: "asyncio.Future[Vectors]") -> None:
        self._askers[answer] -= 1
        if self._askers[answer]:
            return
        del self._askers[answer]
        if self._waiting.get(text) is answer:
            del self._waiting[text]
        answer.cancel()

    async def _send(self) -> None:
        # Whoever asks in this turn of the loop comes along.
        await asyncio.sleep(0)
        while self._waiting:
            some = dict(list(self._waiting.items())[:_MOST_TEXTS])
            for text in some:
                del self._waiting[text]
            await self._answer(some)

    async def _answer(self, some: "dict[str, asyncio.Future[Vectors]]") -> None:
        request = asyncio.ensure_future(self._embed(list(some)))
        unwanted = len(some)

        def gone(_: "asyncio.Future[Vectors]") -> None:
            nonlocal unwanted
            unwanted -= 1
            if not unwanted:
                request.cancel()

        for answer in some.values():
            answer.add_done_callback(gone)
        try:
            vectors = await request
        except asyncio.CancelledError:
            for answer in some.values():
                answer.cancel()
            # A request that nobody wants is no reason not to send the others.
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
        except Exception as error:  # noqa: BLE001 (each who asked is told)
            for answer in some.values():
                if not answer.done():
                    answer.set_exception(error)
                    # Whoever left meanwhile does not look.
                    answer.exception()
        else:
            for answer, vector in zip(some.values(), vectors, strict=True):
                if not answer.done():
                    answer.set_result(vector)
