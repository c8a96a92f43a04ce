"""Keeps the commit-graphs of a session's repositories up to date, in threads of their own.

Building one may take minutes, and nobody waits for it: git is at low priority there, and the
threads end with the session. Nothing here blocks but `close`.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock, Thread
from typing import Final

from attrs import define

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.git import GitClient

SECONDS_BETWEEN: Final = 180.0
"""How often it is looked whether HEAD has moved, at most."""

_SECONDS_TO_END: Final = 5.0


@define(eq=False)
class _Watched:
    head: str | None
    looked_at: float
    thread: Thread | None = None


class CommitGraphs:
    """One watched commit-graph for each work tree. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watched: dict[GitClient, _Watched] = {}
        self._cancellation = Cancellation()

    def look_after(self, client: GitClient) -> None:
        """Refresh the client's graph if HEAD has moved since the last time; returns at once."""
        now = time.monotonic()
        with self._lock:
            known = self._watched.get(client)
            if client.commit_graph is None or self._cancellation.cancelled:
                return
            if known is not None and now - known.looked_at < SECONDS_BETWEEN:
                return
            head = client.head()
            if known is None:
                known = self._watched[client] = _Watched(head, now)
            elif known.head == head or (known.thread is not None and known.thread.is_alive()):
                known.looked_at = now
                return
            known.head, known.looked_at = head, now
            known.thread = Thread(
                target=self._refresh, args=(client,), name="codeintel-commit-graph", daemon=True
            )
            known.thread.start()

    def _refresh(self, client: GitClient) -> None:
        with suppress(CancelledError):
            if client.commit_graph is not None:
                client.commit_graph.refresh(self._cancellation)

    def describe(self) -> Iterator[str]:
        """A line for each graph: whose it is, how it is, its commits and bytes."""
        with self._lock:
            clients = list(self._watched)
        for client in clients:
            if client.commit_graph is not None:
                status = client.commit_graph.status
                yield (
                    f"git graph of {client.root.name}: {status.state}, "
                    f"{status.commits} commits, {status.disk_bytes} bytes"
                )

    def close(self) -> None:
        """End what is being built; no git of it is left."""
        self._cancellation.cancel()
        with self._lock:
            threads = [watched.thread for watched in self._watched.values()]
            self._watched.clear()
        for thread in filter(None, threads):
            thread.join(_SECONDS_TO_END)
