"""HEAD moves: what shows blame is asked for again, and the open files are blamed ahead.

Answers never depend on this, since each reads HEAD anew. The folder's watcher tells of changes in
the git directory; where it cannot, a look now and then finds them. Invariant: a look reads two
small files of each repository, off the event loop, and there are none while no document is open.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git import GitClient, GitError
from codeintel_ls.server.folders import Place
from codeintel_ls.server.pools import Pool
from codeintel_ls.settings import Settings

SECONDS_BETWEEN_LOOKS: Final = 2.0


@frozen
class OpenFile:
    """A file that is open in the editor, and the settings of its folder."""

    place: Place
    settings: Settings


class HeadWatch:
    """Notices that the HEAD of an open file's repository has moved. For one event loop."""

    def __init__(
        self,
        open_files: Callable[[], Sequence[OpenFile]],
        repository_of: Callable[[OpenFile], GitClient],
        pool: Pool,
        moved: Callable[[], Awaitable[None]],
    ) -> None:
        """`moved` is called after one or more HEADs have moved; `repository_of` blocks."""
        self._open_files = open_files
        self._repository_of = repository_of
        self._pool = pool
        self._moved = moved
        self._heads: dict[GitClient, str | None] = {}
        self._wake = asyncio.Event()

    def look_soon(self) -> None:
        """A file was opened, or something in a git directory may have changed. On the loop."""
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), SECONDS_BETWEEN_LOOKS)
            self._wake.clear()
            files = self._open_files()
            if files and await self._pool.run(partial(self._look, files)):
                await self._moved()

    def _look(self, files: Sequence[OpenFile], _: Cancellation) -> bool:
        """Whether a HEAD has moved since the last look; its open files are blamed ahead then."""
        by_client: dict[GitClient, list[OpenFile]] = {}
        for file in files:
            with suppress(GitError):
                by_client.setdefault(self._repository_of(file), []).append(file)
        heads = {client: client.head() for client in by_client}
        moved = [
            client
            for client, head in heads.items()
            if client in self._heads and self._heads[client] != head
        ]
        self._heads = heads
        for client in moved:
            for file in by_client[client]:
                with suppress(GitError):
                    client.blame_ahead(client.relative_path(file.place.path))
        return bool(moved)
