"""Files that changed: `didSave`, `didChangeWatchedFiles`, files created, renamed and deleted.

Invariant: an event is a hint about a path, never about its content; what the index holds comes
from the disk. What a person does is heeded at once, what a watcher saw is gathered first.
"""

from lsprotocol import types

from codeintel_ls.server.session import Session


async def did_save(session: Session, params: types.DidSaveTextDocumentParams) -> None:
    """`textDocument/didSave`."""
    await session.files_changed([params.text_document.uri])


def did_change_watched_files(session: Session, params: types.DidChangeWatchedFilesParams) -> None:
    """`workspace/didChangeWatchedFiles`."""
    session.watched_files.changed(event.uri for event in params.changes)


async def did_create_files(session: Session, params: types.CreateFilesParams) -> None:
    """`workspace/didCreateFiles`."""
    await session.files_changed([file.uri for file in params.files])


async def did_rename_files(session: Session, params: types.RenameFilesParams) -> None:
    """`workspace/didRenameFiles`: what is gone, and what is new."""
    await session.files_changed(
        [uri for file in params.files for uri in (file.old_uri, file.new_uri)]
    )


async def did_delete_files(session: Session, params: types.DeleteFilesParams) -> None:
    """`workspace/didDeleteFiles`."""
    await session.files_changed([file.uri for file in params.files])
