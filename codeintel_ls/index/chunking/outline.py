"""The definitions directly within a syntax node, with their comments and decorators.

Looks only as deep as it must: into the named and nameless blocks of the language's table, into
anything too long for one chunk, and into ERROR nodes, but never into a definition, whose own
outline is asked for when it must be split.
"""

from bisect import bisect_left
from collections.abc import Iterator

from attrs import evolve, frozen
from tree_sitter import Node

from codeintel_ls.index.chunking.rules import (
    CLASS_KINDS,
    FUNCTION_KINDS,
    MINOR_KINDS,
    Found,
    Rules,
)
from codeintel_ls.index.chunking.windows import Lines

# A nameless node with a greater load is looked into for definitions and places to cut.
_OPAQUE_LOAD = 0.4
# Neighbours of one name are joined when one of them is small and both are a function's size.
_SMALL_LOAD = 0.35
_JOINED_LOAD = 1.5


@frozen
class Definition:
    """Rows `first` (with comments) or `start` (without) to `end` (exclusive) define `symbol`."""

    first: int
    start: int
    end: int
    symbol: str
    kind: str
    node: Node

    @property
    def is_function(self) -> bool:
        """Whether what it holds is statements, not members."""
        return self.kind in FUNCTION_KINDS


@frozen
class Outline:
    """`definitions` in the order of their lines; `statements`: rows where something starts.

    `starts` are the definitions' start rows.
    """

    definitions: list[Definition]
    statements: frozenset[int]
    starts: list[int]

    def held(self, start: int, end: int) -> list[Definition]:
        """The definitions that start on rows `start` to `end` (exclusive)."""
        return self.definitions[bisect_left(self.starts, start) : bisect_left(self.starts, end)]


class Outliner:
    """Reads the outline of nodes of one file."""

    def __init__(self, rules: Rules, lines: Lines) -> None:
        self._rules = rules
        self._lines = lines

    def outline(self, node: Node, owner: Definition | None) -> Outline:
        """What `node` (the file's root, or `owner`'s own node) holds."""
        statements: set[int] = set()
        definitions: list[Definition] = []
        floor = owner.start + 1 if owner is not None else 0
        pending = [_Level(iter(node.named_children), owner.symbol if owner else "")]
        while pending:
            level = pending[-1]
            child = next(level.children, None)
            if child is None:
                pending.pop()
                continue
            row, end = child.start_point.row, _end_row(child)
            if self._leads(child):
                level.lead = row if level.lead is None else level.lead
                continue
            statements.add(row)
            found = self._find(child, owner)
            if found is not None and _is_again(owner, found[1], row):
                pending.append(_Level(iter(child.named_children), level.scope))
            elif found is not None:
                inner, name = found
                first = self._first_row(row if level.lead is None else level.lead, floor)
                symbol, kind = self._qualify(name, level.scope, owner)
                statements.add(first)
                definitions.append(Definition(first, row, end, symbol, kind, inner))
            else:
                inner_level = self._inside(child, level.scope, row, end)
                if inner_level is not None:
                    pending.append(inner_level)
            if child.type not in _COMMENT_TYPES:
                level.lead = None
                floor = max(floor, row + 1)
        joined = _joined(definitions, self._lines)
        return Outline(joined, frozenset(statements), [each.start for each in joined])

    def _leads(self, node: Node) -> bool:
        leads = self._rules.leading.get(node.type)
        return leads is not None and leads(node)

    def _find(self, node: Node, owner: Definition | None) -> tuple[Node, Found] | None:
        """The definition that a node is or wraps."""
        finder = self._rules.definitions.get(node.type)
        found = finder(node) if finder is not None else None
        if found is not None and found.name:
            if found.kind in MINOR_KINDS and owner is not None and owner.is_function:
                return None
            return node, found
        if node.type in self._rules.wrappers:
            for child in node.named_children:
                inner = self._find(child, owner)
                if inner is not None:
                    return inner
        return None

    def _qualify(self, found: Found, scope: str, owner: Definition | None) -> Found:
        kind = found.kind
        if kind == "function" and owner is not None and owner.kind in CLASS_KINDS:
            kind = "method"
        elif kind == "variable" and owner is not None and owner.kind in CLASS_KINDS:
            kind = "field"
        return Found(self._join(scope, found.name), kind)

    def _join(self, scope: str, name: str) -> str:
        if not scope or scope in _TRANSPARENT_SYMBOLS:
            return name
        return f"{scope}{self._rules.separator}{name}"

    def _inside(self, node: Node, scope: str, row: int, end: int) -> "_Level | None":
        named = self._named_scope(node)
        if named is not None:
            inner, found = named
            return _Level(iter(inner.named_children), self._join(scope, found.name))
        is_open = node.type in self._rules.blocks
        if is_open or self._lines.load(row, min(end, len(self._lines))) > _OPAQUE_LOAD:
            return _Level(iter(node.named_children), scope)
        return None

    def _named_scope(self, node: Node) -> tuple[Node, Found] | None:
        finder = self._rules.scopes.get(node.type)
        found = finder(node) if finder is not None else None
        if found is not None:
            return node, found
        if node.type in self._rules.wrappers and self._rules.scopes:
            for child in node.named_children:
                if child.type in self._rules.scopes:
                    return self._named_scope(child)
        return None

    def _first_row(self, row: int, floor: int) -> int:
        """The row of the first comment line directly above, not above `floor`."""
        comments = self._rules.comments
        while comments and row > floor:
            above = self._lines[row - 1].strip()
            if above.startswith(comments):
                row -= 1
            elif above.endswith("*/") and "/*" in comments:
                opening = self._opening_row(row - 1, floor)
                if opening is None:
                    break
                row = opening
            else:
                break
        return row

    def _opening_row(self, row: int, floor: int) -> int | None:
        for candidate in range(row, floor - 1, -1):
            line = self._lines[candidate]
            if "/*" in line:
                return candidate if line.lstrip().startswith("/*") else None
        return None


