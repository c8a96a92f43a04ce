"""The texts that the client has open, as it sees them: each an array of lines.

A line ends at LF, CR LF or CR and at nothing else (LSP 3.17, Text Documents); Python's own
`splitlines` knows eight more endings, on which incremental edits would go astray. Invariant: an
edit costs what it touches, whatever the length of the document, and the lines joined are the
text of the client.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from attrs import define, field
from lsprotocol import types

from codeintel_ls.server.positions import code_points
from codeintel_ls.server.uris import path_from_uri

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z|\Z")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def lines_of(text: str) -> list[str]:
    """The lines of `text`, each with its ending but the last, which has none and may be empty."""
    if "\r" in text:
        return _LINE.findall(text) if text[-1] in "\r\n" else _LINE.findall(text)[:-1]
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:]


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
        """Do one edit of the client, whose characters are units of `encoding`.

        Places beyond the end of a line or of the text mean that end. A range that ends before
        it begins is read the other way round.
        """
        self._text = None
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            self.lines = lines_of(change.text)
            return
        first = self._place(change.range.start, encoding)
        last = self._place(change.range.end, encoding)
        if last < first:
            first, last = last, first
        self._replace(first, last, change.text)

    def _place(self, position: types.Position, encoding: str) -> tuple[int, int]:
        if position.line >= len(self.lines):
            return len(self.lines) - 1, len(self.lines[-1])
        return position.line, code_points(self.lines[position.line], position.character, encoding)

    def _replace(self, first: tuple[int, int], last: tuple[int, int], text: str) -> None:
        (start, start_offset), (end, end_offset) = first, last
        text = self.lines[start][:start_offset] + text + self.lines[end][end_offset:]
        if start > 0 and text.startswith("\n") and self.lines[start - 1].endswith("\r"):
            # The edit brought a CR and a LF together: two lines have become one.
            start -= 1
            text = self.lines[start] + text
        lines = lines_of(text)
        if end < len(self.lines) - 1 and not lines[-1]:
            lines.pop()
        self.lines[start : end + 1] = lines


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
