"""`workspace/didChangeWorkspaceFolders`: folders come and go while the server runs.

Invariant: done at once, so that the next request sees the folders as the client does.
"""

from lsprotocol import types

from codeintel_ls.server.session import Session


def did_change_workspace_folders(
    session: Session, params: types.DidChangeWorkspaceFoldersParams
) -> None:
    """Close what is gone, begin to open what is new."""
    for folder in params.event.removed:
        session.remove_folder(folder.uri)
    for folder in params.event.added:
        opened = session.folders.add(folder.uri)
        if opened is not None:
            session.watched_files.folder_added(opened)
