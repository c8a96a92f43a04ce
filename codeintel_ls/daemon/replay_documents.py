"""The texts that the editor has open, kept so that a new daemon can be told of them.

Lines end at LF, CR LF or CR, and characters are units of the negotiated encoding (LSP 3.17, Text
Documents). Invariant: the text is what the server's own copy would be after the same messages (a
test compares the two); what the server would refuse changes nothing here.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, cast

from codeintel_ls.daemon.connect_messages import Message, field, notification
from codeintel_ls.daemon.connect_uris import key_of

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z|\Z")
_ENDINGS: Final = "\r\n"
_MAX_UINTEGER: Final = 2**31 - 1
_HIGHEST_OF_THE_BMP: Final = "\uffff"


class Place(NamedTuple):
    """A position of the editor."""

    line: int
    character: int


class Change(NamedTuple):
    """One edit; without a place it is the whole text."""

    place: tuple[Place, Place] | None
    text: str


class OpenDocument:
    """One text, as an array of lines that each have their ending, but the last."""

    def __init__(self, item: Message) -> None:
        self._item = {name: value for name, value in item.items() if name != "text"}
        self._lines = _lines_of(item["text"])

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
                self._lines = _lines_of(text)
            else:
                first, last = sorted(self._offset(one, encoding) for one in place)
                self._replace(first, last, text)

    def _offset(self, place: Place, encoding: str) -> tuple[int, int]:
        if place.line >= len(self._lines):
            return len(self._lines) - 1, len(self._lines[-1])
        return place.line, _code_points(self._lines[place.line], place.character, encoding)

    def _replace(self, first: tuple[int, int], last: tuple[int, int], text: str) -> None:
        (start, before), (end, after) = first, last
        text = self._lines[start][:before] + text + self._lines[end][after:]
        if start and text.startswith("\n") and self._lines[start - 1].endswith("\r"):
            start -= 1
            text = self._lines[start] + text
        lines = _lines_of(text)
        if end < len(self._lines) - 1 and not lines[-1]:
            lines.pop()
        self._lines[start : end + 1] = lines


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
    start, end = _place(field(given, "range", "start")), _place(field(given, "range", "end"))
    return Change((start, end), text) if start is not None and end is not None else None


def _place(given: object) -> Place | None:
    line, character = field(given, "line"), field(given, "character")
    if _is_uinteger(line) and _is_uinteger(character):
        return Place(line, character)
    return None


def _is_integer(value: object) -> bool:
    return type(value) is int and -_MAX_UINTEGER - 1 <= value <= _MAX_UINTEGER


def _is_uinteger(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX_UINTEGER


def _lines_of(text: str) -> list[str]:
    if "\r" in text:
        return _LINE.findall(text) if text[-1] in _ENDINGS else _LINE.findall(text)[:-1]
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:]


def _code_points(line: str, character: int, encoding: str) -> int:
    """How many code points lie before `character` units: at most those before the line's ending.

    Inside a character of several units, the place before it.
    """
    content = line.rstrip(_ENDINGS)
    if encoding == "utf-32" or content.isascii():
        return min(character, len(content))
    passed = 0
    for index, one in enumerate(content):
        passed += _width(one, encoding)
        if passed > character:
            return index
    return len(content)


def _width(character: str, encoding: str) -> int:
    if encoding == "utf-16":
        return 2 if character > _HIGHEST_OF_THE_BMP else 1
    return len(character.encode("utf-8", "surrogatepass"))
