"""Texts as editors see them: arrays of lines, edited at places in the negotiated encoding.

A line ends at LF, CR LF or CR and at nothing else (LSP 3.17, Text Documents); Python's own
`splitlines` knows eight more endings, on which incremental edits would go astray. Characters of a
line are counted in UTF-8 bytes, UTF-16 code units or UTF-32 code points, whichever `initialize`
settled (LSP 3.17, Position). Standard library only. Invariants: an edit costs what it touches,
whatever the length of the text, and the lines joined are the text of the client; no other module
counts characters.
"""

import re
from typing import Final

LINE_ENDINGS: Final = "\r\n"
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z|\Z")
_HIGHEST_OF_THE_BMP: Final = "\uffff"

Position = tuple[int, int]
"""A line and a character of it, as the client counts them."""


def lines_of(text: str) -> list[str]:
    """The lines of `text`, each with its ending but the last, which has none and may be empty."""
    if "\r" in text:
        return _LINE.findall(text) if text[-1] in LINE_ENDINGS else _LINE.findall(text)[:-1]
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + lines[-1:]


def edit(lines: list[str], start: Position, end: Position, text: str, encoding: str) -> None:
    """Put `text` where the range is, in place; `lines` are as `lines_of` makes them.

    Places beyond the end of a line or of the text mean that end. A range that ends before it
    begins is read the other way round.
    """
    (first, before), (last, after) = sorted(_offset(lines, one, encoding) for one in (start, end))
    text = lines[first][:before] + text + lines[last][after:]
    if first > 0 and text.startswith("\n") and lines[first - 1].endswith("\r"):
        # The edit brought a CR and a LF together: two lines have become one.
        first -= 1
        text = lines[first] + text
    edited = lines_of(text)
    if last < len(lines) - 1 and not edited[-1]:
        edited.pop()
    lines[first : last + 1] = edited


def _offset(lines: list[str], position: Position, encoding: str) -> tuple[int, int]:
    line, character = position
    if line >= len(lines):
        return len(lines) - 1, len(lines[-1])
    return line, code_points(lines[line], character, encoding)


def code_points(line: str, character: int, encoding: str) -> int:
    """How many code points of `line` lie before `character` units of `encoding`.

    Beyond the end of the line, its length without the line ending (LSP 3.17, Position). Inside
    a character that takes several units, the place before that character.
    """
    content = line.rstrip(LINE_ENDINGS)
    if encoding == "utf-32" or content.isascii():
        return min(character, len(content))
    passed = 0
    for index, one in enumerate(content):
        passed += units(one, encoding)
        if passed > character:
            return index
    return len(content)


def units(text: str, encoding: str) -> int:
    """The length of `text` in units of `encoding`."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-16":
        return len(text) + sum(character > _HIGHEST_OF_THE_BMP for character in text)
    # A lone surrogate has no UTF-8 form; editors count it as the three bytes of U+FFFD.
    return len(text.encode("utf-8", "surrogatepass"))
