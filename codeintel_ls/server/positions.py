"""Characters on the wire: code points of Python's strings to and from the negotiated units.

LSP counts the characters of a line in UTF-8 bytes, UTF-16 code units or UTF-32 code points,
whichever `initialize` settled (LSP 3.17, Position). Invariant: no other module of the server
counts characters.
"""

from typing import Final

from lsprotocol import types

from codeintel_ls.search.values import Hit

LINE_ENDINGS: Final = "\r\n"
_HIGHEST_OF_THE_BMP: Final = "\uffff"


def _width(character: str, encoding: str) -> int:
    if encoding == types.PositionEncodingKind.Utf16:
        return 2 if character > _HIGHEST_OF_THE_BMP else 1
    # A lone surrogate has no UTF-8 form; editors count it as the three bytes of U+FFFD.
    return len(character.encode("utf-8", "surrogatepass"))


def units(text: str, encoding: str) -> int:
    """The length of `text` in units of `encoding`."""
    if encoding == types.PositionEncodingKind.Utf32 or text.isascii():
        return len(text)
    if encoding == types.PositionEncodingKind.Utf16:
        return len(text) + sum(character > _HIGHEST_OF_THE_BMP for character in text)
    return len(text.encode("utf-8", "surrogatepass"))


def code_points(line: str, character: int, encoding: str) -> int:
    """How many code points of `line` lie before `character` units of `encoding`.

    Beyond the end of the line, its length without the line ending (LSP 3.17, Position). Inside
    a character that takes several units, the place before that character.
    """
    content = line.rstrip(LINE_ENDINGS)
    if encoding == types.PositionEncodingKind.Utf32 or content.isascii():
        return min(character, len(content))
    passed = 0
    for index, one in enumerate(content):
        passed += _width(one, encoding)
        if passed > character:
            return index
    return len(content)


def whole_lines(start_line: int, end_line: int, last_line: str, encoding: str) -> types.Range:
    """The range of lines `start_line` to `end_line` (exclusive), without the last line's ending.

    `last_line` is the text of line `end_line - 1`.
    """
    length = units(last_line.rstrip(LINE_ENDINGS), encoding)
    return types.Range(
        start=types.Position(line=start_line, character=0),
        end=types.Position(line=max(end_line - 1, start_line), character=length),
    )


def hit_range(hit: Hit, encoding: str) -> types.Range:
    """The LSP range of a hit."""
    return whole_lines(hit.start_line, hit.end_line, hit.last_line, encoding)
