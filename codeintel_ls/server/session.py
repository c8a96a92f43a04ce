"""Everything that belongs to one client, and to nobody else.

Documents, settings, the position encoding, requests and progress of one client live here; open
folders, repositories and threads are `shared`. Invariant: the session changes on the event loop
alone, and closing it stops all that it began.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Final, cast

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from codeintel_ls import __version__
from codeintel_ls.server.client import Client
from codeintel_ls.server.configuration import Configuration, pull, set_log_level
from codeintel_ls.server.documents import Documents
from codeintel_ls.server.endpoint_consent import EndpointQuestions
from codeintel_ls.server.folders import (
    Folder,
    FolderFailedError,
    Folders,
    OutsideWorkspaceError,
    reason_of,
)
from codeintel_ls.server.head_watch import HeadWatch, OpenFile
from codeintel_ls.server.indexing import FolderIndexing
from codeintel_ls.server.live_folders import Use
from codeintel_ls.server.protocol import SessionProtocol
from codeintel_ls.server.shared import Shared
from codeintel_ls.server.status import FolderHealth, StatusReporter, failed_status, summarize
from codeintel_ls.server.superseding import Newest
from codeintel_ls.server.watched_files import WatchedFiles
from codeintel_ls.server.work_done import WorkDoneTokens
from codeintel_ls.settings import WORKSPACE_FILE, Settings
from codeintel_ls.workspace import WorkspaceFolder

logger: Final = logging.getLogger(__name__)

NAME: Final = "codeintel-ls"
_URIS_AT_ONCE: Final = 100
"""Finding the folders of more than these would keep the loop from its other work."""


class Session:
    """One client, from `initialize` to the end of its connection."""

    def __init__(self, shared: Shared, environ: Mapping[str, str] = os.environ) -> None:
        """Nothing is said to the client, and no folder opened yet."""
        self.protocol = _new_protocol()
        self.protocol.latencies = shared.latencies
        self.client = Client(self.protocol)
        self.shared = shared
        self.pools = shared.pools
        self.repositories = shared.repositories
        self.endpoints = EndpointQuestions(self.client, shared.pools.files)
        self.configuration = Configuration(environ)
        self.settings = Settings()
        self.client_name = "unknown"
        self.documents = Documents()
        self.tokens = WorkDoneTokens()
        self.newest = Newest()
        self.encoding: str = types.PositionEncodingKind.Utf16.value
        self.folders = Folders(self._open_folder, self._close_folder)
        self.ready = asyncio.Event()
        self.watched_files = WatchedFiles(
            self.client, self.protocol.in_background, self.files_changed
        )
        self.head_watch = HeadWatch(
            self._open_files,
            lambda file: self.repositories.of(file.place.path, file.settings),
            shared.pools.files,
            self.client.refresh_blame,
        )
        self._watching_head: asyncio.Task[None] | None = None
        self._indexing: dict[Folder, FolderIndexing] = {}
        self._status = StatusReporter(self.client.tell_status)
        self._closed: asyncio.Task[None] | None = None
        self.on_client_gone: Callable[[], None] | None = None
        """Called, from any thread, when the client's process ends; None: nobody need know."""

    # Folders

    def indexing(self, folder: Folder) -> FolderIndexing:
        """What the client is told of the index of a folder."""
        indexing = self._indexing.get(folder)
        if indexing is None:
            indexing = FolderIndexing(
                folder.name,
                self.client,
                self.tokens,
                self.protocol.in_background,
                self.tell_status,
            )
            self._indexing[folder] = indexing
        return indexing

    async def _open_folder(self, folder: Folder) -> WorkspaceFolder:
        await self.ready.wait()
        if self._closed is not None or folder.closed:
            raise FolderFailedError("It was closed.")
        indexing = self.indexing(folder)
        try:
            await pull(self, [folder.uri])
            settings = await self._load_settings(folder)
            use = Use(
                settings, indexing.status, indexing.progress, indexing.was_stopped, indexing.resumed
            )
            folder.settings, folder.use = settings, use
            indexing.stop = lambda: self.shared.folders.stop_indexing(use)
            opened = await self.shared.folders.open(folder.path, use)
        except Exception as error:
            indexing.status(failed_status(reason_of(error)))
            raise
        asking = self.endpoints.ask_for(opened)
        self.protocol.in_background(asking, "asking whether texts may be sent")
        return opened

    async def _close_folder(self, folder: Folder) -> None:
        if folder.use is not None:
            await self.shared.folders.close(folder.use)

    def resume_indexing(self, folder: Folder) -> None:
        """The index of a folder is brought up to date again: what was stopped goes on."""
        self.indexing(folder).resumed()
        if folder.use is not None:
            self.shared.folders.resumed(folder.use)

    def remove_folder(self, uri: str) -> None:
        """The client has closed a folder."""
        folder = self.folders.remove(uri)
        if folder is None:
            return
        self.configuration.forget(folder.uri)
        self.watched_files.folder_removed(folder)
        indexing = self._indexing.pop(folder, None)
        if indexing is not None:
            indexing.end()
        self.tell_status()

    def watch_head(self) -> None:
        """Notice from now on that HEAD moves, and let the client ask for blame again then."""
        run = self.head_watch.run()
        self._watching_head = self.protocol.in_background(run, "watching HEAD")

    def _open_files(self) -> list[OpenFile]:
        files: list[OpenFile] = []
        for document in self.documents:
            with suppress(OutsideWorkspaceError):
                place = self.folders.place(document.uri)
                if place.folder.opened is not None:
                    files.append(OpenFile(place, place.folder.settings))
        return files

    def tell_status(self) -> None:
        """Tell the client how the server is, where that has changed."""
        self.head_watch.look_soon()
        health = [
            FolderHealth(indexing.name, indexing.latest, indexing.stopped)
            for indexing in self._indexing.values()
            if indexing.latest is not None
        ]
        if health or not len(self.folders):
            self._status.set(summarize(health))

    # Files

    async def files_changed(self, uris: Collection[str]) -> None:
        """Tell every folder that holds one of the files; those outside are of no interest."""
        for folder, paths in (await self._by_folder(uris)).items():
            opened = folder.opened
            if opened is not None:
                await self.pools.files.run(lambda _, live=opened, given=paths: live.changed(given))
            if WORKSPACE_FILE in paths:
                await self.reconfigure([folder])

    async def _by_folder(self, uris: Collection[str]) -> dict[Folder, list[str]]:
        paths: dict[Folder, list[str]] = {}
        for number, uri in enumerate(uris, start=1):
            if number % _URIS_AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                place = self.folders.place(uri)
            except OutsideWorkspaceError:
                continue
            paths.setdefault(place.folder, []).append(place.relative)
        return paths

    # Settings

    async def _load_settings(self, folder: Folder | None) -> Settings:
        uri, path = (folder.uri, folder.path) if folder else (None, None)
        settings, problems = await self.pools.files.run(
            lambda _: self.configuration.load(uri, path)
        )
        if problems:
            self.client.warn("CodeIntel LS, settings: " + " ".join(problems))
        return settings

    async def load_window_settings(self) -> None:
        """Read the settings that hold for no folder in particular."""
        self.settings = await self._load_settings(None)
        set_log_level(self.settings)

    async def reconfigure(self, folders: list[Folder] | None = None) -> None:
        """Read all settings again, and let open folders (None: all) work by them."""
        await self.load_window_settings()
        for folder in self.folders if folders is None else folders:
            if folder.opened is not None and folder.use is not None:
                folder.settings = await self._load_settings(folder)
                await self.shared.folders.configure(folder.use, folder.settings)

    # The end

    def begin_to_close(self) -> None:
        """Close in the background."""
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_task(self._close())

    async def close(self) -> None:
        """Stop everything that the session began. May be called more than once."""
        self.begin_to_close()
        if self._closed is not None:
            await asyncio.shield(self._closed)

    async def _close(self) -> None:
        self._status.close()
        if self._watching_head is not None:
            self._watching_head.cancel()
        self.ready.set()
        await self.folders.close()


def _new_protocol() -> SessionProtocol:
    server = LanguageServer(
        NAME, __version__, protocol_cls=SessionProtocol, converter_factory=default_converter
    )
    return cast("SessionProtocol", server.protocol)
