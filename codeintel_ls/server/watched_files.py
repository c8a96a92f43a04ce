"""What the client's own watcher sees: asked for where it can be, gathered, told at once.

A checkout reaches the server as thousands of notifications. Invariant: each of them costs the
event loop next to nothing, and a folder hears of all of them together, when no more have come
for a moment; the server's own watcher, which sees the same, has no need of them.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from lsprotocol import types

from codeintel_ls.server.client import Client
from codeintel_ls.server.folders import Folder

QUIET_SECONDS: Final = 0.3
"""Longer than the pauses in which clients tell of many files."""
LONGEST_SECONDS: Final = 5.0
_EVERYTHING: Final = "**/*"
_OF_GIT: Final = "/.git/"
_METHOD: Final = types.WORKSPACE_DID_CHANGE_WATCHED_FILES


class WatchedFiles:
    """The watching that one client does for the server."""

    def __init__(
        self,
        client: Client,
        in_background: Callable[[Coroutine[Any, Any, None], str], object],
        tell: Callable[[set[str]], Coroutine[Any, Any, None]],
    ) -> None:
        """`tell` is given the URIs that were gathered."""
        self._client = client
        self._in_background = in_background
        self._tell = tell
        self._uris: set[str] = set()
        self._latest = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._by_folder = False

    # What the client watches

    def registrations(self, folders: Iterable[Folder]) -> list[types.Registration]:
        """What has the client watch these folders; those that come later are registered then."""
        if not self._client.can("workspace.did_change_watched_files.dynamic_registration"):
            return []
        if not self._client.can("workspace.did_change_watched_files.relative_pattern_support"):
            # A pattern without a base is matched in whatever folders the client has open.
            return [_registration(_METHOD, _EVERYTHING)]
        self._by_folder = True
        return [_of_folder(folder) for folder in folders]

    def folder_added(self, folder: Folder) -> None:
        """Have a folder watched that came after `registrations` was asked."""
        if self._by_folder:
            self._in_background(self._client.register([_of_folder(folder)]), _METHOD)

    def folder_removed(self, folder: Folder) -> None:
        """Have a folder watched no more."""
        if self._by_folder:
            registered = types.Unregistration(id=_of_folder(folder).id, method=_METHOD)
            self._in_background(self._client.unregister([registered]), _METHOD)

    # What it tells

    def changed(self, uris: Iterable[str]) -> None:
        """Gather what the client saw; what git keeps for itself is of no interest."""
        self._uris.update(uri for uri in uris if _OF_GIT not in uri)
        if not self._uris:
            return
        loop = asyncio.get_running_loop()
        if self._timer is None:
            self._latest = loop.time() + LONGEST_SECONDS
        else:
            self._timer.cancel()
        due = min(loop.time() + QUIET_SECONDS, self._latest)
        self._timer = loop.call_at(due, self._tell_all)

    def _tell_all(self) -> None:
        self._timer = None
        uris, self._uris = self._uris, set()
        self._in_background(self._tell(uris), _METHOD)


def _of_folder(folder: Folder) -> types.Registration:
    pattern = types.RelativePattern(base_uri=folder.uri, pattern=_EVERYTHING)
    return _registration(f"{_METHOD}:{folder.uri}", pattern)


def _registration(name: str, pattern: str | types.RelativePattern) -> types.Registration:
    options = types.DidChangeWatchedFilesRegistrationOptions(
        watchers=[types.FileSystemWatcher(glob_pattern=pattern)]
    )
    return types.Registration(id=f"codeintel:{name}", method=_METHOD, register_options=options)
