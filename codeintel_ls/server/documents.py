"""The texts that the client has open, as it sees them: each an array of lines."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import define, field
from lsprotocol import types

from codeintel_ls.daemon.text_edits import edit, lines_of
from codeintel_ls.server.uris import path_from_uri

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@define(eq=False)
class Document:
    """One open text. `lines` is never empty; its last line has no ending."""

    uri: str
    language: str
    version: int
    lines: list[str]
    _text: str | None = None

    @property
    def text(self) -> str:
        """The whole text. Halves of characters that stayed alone are U+FFFD in it."""
        if self._text is None:
            text = "".join(self.lines)
            if not text.isascii() and _SURROGATE.search(text):
                text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            self._text = text
        return self._text

    def apply(self, change: types.TextDocumentContentChangeEvent, encoding: str) -> None:
        """Do one edit of the client, whose characters are units of `encoding`."""
        self._text = None
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            self.lines = lines_of(change.text)
            return
        start, end = change.range.start, change.range.end
        edit(
            self.lines,
            (start.line, start.character),
            (end.line, end.character),
            change.text,
            encoding,
        )


@define(eq=False)
class Documents:
    """Every open document of one client, by URI."""

    _documents: dict[Path | str, Document] = field(factory=dict[Path | str, Document])

    def open(self, item: types.TextDocumentItem) -> None:
        """Take a text over; one that is already open is replaced."""
        self._documents[_key(item.uri)] = Document(
            uri=item.uri,
            language=str(item.language_id),
            version=item.version,
            lines=lines_of(item.text),
        )

    def change(self, params: types.DidChangeTextDocumentParams, encoding: str) -> None:
        """Apply the client's edits in their order; edits of a closed document are dropped."""
        document = self.get(params.text_document.uri)
        if document is None:
            return
        for change in params.content_changes:
            document.apply(change, encoding)
        document.version = params.text_document.version

    def close(self, uri: str) -> None:
        """Forget a text."""
        self._documents.pop(_key(uri), None)

    def get(self, uri: str) -> Document | None:
        """The open document of this URI."""
        return self._documents.get(_key(uri))

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents.values())


def _key(uri: str) -> Path | str:
    # Clients spell one URI in several ways (`%3A` for `:`, letters of a drive).
    return path_from_uri(uri) or uri