_COMMENT_TYPES = frozenset({"comment", "line_comment", "block_comment", "multiline_comment"})
# Owners that say nothing: what they hold is known by its own name.
_TRANSPARENT_SYMBOLS = frozenset({"module.exports", "exports", "default"})


class _Level:
    """A node whose children are being walked."""

    __slots__ = ("children", "lead", "scope")

    def __init__(self, children: Iterator[Node], scope: str) -> None:
        self.children = children
        self.scope = scope
        self.lead: int | None = None


def _end_row(node: Node) -> int:
    end = node.end_point
    return end.row if end.column == 0 and end.row > node.start_point.row else end.row + 1


def _is_again(owner: Definition | None, found: Found, row: int) -> bool:
    """Whether a node is its owner in other words: `typedef struct A {} A`, `type A struct {}`."""
    if owner is None or row != owner.start:
        return False
    return owner.symbol == found.name or owner.symbol.endswith(f".{found.name}")


def _joined(definitions: list[Definition], lines: Lines) -> list[Definition]:
    """Put functions of one name together: overloads, clauses, a property and its setter."""
    joined: list[Definition] = []
    for definition in definitions:
        last = joined[-1] if joined else None
        if last is not None and _are_one(last, definition, lines):
            joined[-1] = evolve(last, end=definition.end)
            continue
        if last is not None and last.start < definition.first < last.end:
            # A shared line, or a comment at the end of the earlier node, is about the later one.
            joined[-1] = evolve(last, end=definition.first)
        joined.append(definition)
    return joined


def _are_one(one: Definition, other: Definition, lines: Lines) -> bool:
    if one.symbol != other.symbol or not (one.is_function and other.is_function):
        return False
    middle, end = max(one.end, other.first), min(other.end, len(lines))
    if not one.first < middle < end or other.first - one.end > 1:
        return False
    smaller = min(lines.load(one.first, middle), lines.load(middle, end))
    return smaller <= _SMALL_LOAD and lines.load(one.first, end) <= _JOINED_LOAD
