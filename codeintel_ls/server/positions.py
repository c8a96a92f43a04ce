"""Ranges on the wire, in the units that `initialize` settled."""

from lsprotocol import types

from codeintel_ls.daemon.text_edits import LINE_ENDINGS, units
from codeintel_ls.search.values import Hit


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
