"""The workspace folders of one session: opened in the background, found by URI, closed in time.

Invariant: a path belongs to the innermost folder that holds it, and a URI outside every folder
belongs to none; opening, closing and asking never block the event loop; what could not be opened
is tried again until it is closed.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Final

from attrs import define, field, frozen

from codeintel_ls.errors import CodeIntelError, InvalidRequestError
from codeintel_ls.server.errors import log_unexpected
from codeintel_ls.server.live_folders import Use
from codeintel_ls.server.uris import path_from_uri, uri_from_path
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder

logger: Final = logging.getLogger(__name__)

RETRY_SECONDS: Final = 30.0


class OutsideWorkspaceError(InvalidRequestError):
    """A URI that lies in no open folder."""


class NoFolderError(CodeIntelError):
    """There is nothing to work on."""

    def __init__(self) -> None:
        super().__init__("No folder is open. Open one in the editor and try again.")


class FolderFailedError(CodeIntelError):
    """A folder that could not be opened."""


@define(eq=False)
class Folder:
    """One folder as the client names it. `opening` ends with the live folder behind it.

    `settings` are the session's for this folder; `use` is its share in the live one.
    """

    uri: str
    path: Path
    _open: Callable[["Folder"], Awaitable[WorkspaceFolder]]
    opening: asyncio.Task[WorkspaceFolder] = field(init=False)
    settings: Settings = field(factory=Settings, init=False)
    use: Use | None = field(default=None, init=False)
    closed: bool = field(default=False, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)
    _trouble: str = field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        self._begin()

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self.path.name or str(self.path)

    @property
    def opened(self) -> WorkspaceFolder | None:
        """The live folder, where it is open by now."""
        return _opened(self.opening)

    async def live(self, *, retry: bool = False) -> WorkspaceFolder:
        """The live folder, as soon as it is open.

        With `retry`, one that could not be opened is tried again first, not only when it is due.

        Raises:
            FolderFailedError: it could not be opened.

        """
        if retry:
            self.retry()
        opening = self.opening
        await asyncio.wait([opening])
        opened = _opened(opening)
        if opened is None:
            reason = _failure(opening) or "It was closed."
            raise FolderFailedError(f"The folder {self.name} cannot be used: {reason}")
        return opened

    async def settled(self) -> Settings:
        """The session's settings for the folder, as soon as it is open.

        Raises:
            FolderFailedError: it could not be opened.

        """
        await self.live()
        return self.settings

    def retry(self) -> None:
        """Begin to open it again where that has failed."""
        if not self.closed and _failure(self.opening) is not None:
            self._begin()

    def close(self) -> None:
        """Try no more to open it."""
        self.closed = True
        self._stop_timer()

    def _begin(self) -> None:
        self._stop_timer()
        self.opening = asyncio.get_running_loop().create_task(self._attempt())

    async def _attempt(self) -> WorkspaceFolder:
        try:
            return await self._open(self)
        except Exception as error:
            if not self.closed:
                self._timer = asyncio.get_running_loop().call_later(RETRY_SECONDS, self.retry)
            self._log(error)
            raise

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _log(self, error: Exception) -> None:
        """Log what is wrong, once for as long as it stays the same."""
        before, self._trouble = self._trouble, repr(error)
        if self._trouble == before:
            return
        if isinstance(error, CodeIntelError):
            logger.warning("A folder could not be opened: %s", error)
        else:
            log_unexpected(error, "opening a folder")

    def uri_of(self, relative: str) -> str:
        """The URI of a folder-relative path, in the client's own spelling of the folder."""
        return uri_from_path(self.path / relative)


@frozen
class Place:
    """A path of the client: the folder that holds it, and where in it (`""`: the folder)."""

    folder: Folder
    path: Path
    relative: str


class Folders:
    """The open folders of one client, in the order in which they came."""

    def __init__(
        self,
        open_folder: Callable[[Folder], Awaitable[WorkspaceFolder]],
        close_folder: Callable[[Folder], Awaitable[None]],
    ) -> None:
        self._open_folder = open_folder
        self._close_folder = close_folder
        self._folders: dict[Path, Folder] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Folder]:
        return iter(list(self._folders.values()))

    def __len__(self) -> int:
        return len(self._folders)

    def add(self, uri: str) -> Folder | None:
        """Begin to open a folder; None where it is no folder of this machine or open already."""
        path = path_from_uri(uri)
        if path is None:
            logger.warning("A workspace folder that is no file URI was left out.")
            return None
        if path in self._folders:
            return None
        folder = self._folders[path] = Folder(uri, path, self._open_folder)
        return folder

    def remove(self, uri: str) -> Folder | None:
        """Close a folder in the background."""
        path = path_from_uri(uri)
        folder = self._folders.pop(path, None) if path is not None else None
        if folder is not None:
            folder.close()
            task = asyncio.get_running_loop().create_task(self._close(folder))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        return folder

    async def _close(self, folder: Folder) -> None:
        await asyncio.wait([folder.opening])
        if folder.opened is not None:
            await self._close_folder(folder)

    async def close(self) -> None:
        """Close every folder, and wait for those that are being closed."""
        for folder in self:
            self.remove(folder.uri)
        if self._closing:
            await asyncio.wait(self._closing)

    def place(self, uri: str) -> Place:
        """Where a URI lies.

        Raises:
            OutsideWorkspaceError: it names no file of an open folder.

        """
        path = path_from_uri(uri)
        if path is None:
            raise OutsideWorkspaceError("`uri` must be a file URI of this machine.")
        place = self._innermost(path) or self._innermost(Path(os.path.realpath(path)))
        if place is None:
            raise OutsideWorkspaceError(f"The file {path.name} lies outside every open folder.")
        return place

    def _innermost(self, path: Path) -> Place | None:
        for candidate in (path, *path.parents):
            folder = self._folders.get(candidate)
            if folder is not None:
                relative = path.relative_to(candidate).as_posix()
                return Place(folder, path, "" if relative == "." else relative)
        return None

    def named(self, uri: str | None) -> list[Folder]:
        """The folder of this URI, or every folder for None.

        Raises:
            InvalidRequestError: no open folder has this URI.
            NoFolderError: no folder is open at all.

        """
        if uri is None:
            if not self._folders:
                raise NoFolderError
            return list(self)
        path = path_from_uri(uri)
        folder = self._folders.get(path) if path is not None else None
        if folder is None:
            raise InvalidRequestError("`folder` is not the URI of an open folder.")
        return [folder]


def reason_of(error: BaseException) -> str:
    """Why a folder could not be opened, for a person."""
    if isinstance(error, CodeIntelError):
        return str(error)
    return "It could not be opened; see the server's log."


def _opened(opening: asyncio.Task[WorkspaceFolder]) -> WorkspaceFolder | None:
    done = opening.done() and not opening.cancelled()
    return opening.result() if done and opening.exception() is None else None


def _failure(opening: asyncio.Task[WorkspaceFolder]) -> str | None:
    """Why the folder could not be opened; None where it was, or may still be."""
    done = opening.done() and not opening.cancelled()
    error = opening.exception() if done else None
    return reason_of(error) if error is not None else None
