"""Files that changed: `didSave`, `didChangeWatchedFiles`, files created, renamed and deleted.

Invariant: an event is a hint about a path, never about its content; what the index holds comes
from the disk.
"""

from collections.abc import Iterable

from lsprotocol import types

from codeintel_ls.server.folders import Folder, OutsideWorkspaceError
from codeintel_ls.server.session import Session
from codeintel_ls.settings import WORKSPACE_FILE


async def did_save(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """`textDocument/didSave`."""
    await changed(session, [params.text_document.uri])


async def did_change_watched_files(
    session: Session, params: types.DidChangeWatchedFilesParams
) -> None:
    """`workspace/didChangeWatchedFiles`."""
    await changed(session, (event.uri for event in params.changes))


async def did_create_files(session: Session, params: types.CreateFilesParams) -> None:
    """`workspace/didCreateFiles`."""
    await changed(session, (file.uri for file in params.files))


async def did_rename_files(session: Session, params: types.RenameFilesParams) -> None:
    """`workspace/didRenameFiles`: what is gone, and what is new."""
    await changed(session, (uri for file in params.files for uri in (file.old_uri, file.new_uri)))


async def did_delete_files(session: Session, params: types.DeleteFilesParams) -> None:
    """`workspace/didDeleteFiles`."""
    await changed(session, (file.uri for file in params.files))


async def changed(session: Session, uris: Iterable[str]) -> None:
    """Tell every folder that holds one of the files; those outside are of no interest."""
    paths: dict[Folder, list[str]] = {}
    for uri in uris:
        try:
            place = session.folders.place(uri)
        except OutsideWorkspaceError:
            continue
        paths.setdefault(place.folder, []).append(place.relative)
    for folder, relatives in paths.items():
        opened = folder.opened
        if opened is not None:
            await session.pools.files.run(
                lambda _, live=opened, given=relatives: live.changed(given)
            )
        if WORKSPACE_FILE in relatives:
            await session.reconfigure([folder])
