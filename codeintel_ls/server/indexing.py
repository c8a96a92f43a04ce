"""The background indexing of one folder, as its client sees it: a progress bar and a status.

Invariant: a bar that was begun is ended, whether the indexing ends, fails, is stopped by the
person or goes with its folder. `progress` and `status` may be called from any thread.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from codeintel_ls.index.status import IndexState, IndexStatus
from codeintel_ls.server.client import Client
from codeintel_ls.server.work_done import WorkDone, WorkDoneTokens

_AT_REST: Final = frozenset({IndexState.READY, IndexState.FAILED, IndexState.MERGING})


class FolderIndexing:
    """What a client is told of the index of one folder."""

    def __init__(
        self,
        name: str,
        client: Client,
        tokens: WorkDoneTokens,
        in_background: Callable[[Coroutine[Any, Any, None], str], object],
        on_change: Callable[[], None],
    ) -> None:
        self.name = name
        self.latest: IndexStatus | None = None
        self.stopped = False
        self.stop: Callable[[], None] = lambda: None
        self._client = client
        self._tokens = tokens
        self._in_background = in_background
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._wanted = False
        self._bar: WorkDone | None = None

    def progress(self, done: int, total: int | None, message: str) -> None:
        """`Progress` of the indexing that begins when a folder is opened."""
        self._on_loop(lambda: self._progressed(done, total, message))

    def status(self, status: IndexStatus) -> None:
        """The index's status has changed."""
        self._on_loop(lambda: self._changed(status))

    def _on_loop(self, callback: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody is told any more
            self._loop.call_soon_threadsafe(callback)

    def _progressed(self, done: int, total: int | None, message: str) -> None:
        if self.latest is not None and self.latest.state in _AT_REST:
            return
        if not self._wanted:
            self._wanted = True
            self._in_background(self._begin(), "progress of indexing")
        if self._bar is not None:
            self._bar.report(self._loop.time(), done, total, message)

    async def _begin(self) -> None:
        token = self._tokens.make()
        if await self._client.create_progress(token) and self._wanted:
            self._bar = WorkDone(self._client, self._tokens, token, self._stop)
            self._bar.begin(f"Indexing {self.name}")

    def _stop(self) -> None:
        self.stopped = True
        self.end("Stopped")
        self.stop()
        self._on_change()

    def was_stopped(self) -> None:
        """Another session stopped it."""
        self.stopped = True
        self.end("Stopped")
        self._on_change()

    def resumed(self) -> None:
        """The index is brought up to date again: what was stopped goes on."""
        self.stopped = False
        self._on_change()

    def _changed(self, status: IndexStatus) -> None:
        self.latest = status
        if status.state in _AT_REST:
            self.end("Failed" if status.state is IndexState.FAILED else f"{status.files} files")
        self._on_change()

    def end(self, message: str | None = None) -> None:
        """Take the bar away, if there is one."""
        self._wanted = False
        if self._bar is not None:
            self._bar.end(message)
            self._bar = None
