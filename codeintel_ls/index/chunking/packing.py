"""An outline becomes chunks: whole definitions, split big ones, joined small neighbours.

Invariant: the pieces of a region are in order, contiguous, and together exactly the region.
"""

import re
from collections.abc import Iterable

from attrs import define
from tree_sitter import Node

from codeintel_ls.index.chunking.outline import Definition, Outline, Outliner
from codeintel_ls.index.chunking.rules import MINOR_KINDS
from codeintel_ls.index.chunking.values import Chunk
from codeintel_ls.index.chunking.windows import Lines

# Loads (1 is 40 lines or 2,000 characters): what stays whole, and what stands alone.
_FUNCTION_FITS = 1.5
_CONTAINER_FITS = 1.0
_RUN_FITS = 1.25
_STANDING_LINES = 5
_STANDING_LINES_OF_MINOR = 12
_STANDING_LOAD = 0.25
_FULLEST = 2.0
_SLIGHT_LINES = 3
_SLIGHT_LOAD = 0.15
# What can do without a chunk for its head: its members' symbols name it.
_SLIGHT_HEADS = frozenset({"module", "object", "key", "string"})
_DEEPEST = 40
# Lines that only close what stands above them, without the white space around them.
_CLOSING = re.compile(
    r"[\])};, \t]*(?:(?://|/\*|--).*)?|end\b[;,) ]*|fi|done|esac|\?>|#[ \t]*endif\b.*|</\w+>"
)


@define
class _Piece:
    """A chunk in the making. `slight` ones may join a neighbour without naming it."""

    start: int
    end: int
    symbol: str | None
    kind: str | None
    slight: bool


class Packer:
    """Packs one file."""

    def __init__(self, lines: Lines, outliner: Outliner) -> None:
        self._lines = lines
        self._outliner = outliner
        self._pieces: list[_Piece] = []

    def pack(self, root: Node) -> list[Chunk]:
        """All chunks of the file."""
        self._region(0, len(self._lines), self._outliner.outline(root, None), None, 0)
        pieces = _without_closing_starts(self._pieces, self._lines)
        return [
            Chunk(piece.start, piece.end, piece.symbol, piece.kind)
            for piece in _with_slight_joined(pieces, self._lines)
        ]

    def _region(
        self, start: int, end: int, outline: Outline, owner: Definition | None, depth: int
    ) -> None:
        cursor = start
        for definition in outline.definitions:
            first, last = max(definition.first, cursor), min(definition.end, end)
            if first >= last or not self._stands(definition):
                continue
            self._run(cursor, first, start, outline, owner)
            self._definition(definition, first, last, depth)
            cursor = last
        self._run(cursor, end, start, outline, owner)

    def _stands(self, definition: Definition) -> bool:
        """Whether it is worth a chunk of its own."""
        height = definition.end - definition.start
        if definition.kind in MINOR_KINDS:
            return height >= _STANDING_LINES_OF_MINOR
        end = min(definition.end, len(self._lines))
        load = self._lines.load(definition.first, end)
        return height >= _STANDING_LINES or load >= _STANDING_LOAD

    def _definition(self, definition: Definition, start: int, end: int, depth: int) -> None:
        fits = _FUNCTION_FITS if definition.is_function else _CONTAINER_FITS
        if self._lines.load(start, end) <= fits:
            self._pieces.append(_Piece(start, end, definition.symbol, definition.kind, False))
            return
        outline = Outline([], frozenset(), [])
        if depth < _DEEPEST:
            outline = self._outliner.outline(definition.node, definition)
        self._region(start, end, outline, definition, depth + 1)

    def _run(
        self, start: int, end: int, region: int, outline: Outline, owner: Definition | None
    ) -> None:
        """Lines between standing definitions: one window or several."""
        if start >= end:
            return
        limit = _FUNCTION_FITS if owner is not None and owner.is_function else _RUN_FITS
        for first, last in self._lines.windows(start, end, limit, outline.statements):
            is_head = first == region and owner is not None
            held = outline.held(first, last)
            symbol, kind = self._name(first, last, held, owner, is_head)
            slight = self._is_slight(first, last, held)
            if is_head and owner is not None and owner.kind not in _SLIGHT_HEADS:
                slight = False
            self._pieces.append(_Piece(first, last, symbol, kind, slight))

    def _name(
        self,
        start: int,
        end: int,
        held: list[Definition],
        owner: Definition | None,
        is_head: bool,
    ) -> tuple[str | None, str | None]:
        """The definition that a run is about: the only one it holds, else its owner."""
        owned = (owner.symbol, owner.kind) if owner is not None else (None, None)
        if is_head or (owner is not None and owner.is_function):
            return owned
        major = [definition for definition in held if definition.kind not in MINOR_KINDS]
        candidates = major or held
        if len(candidates) != 1:
            return owned
        only = candidates[0]
        share = self._lines.written(max(start, only.first), min(end, only.end))
        if share * 2 < self._lines.written(start, end):
            return owned
        return only.symbol, only.kind

    def _is_slight(self, start: int, end: int, held: Iterable[Definition]) -> bool:
        if any(definition.kind not in MINOR_KINDS for definition in held):
            return False
        return (
            self._lines.load(start, end) < _SLIGHT_LOAD + (end - start) / 40
            and self._lines.written(start, end) <= _SLIGHT_LINES
        )


def _without_closing_starts(pieces: list[_Piece], lines: Lines) -> list[_Piece]:
    """Give blank lines and closing brackets at a piece's start to the piece before it."""
    kept: list[_Piece] = []
    for piece in pieces:
        if kept:
            before = kept[-1]
            furthest = min(piece.end, lines.reach(before.start, _FULLEST))
            while piece.start < furthest and _closes(lines[piece.start]):
                piece.start += 1
            before.end = piece.start
        if piece.start < piece.end:
            kept.append(piece)
    return kept


def _with_slight_joined(pieces: list[_Piece], lines: Lines) -> list[_Piece]:
    """Join slight pieces to what follows them, or else to what they follow."""
    kept: list[_Piece] = []
    carried: int | None = None
    for index, piece in enumerate(pieces):
        if carried is not None:
            piece.start, carried = carried, None
        before = kept[-1] if kept else None
        after = pieces[index + 1] if index + 1 < len(pieces) else None
        if not piece.slight:
            kept.append(piece)
        elif after is not None and lines.load(piece.start, after.end) <= _FULLEST:
            carried = piece.start
        elif before is not None and lines.load(before.start, piece.end) <= _FULLEST:
            before.end = piece.end
        else:
            kept.append(piece)
    return kept


def _closes(line: str) -> bool:
    code = line.strip()
    if code.startswith(("//", "/*", "--")):
        return False
    return _CLOSING.fullmatch(code) is not None
