"""The open folders of one process: each is opened once, whoever and however many want it.

Sessions hold a `Use` of a folder; status and progress go to all of them, and one that stops the
indexing stops it for all. Invariants: a path is open at most once, so that one index, one watcher
and one indexing process serve everybody; a folder that nobody uses any more is closed, after
`linger_seconds`; settings that shape the index are those of the session that has used it for the
longest time.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from attrs import define, evolve, field

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.index.status import IndexStatus
from codeintel_ls.server.errors import log_unexpected
from codeintel_ls.server.pools import Pools
from codeintel_ls.settings import EmbeddingSettings, IndexSettings, Settings
from codeintel_ls.workspace import WorkspaceFolder

OTHER_SETTINGS: Final = (
    "Another window has this folder open with other settings of index or embedding; those hold."
)


@define(eq=False)
class Use:
    """One session's use of a folder. The callbacks may be called from any thread."""

    settings: Settings
    on_status: Callable[[IndexStatus], None]
    on_progress: Callable[[int, int | None, str], None]
    on_stopped: Callable[[], None]
    on_resumed: Callable[[], None]
    live: "LiveFolder | None" = field(default=None, init=False)
    """What it is a use of, from `LiveFolders.open` to `close`."""


@define(eq=False)
class LiveFolder:
    """A folder that is open, or about to be. `key` is its path with no link in it."""

    key: str
    path: Path
    opening: asyncio.Task[WorkspaceFolder] = field(init=False)
    uses: list[Use] = field(factory=list[Use], init=False)
    latest: IndexStatus | None = field(default=None, init=False)
    lingering: asyncio.TimerHandle | None = field(default=None, init=False)
    closing: asyncio.Task[None] | None = field(default=None, init=False)

    def tell_status(self, status: IndexStatus) -> None:
        """Tell everybody; who has other settings than those that hold hears of that, too."""
        self.latest = status
        for use in list(self.uses):
            use.on_status(self.seen_by(use, status))

    def seen_by(self, use: Use, status: IndexStatus) -> IndexStatus:
        """The status as it is for one of its uses."""
        first = self.uses[0].settings if self.uses else use.settings
        if _shaping(use.settings) == _shaping(first):
            return status
        return evolve(status, remarks=(*status.remarks, OTHER_SETTINGS))

    def tell_progress(self, done: int, total: int | None, message: str) -> None:
        """Tell everybody."""
        for use in list(self.uses):
            use.on_progress(done, total, message)

    @property
    def opened(self) -> WorkspaceFolder | None:
        """The folder, where it is open by now."""
        done = self.opening.done() and not self.opening.cancelled()
        return self.opening.result() if done and self.opening.exception() is None else None


class LiveFolders:
    """The folders of one process, for its event loop."""

    def __init__(self, pools: Pools, *, linger_seconds: float = 0.0) -> None:
        self._pools = pools
        self._linger_seconds = linger_seconds
        self._folders: dict[str, LiveFolder] = {}

    def __len__(self) -> int:
        return len(self._folders)

    def __iter__(self) -> Iterator[LiveFolder]:
        return iter(list(self._folders.values()))

    async def open(self, path: Path, use: Use) -> WorkspaceFolder:
        """The folder, for one more `use`. Raises what `WorkspaceFolder.open` does."""
        # Files are never looked at on the loop.
        key = await self._pools.files.run(lambda _: os.path.realpath(path))
        # One that is being closed still owns the cache.
        while (live := self._folders.get(key)) is not None and live.closing is not None:
            await asyncio.wait([live.closing])
        if live is None:
            live = self._folders[key] = LiveFolder(key, path)
            live.uses.append(use)
            live.opening = asyncio.get_running_loop().create_task(self._open(live, use.settings))
        else:
            live.uses.append(use)
            if live.lingering is not None:
                live.lingering.cancel()
                live.lingering = None
        use.live = live
        try:
            opened = await asyncio.shield(live.opening)
        # Whoever gives up waiting uses it no more, either.
        except BaseException:
            self._leave(live, use)
            raise
        if live.latest is not None:
            use.on_status(live.seen_by(use, live.latest))
        return opened

    async def _open(self, live: LiveFolder, settings: Settings) -> WorkspaceFolder:
        def open_it(_: Cancellation) -> WorkspaceFolder:
            opened = WorkspaceFolder.open(
                live.path, settings, watch=settings.index.watch, on_status=live.tell_status
            )
            try:
                opened.start(live.tell_progress)
            # Whatever it was: nobody else knows of the folder, and it has threads.
            except BaseException:
                opened.close()
                raise
            return opened

        return await self._pools.files.run(open_it)

    async def close(self, use: Use) -> None:
        """Give up a use; returns when the folder is closed, where it is closed for that."""
        live = use.live
        if live is not None:
            self._leave(live, use)
            if live.closing is not None:
                await asyncio.wait([live.closing])

    def _leave(self, live: LiveFolder, use: Use) -> None:
        use.live = None
        if use not in live.uses:
            return
        was_first = live.uses[0] is use
        live.uses.remove(use)
        if live.uses:
            if was_first:
                self._reconfigure(live)
            return
        failed = live.opening.done() and live.opened is None
        if self._linger_seconds and not failed:
            loop = asyncio.get_running_loop()
            live.lingering = loop.call_later(self._linger_seconds, self._end, live)
        else:
            self._end(live)

    def _end(self, live: LiveFolder) -> None:
        live.lingering = None
        if not live.uses and live.closing is None:
            live.closing = asyncio.get_running_loop().create_task(self._close(live))

    async def _close(self, live: LiveFolder) -> None:
        try:
            await asyncio.wait([live.opening])
            opened = live.opened
            if opened is not None:
                # Not in a pool, which may be full, or closed: this cannot be left out.
                await asyncio.to_thread(opened.close)
        finally:
            self._folders.pop(live.key, None)

    def stop_indexing(self, by: Use) -> None:
        """Stop the indexing of a folder, and tell all others that it was."""
        live = by.live
        if live is None:
            return
        if live.opened is not None:
            live.opened.cancel_indexing()
        for use in live.uses:
            if use is not by:
                use.on_stopped()

    def resumed(self, by: Use) -> None:
        """Tell all others that the indexing goes on."""
        for use in by.live.uses if by.live is not None else ():
            if use is not by:
                use.on_resumed()

    async def configure(self, use: Use, settings: Settings) -> None:
        """A session's settings are others now."""
        use.settings = settings
        live = use.live
        if live is None or not live.uses:
            return
        if live.uses[0] is use and live.opened is not None:
            opened = live.opened
            await self._pools.files.run(lambda _: opened.configure(settings))
        elif live.latest is not None:
            use.on_status(live.seen_by(use, live.latest))

    def _reconfigure(self, live: LiveFolder) -> None:
        """Another session's settings hold now."""
        opened, settings = live.opened, live.uses[0].settings
        if opened is not None and _shaping(opened.settings) != _shaping(settings):
            work = self._pools.files.run(lambda _: opened.configure(settings))
            task = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(_configured)
        if live.latest is not None:
            live.tell_status(live.latest)

    async def close_all(self) -> None:
        """Close every folder, whoever uses it."""
        for live in self:
            live.uses.clear()
            if live.lingering is not None:
                live.lingering.cancel()
            self._end(live)
        closing = [live.closing for live in self if live.closing is not None]
        if closing:
            await asyncio.wait(closing)


def _shaping(settings: Settings) -> tuple[IndexSettings, EmbeddingSettings]:
    """Those that there is one answer to, however many use a folder."""
    return settings.index, settings.embedding


def _configured(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log_unexpected(error, "configuring a folder")
