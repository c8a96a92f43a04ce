"""The repositories that a session's files belong to, one client of git for each.

A file of a submodule or of a nested repository belongs to that one, whatever folder it was
opened in. Invariant: the methods block and are called off the event loop; a client is closed
with the session.
"""

import time
from pathlib import Path
from threading import Lock
from typing import Final

from codeintel_ls.git import GitClient
from codeintel_ls.server.commit_graphs import CommitGraphs
from codeintel_ls.settings import Settings, blame_directory, commit_graph_directory

_TRUSTED_SECONDS: Final = 5.0
"""How long a directory is taken to belong to the repository that was found for it."""

_REMEMBERED: Final = 1_000


class Repositories:
    """Clients of git by the root of their work tree. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._clients: dict[Path, GitClient] = {}
        self._found: dict[Path, tuple[GitClient, float]] = {}
        self.graphs = CommitGraphs()

    def of(self, path: Path, settings: Settings) -> GitClient:
        """The repository that holds `path`, which need not exist any more, or a folder's own.

        Raises:
            NotARepositoryError: none does.

        """
        client = self._client(path if path.is_dir() else path.parent, settings)
        client.commit_template = settings.git.commit_url
        wanted = settings.git.commit_graph
        if wanted != (client.commit_graph is not None):
            folder = commit_graph_directory(settings.cache, client.common_dir)
            client.use_commit_graph(folder if wanted else None)
        self.graphs.look_after(client)
        return client

    def _client(self, directory: Path, settings: Settings) -> GitClient:
        now = time.monotonic()
        with self._lock:
            known, until = self._found.get(directory, (None, 0.0))
        if known is not None and now < until:
            return known
        folder = _existing_directory(directory)
        found = GitClient.discover(
            folder, timeout=settings.git.timeout_seconds, command=settings.git.path
        )
        found.keep_blames_in(blame_directory(settings.cache, found.common_dir))
        with self._lock:
            known = self._clients.setdefault(found.root, found)
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[directory] = (known, now + _TRUSTED_SECONDS)
        if known is not found:
            found.close()
        return known

    def close(self) -> None:
        """Close every client."""
        self.graphs.close()
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
            self._found.clear()
        for client in clients:
            client.close()

    def __len__(self) -> int:
        return len(self._clients)


def _existing_directory(path: Path) -> Path:
    return next((one for one in (path, *path.parents) if one.is_dir()), path)
