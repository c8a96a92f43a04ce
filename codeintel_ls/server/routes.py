"""The one table of what this server answers to.

Each LSP method has a thin file that takes the session and the method's parameters.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from lsprotocol import types

from codeintel_ls.server import (
    code_action,
    code_lens,
    document_link,
    file_events,
    history,
    hover,
    initialize,
    inlay_hint,
    operations,
    text_document_sync,
    workspace_folders,
    workspace_symbol,
)
from codeintel_ls.server.configuration import did_change_configuration
from codeintel_ls.server.protocol import Routes
from codeintel_ls.server.session import Session


def _stop_work(session: Session, params: types.WorkDoneProgressCancelParams) -> None:
    session.tokens.cancel(params.token)


def _newest_of_a_document(handler: Callable[[Session, Any], Any]) -> Callable[[Session, Any], Any]:
    """Serve only the newest request about the whole of a document."""
    return lambda session, params: session.newest.serve(
        (handler, params.text_document.uri), handler(session, params)
    )


def _newest(handler: Callable[[Session, Any], Any]) -> Callable[[Session, Any], Any]:
    """Serve only the newest request: the client asks anew with every letter that is typed."""
    return lambda session, params: session.newest.serve(handler, handler(session, params))


_REQUESTS: Final[Mapping[str, Callable[[Session, Any], Any]]] = {
    types.INITIALIZE: initialize.initialize,
    types.SHUTDOWN: initialize.shutdown,
    types.TEXT_DOCUMENT_HOVER: hover.hover,
    types.TEXT_DOCUMENT_INLAY_HINT: inlay_hint.inlay_hint,
    types.TEXT_DOCUMENT_CODE_LENS: _newest_of_a_document(code_lens.code_lens),
    types.CODE_LENS_RESOLVE: code_lens.resolve_code_lens,
    types.TEXT_DOCUMENT_CODE_ACTION: code_action.code_action,
    types.CODE_ACTION_RESOLVE: code_action.resolve_code_action,
    types.TEXT_DOCUMENT_DOCUMENT_LINK: _newest_of_a_document(document_link.document_link),
    types.DOCUMENT_LINK_RESOLVE: document_link.resolve_document_link,
    types.WORKSPACE_SYMBOL: _newest(workspace_symbol.workspace_symbol),
    types.WORKSPACE_EXECUTE_COMMAND: operations.execute_command,
    types.WORKSPACE_TEXT_DOCUMENT_CONTENT: history.text_document_content,
}
_NOTIFICATIONS: Final[Mapping[str, Callable[[Session, Any], Any]]] = {
    types.INITIALIZED: initialize.initialized,
    types.TEXT_DOCUMENT_DID_OPEN: text_document_sync.did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: text_document_sync.did_change,
    types.TEXT_DOCUMENT_DID_CLOSE: text_document_sync.did_close,
    types.TEXT_DOCUMENT_DID_SAVE: file_events.did_save,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: file_events.did_change_watched_files,
    types.WORKSPACE_DID_CREATE_FILES: file_events.did_create_files,
    types.WORKSPACE_DID_RENAME_FILES: file_events.did_rename_files,
    types.WORKSPACE_DID_DELETE_FILES: file_events.did_delete_files,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: workspace_folders.did_change_workspace_folders,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: did_change_configuration,
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: _stop_work,
}


def routes(session: Session) -> Routes:
    """Every method that a session serves, bound to it."""
    requests = {method: partial(handler, session) for method, handler in _REQUESTS.items()}
    doors = {
        f"{operations.REQUEST_PREFIX}{operation.name}": operations.request_handler(
            session, operation
        )
        for operation in operations.OPERATIONS
    }
    return Routes(
        requests={**requests, **doors},
        notifications={
            method: partial(handler, session) for method, handler in _NOTIFICATIONS.items()
        },
        raw=frozenset({*doors, types.WORKSPACE_EXECUTE_COMMAND, types.SHUTDOWN}),
    )
