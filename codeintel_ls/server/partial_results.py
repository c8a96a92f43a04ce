"""Partial results (LSP 3.17, Partial Result Progress): parts of an answer as they become known.

A part has the shape of the whole result; its lists go behind those of the parts before, and the
answer itself then holds only what is not in the parts. Invariant: parts come in order, none comes
after the answer or after the request was cancelled, and none waits long for others.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Generic, TypeVar

from codeintel_ls.server.client import Client
from codeintel_ls.server.validation import write_result

SECONDS_BETWEEN_PARTS: Final = 0.05

Token = int | str
Item = TypeVar("Item")


class PartialResults(Generic[Item]):
    """Sends items under one token. Made on the event loop; `add` may be called by any thread.

    `make` makes the result that holds only the given items.
    """

    def __init__(
        self, client: Client, token: Token, make: Callable[[Sequence[Item]], object]
    ) -> None:
        self._client = client
        self._token = token
        self._make = make
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Item] = []
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def add(self, item: Item) -> None:
        """Send an item, at once or within `SECONDS_BETWEEN_PARTS` together with others."""
        with suppress(RuntimeError):  # the loop has ended: nobody is told any more
            self._loop.call_soon_threadsafe(self._take, item)

    def finish(self) -> None:
        """Send what still waits; on the event loop, after the last `add`."""
        self._stop_timer()
        if self._waiting and not self._closed:
            self._send()

    def close(self) -> None:
        """Send nothing any more."""
        self._closed = True
        self._stop_timer()

    def _take(self, item: Item) -> None:
        if self._closed:
            return
        self._waiting.append(item)
        if self._timer is None:
            self._send_and_wait()

    def _send_and_wait(self) -> None:
        self._timer = None
        if self._waiting:
            self._send()
            self._timer = self._loop.call_later(SECONDS_BETWEEN_PARTS, self._send_and_wait)

    def _send(self) -> None:
        items, self._waiting = self._waiting, []
        self._client.progress(self._token, write_result(self._make(items)))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
