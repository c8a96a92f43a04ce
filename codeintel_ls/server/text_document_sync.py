"""`textDocument/didOpen`, `didChange`, `didClose`: the session's copy of the client's texts.

Invariant: done at once and in order, before any request that comes after is served.
"""

from lsprotocol import types

from codeintel_ls.server.session import Session


def did_open(session: Session, params: types.DidOpenTextDocumentParams) -> None:
    """The client owns this text from now on."""
    session.documents.open(params.text_document)
    session.head_watch.look_soon()


def did_change(session: Session, params: types.DidChangeTextDocumentParams) -> None:
    """The client has edited a text."""
    session.documents.change(params, session.encoding)


def did_close(session: Session, params: types.DidCloseTextDocumentParams) -> None:
    """The text on the disk is the one that holds again."""
    session.documents.close(params.text_document.uri)
