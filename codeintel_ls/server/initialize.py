"""`initialize`, `initialized` and `shutdown`: how a session begins and ends.

Invariant: `initialize` answers at once; folders open behind it.
"""

from pathlib import Path
from typing import Final

from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder

from codeintel_ls import __version__
from codeintel_ls.daemon.process_life import watch_process
from codeintel_ls.server import code_action
from codeintel_ls.server.configuration import SECTION, pull
from codeintel_ls.server.history import SCHEME
from codeintel_ls.server.operations import COMMANDS
from codeintel_ls.server.session import NAME, Session
from codeintel_ls.server.uris import uri_from_path

_ANY_FILE: Final = types.FileOperationRegistrationOptions(
    filters=[
        types.FileOperationFilter(scheme="file", pattern=types.FileOperationPattern(glob="**/*"))
    ]
)
_FEATURES: Final = {
    types.TEXT_DOCUMENT_DID_OPEN: None,
    types.TEXT_DOCUMENT_DID_CLOSE: None,
    types.TEXT_DOCUMENT_DID_SAVE: types.SaveOptions(include_text=False),
    types.TEXT_DOCUMENT_HOVER: types.HoverOptions(),
    types.TEXT_DOCUMENT_INLAY_HINT: types.InlayHintOptions(),
    types.TEXT_DOCUMENT_CODE_LENS: types.CodeLensOptions(),
    types.CODE_LENS_RESOLVE: None,
    types.TEXT_DOCUMENT_CODE_ACTION: types.CodeActionOptions(
        code_action_kinds=code_action.KINDS, resolve_provider=True
    ),
    types.TEXT_DOCUMENT_DOCUMENT_LINK: types.DocumentLinkOptions(),
    types.DOCUMENT_LINK_RESOLVE: None,
    types.WORKSPACE_SYMBOL: types.WorkspaceSymbolOptions(),
    types.WORKSPACE_DID_CREATE_FILES: _ANY_FILE,
    types.WORKSPACE_DID_RENAME_FILES: _ANY_FILE,
    types.WORKSPACE_DID_DELETE_FILES: _ANY_FILE,
}


async def initialize(session: Session, params: types.InitializeParams) -> types.InitializeResult:
    """Learn what the client can do and has open, say what the server can do."""
    session.client.capabilities = params.capabilities
    if params.client_info is not None:
        session.client_name = params.client_info.name
    session.configuration.initialization_options = params.initialization_options
    chosen = ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities)
    session.encoding = types.PositionEncodingKind(chosen).value
    if params.process_id is not None and session.on_client_gone is not None:
        watch_process(params.process_id, session.on_client_gone)
    for uri in _folders(params):
        session.folders.add(uri)
    return types.InitializeResult(
        capabilities=_capabilities(params.capabilities, chosen),
        server_info=types.ServerInfo(name=NAME, version=__version__),
    )


def _folders(params: types.InitializeParams) -> list[str]:
    if params.workspace_folders is not None:
        return [folder.uri for folder in params.workspace_folders]
    # Clients from before workspace folders name one root, by URI or by path.
    if params.root_uri is not None:
        return [params.root_uri]
    if params.root_path:
        return [uri_from_path(Path(params.root_path))]
    return []


def _capabilities(client: types.ClientCapabilities, encoding: str) -> types.ServerCapabilities:
    capabilities = ServerCapabilitiesBuilder(
        client,
        set(_FEATURES),
        {name: options for name, options in _FEATURES.items() if options is not None},
        list(COMMANDS),
        types.TextDocumentSyncKind.Incremental,
        None,
        encoding,
    ).build()
    if capabilities.workspace is not None:
        # pygls does not know this capability.
        capabilities.workspace.text_document_content = types.TextDocumentContentOptions(
            schemes=[SCHEME]
        )
    return capabilities


async def initialized(session: Session, _params: types.InitializedParams) -> None:
    """Read the settings, let the folders open, register what can be registered by now."""
    try:
        await pull(session, [None])
        await session.load_window_settings()
    finally:
        session.ready.set()
    session.watch_head()
    await session.client.register(_registrations(session))


def _registrations(session: Session) -> list[types.Registration]:
    registrations: list[types.Registration] = []
    if session.client.can("workspace.did_change_configuration.dynamic_registration"):
        options = types.DidChangeConfigurationRegistrationOptions(section=SECTION)
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        registrations.append(types.Registration(f"codeintel:{method}", method, options))
    return [*registrations, *session.watched_files.registrations(session.folders)]


async def shutdown(session: Session, _params: object) -> None:
    """Begin to close everything, so that `exit` has little left to do."""
    session.begin_to_close()
