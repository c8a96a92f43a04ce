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
from codeintel_ls.settings import Settings

_TRUSTED_SECONDS: Final = 5.0
"""How long a directory is taken to belong to the repository that was found for it."""

_REMEMBERED: Final = 1_000


class Repositories:
    """Clients of git by the root of their work tree. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._clients: dict[Path, GitClient] = {}
        self._found: dict[Path, tuple[GitClient, float]] = {}

    def of(self, path: Path, settings: Settings) -> GitClient:
        """The repository that holds `path`, which need not exist any more.

        Raises:
            NotARepositoryError: none does.

        """
        now = time.monotonic()
        with self._lock:
            known, until = self._found.get(path.parent, (None, 0.0))
        if known is not None and now < until:
            return known
        folder = _existing_directory(path.parent)
        found = GitClient.discover(
            folder, timeout=settings.git.timeout_seconds, command=settings.git.path
        )
        with self._lock:
            known = self._clients.setdefault(found.root, found)
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[path.parent] = (known, now + _TRUSTED_SECONDS)
        if known is not found:
            found.close()
        return known

    def close(self) -> None:
        """Close every client."""
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
