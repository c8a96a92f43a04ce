"""The shape of a language's table: which nodes of its syntax tree are definitions.

A table maps node types to finders. A finder looks at one node and gives the definition's name
and kind, or None where the node defines nothing worth finding. Finders never look further than
the head of their node: they are called for every statement of a file.
"""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from attrs import frozen
from tree_sitter import Node

CLASS_KINDS = frozenset({"class", "interface", "struct", "enum", "object"})
FUNCTION_KINDS = frozenset({"function", "method", "constructor"})
# Worth a chunk of their own only when they are long: they join their neighbours.
MINOR_KINDS = frozenset({"constant", "variable", "field", "property", "key"})


class Found(NamedTuple):
    """A definition's own name (dotted where the language writes it so) and SymbolKind."""

    name: str
    kind: str


Finder = Callable[[Node], Found | None]

_NONE: Mapping[str, Finder] = {}
_TYPE_ARGUMENTS = re.compile(r"<[^<>]*>")
_SPACES = re.compile(r"\s+")
_LONGEST_NAME = 200


@frozen
class Rules:
    """One language's table, by node type.

    `definitions`: become chunks. `scopes`: named blocks (a C++ namespace, a Rust mod) that are
    walked through and qualify what they hold. `blocks`: nameless ones (`if`, `#ifdef`) that are
    walked through. `wrappers`: hold one definition and belong to it (`export`, a decorated
    definition). `leading`: belong to the definition that follows (attributes, decorators).
    `comments`: what a comment line begins with; `separator` stands between qualified names.
    """

    definitions: Mapping[str, Finder]
    scopes: Mapping[str, Finder] = _NONE
    blocks: frozenset[str] = frozenset()
    wrappers: frozenset[str] = frozenset()
    leading: Mapping[str, Callable[[Node], bool]] = {}
    comments: tuple[str, ...] = ("//", "/*")
    separator: str = "."


def types(names: str) -> frozenset[str]:
    """A set of node types, written as words."""
    return frozenset(names.split())


def always(names: str) -> dict[str, Callable[[Node], bool]]:
    """Node types that always belong to what follows."""
    return dict.fromkeys(names.split(), lambda _node: True)


def named(kind: str, field: str = "name") -> Finder:
    """Find a definition whose name is the text of one field."""

    def find(node: Node) -> Found | None:
        name = node.child_by_field_name(field)
        return Found(plain_name(name), kind) if name is not None else None

    return find


def fixed(name: str, kind: str) -> Finder:
    """Find a definition that has no name of its own (a constructor, an indexer)."""
    found = Found(name, kind)
    return lambda _node: found


def with_body(kind: str, field: str = "body") -> Finder:
    """Find a named definition, but not its mention or forward declaration without a body."""
    find = named(kind)
    return lambda node: find(node) if node.child_by_field_name(field) is not None else None


def text_of(node: Node) -> str:
    """The node's source text."""
    return (node.text or b"").decode("utf-8", "replace")


def plain_name(node: Node) -> str:
    """The node's text as a dotted name, without type arguments and line breaks."""
    name = text_of(node)[:_LONGEST_NAME]
    if not name.isidentifier():
        if "operator" not in name:
            name = _without_type_arguments(name)
        name = _SPACES.sub(" ", name).strip().replace("::", ".").replace("\\", ".")
    return name.strip(".")


def first_child(node: Node, *node_types: str) -> Node | None:
    """The first named child of one of these types."""
    return next((child for child in node.named_children if child.type in node_types), None)


def _without_type_arguments(name: str) -> str:
    while "<" in name:
        shorter = _TYPE_ARGUMENTS.sub("", name)
        if shorter == name:
            return name.partition("<")[0]
        name = shorter
    return name
