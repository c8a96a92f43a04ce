"""The texts that the editor has open, kept so that a new daemon can be told of them.

Invariant: the text is what the server's own copy would be after the same messages (a test compares
the two); what the server would refuse changes nothing here.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, cast

from codeintel_ls.daemon.connect_messages import Message, field, notification
from codeintel_ls.daemon.connect_uris import key_of
from codeintel_ls.daemon.text_edits import Position, edit, lines_of

_MAX_UINTEGER: Final = 2**31 - 1


class Change(NamedTuple):
    """One edit; without a place it is the whole text."""

    place: tuple[Position, Position] | None
    text: str


class OpenDocument:
    """One text, as an array of lines that each have their ending, but the last."""

    def __init__(self, item: Message) -> None:
        self._item = {name: value for name, value in item.items() if name != "text"}
        self._lines = lines_of(item["text"])

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self._lines)

    def opened(self) -> bytes:
        """The `didOpen` that brings a new daemon to where this text is."""
        return notification(
            "textDocument/didOpen", {"textDocument": {**self._item, "text": self.text}}
        )

    def change(self, version: int, changes: list[Change], encoding: str) -> None:
        """Do the edits of one message in their order."""
        self._item["version"] = version
        for place, text in changes:
            if place is None:
                self._lines = lines_of(text)
            else:
                edit(self._lines, *place, text, encoding)


class OpenDocuments:
    """Every open text of one editor, in the order in which they were opened."""

    def __init__(self) -> None:
        self._documents: dict[str, OpenDocument] = {}

    def open(self, params: object) -> None:
        """Take a `didOpen` in."""
        item = field(params, "textDocument")
        if (
            isinstance(field(item, "uri"), str)
            and isinstance(field(item, "languageId"), str)
            and isinstance(field(item, "text"), str)
            and _is_integer(field(item, "version"))
        ):
            document = OpenDocument(cast("Message", item))
            self._documents[key_of(item["uri"])] = document

    def change(self, params: object, encoding: str) -> None:
        """Take a `didChange` in."""
        uri, version = (
            field(params, "textDocument", "uri"),
            field(params, "textDocument", "version"),
        )
        changes = _changes(field(params, "contentChanges"))
        document = self._documents.get(key_of(uri)) if isinstance(uri, str) else None
        if document is not None and changes is not None and _is_integer(version):
            document.change(version, changes, encoding)

    def close(self, params: object) -> None:
        """Take a `didClose` in."""
        uri = field(params, "textDocument", "uri")
        if isinstance(uri, str):
            self._documents.pop(key_of(uri), None)

    def __iter__(self) -> Iterator[OpenDocument]:
        return iter(list(self._documents.values()))


def _changes(given: object) -> list[Change] | None:
    """The edits of a message; None where one of them has not the shape that LSP gives it."""
    if not isinstance(given, list):
        return None
    changes = [_change(one) for one in cast("list[Any]", given)]
    read = [one for one in changes if one is not None]
    return read if len(read) == len(changes) else None


def _change(given: object) -> Change | None:
    text = field(given, "text")
    if not isinstance(text, str):
        return None
    if "range" not in cast("Message", given):
        return Change(None, text)
    start = _position(field(given, "range", "start"))
    end = _position(field(given, "range", "end"))
    return Change((start, end), text) if start is not None and end is not None else None


def _position(given: object) -> Position | None:
    line, character = field(given, "line"), field(given, "character")
    if _is_uinteger(line) and _is_uinteger(character):
        return line, character
    return None


def _is_integer(value: object) -> bool:
    return type(value) is int and -_MAX_UINTEGER - 1 <= value <= _MAX_UINTEGER


def _is_uinteger(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX_UINTEGER
