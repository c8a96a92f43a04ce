"""The git room for an event loop: the client's methods as coroutines.

Work that needs git waits in one small pool of threads, answers from memory go through another, so
that a hover over a known line never queues behind a long blame. Invariant: cancelling a coroutine
kills what runs for it, and no coroutine blocks the loop.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.client import GitClient
from codeintel_ls.git.runner import DEFAULT_PROCESSES
from codeintel_ls.git.values import BlameOptions, BlameResult, Commit, FileListing, HistoryPage

Answer = TypeVar("Answer")

_QUICK_THREADS = 2


class AsyncGitClient:
    """Coroutines over a `GitClient`; cancelling one ends its git processes."""

    def __init__(self, client: GitClient) -> None:
        self.client = client
        # More threads than processes would only wait for a slot.
        self._slow = ThreadPoolExecutor(DEFAULT_PROCESSES, thread_name_prefix="git")
        self._quick = ThreadPoolExecutor(_QUICK_THREADS, thread_name_prefix="git-quick")
        self._running: set[Cancellation] = set()
        self._lock = Lock()

    @classmethod
    async def discover(cls, folder: Path) -> "AsyncGitClient":
        """As `GitClient.discover`."""
        return cls(await asyncio.to_thread(GitClient.discover, folder))

    @property
    def root(self) -> Path:
        """The folder that holds the work tree."""
        return self.client.root

    @property
    def git_dir(self) -> Path:
        """The git directory of this work tree."""
        return self.client.git_dir

    @property
    def common_dir(self) -> Path:
        """The git directory shared by all work trees of the repository."""
        return self.client.common_dir

    async def head(self) -> str | None:
        """As `GitClient.head`."""
        return await self._run(self._quick, lambda _: self.client.head())

    async def relative_path(self, path: Path) -> str:
        """As `GitClient.relative_path`."""
        return await self._run(self._quick, lambda _: self.client.relative_path(path))

    async def list_files(self, folder: Path) -> FileListing:
        """As `GitClient.list_files`."""
        return await self._run(self._slow, partial(self.client.list_files, folder))

    async def blame_range(
        self,
        path: str,
        first_line: int,
        last_line: int,
        *,
        text: str | None = None,
        options: BlameOptions = BlameOptions(),  # noqa: B008 - a frozen value
    ) -> BlameResult:
        """As `GitClient.blame_range`."""

        def is_known(_: Cancellation) -> bool:
            lines = (first_line, last_line)
            return self.client.blame_is_cached(path, options, lines=lines, text=text)

        known = await self._run(self._quick, is_known)

        def work(cancellation: Cancellation) -> BlameResult:
            return self.client.blame_range(
                path, first_line, last_line, text=text, options=options, cancellation=cancellation
            )

        return await self._run(self._quick if known else self._slow, work)

    async def file_history(
        self,
        path: str,
        *,
        lines: tuple[int, int] | None = None,
        text: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        follow: bool = True,
        counts: bool = True,
    ) -> HistoryPage:
        """As `GitClient.file_history`."""

        def work(cancellation: Cancellation) -> HistoryPage:
            return self.client.file_history(
                path,
                lines=lines,
                text=text,
                limit=limit,
                cursor=cursor,
                follow=follow,
                counts=counts,
                cancellation=cancellation,
            )

        return await self._run(self._slow, work)

    async def file_at_revision(self, path: str, revision: str) -> str:
        """As `GitClient.file_at_revision`."""
        return await self._run(self._slow, partial(self.client.file_at_revision, path, revision))

    async def commits(self, ids: Sequence[str]) -> Mapping[str, Commit]:
        """As `GitClient.commits`."""
        return await self._run(self._slow, partial(self.client.commits, ids))

    async def commit_url(self, commit: str) -> str | None:
        """As `GitClient.commit_url`."""
        return await self._run(self._quick, lambda _: self.client.commit_url(commit))

    async def close(self) -> None:
        """Cancel what runs, wait until it has ended, and close the client."""
        with self._lock:
            running = list(self._running)
        for cancellation in running:
            cancellation.cancel()
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        self._slow.shutdown(cancel_futures=True)
        self._quick.shutdown(cancel_futures=True)
        self.client.close()

    async def _run(
        self, pool: ThreadPoolExecutor, work: Callable[[Cancellation], Answer]
    ) -> Answer:
        cancellation = Cancellation()
        with self._lock:
            self._running.add(cancellation)
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, work, cancellation)
        finally:
            # Where the wait was cancelled the thread still works: this ends it.
            cancellation.cancel()
            with self._lock:
                self._running.discard(cancellation)
