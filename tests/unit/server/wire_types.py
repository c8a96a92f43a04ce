"""The words in which `editors/protocol.md` must describe the classes of `wire.py`."""

import json
from collections.abc import Mapping
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import attrs
from lsprotocol.types import Range

from codeintel_ls.server.operations import OPERATIONS
from codeintel_ls.server.validation import AtMost, Between, wire_name
from codeintel_ls.server.wire import StatusNotification

PRIMITIVES = {str: "string", int: "integer", float: "number", bool: "boolean", Range: "Range"}


def type_words(kind: Any) -> str:
    if kind in PRIMITIVES:
        return PRIMITIVES[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return type_words(arguments[0]) + "".join(mark_words(mark) for mark in arguments[1:])
    if origin in {Union, UnionType}:
        return " or null".join([type_words(one) for one in arguments if one is not NoneType] + [""])
    if origin is tuple:
        return f"{type_words(arguments[0])}[]"
    if origin is Mapping:
        return f"object of {type_words(arguments[1])}"
    if issubclass(kind, StrEnum):
        return ", ".join(f"`{member}`" for member in kind)
    return kind.__name__


def mark_words(mark: object) -> str:
    match mark:
        case Between():
            return f" {mark.lowest}–{mark.highest}"
        case AtMost():
            return f", at most {mark.length}"
        case _:
            raise AssertionError(mark)


def default_words(attribute: Any) -> str:
    if attribute.default is attrs.NOTHING:
        return "required"
    if attribute.default is None:
        return "–"
    value = list(attribute.default) if isinstance(attribute.default, tuple) else attribute.default
    return f"`{json.dumps(value)}`"


def parameter_rows(kind: Any) -> list[tuple[str, str, str]]:
    return [
        (wire_name(one.name), type_words(one.type).removesuffix(" or null"), default_words(one))
        for one in attrs.fields(kind)
    ]


def field_rows(kind: Any) -> list[tuple[str, str, str]]:
    return [
        (
            wire_name(one.name),
            type_words(one.type)
            if one.default is attrs.NOTHING
            else type_words(one.type).removesuffix(" or null"),
            "always" if one.default is attrs.NOTHING else "where known",
        )
        for one in attrs.fields(kind)
    ]


def result_types() -> dict[str, Any]:
    """Every class that can stand in a result, by name."""
    found: dict[str, Any] = {}
    waiting: list[Any] = [StatusNotification, *(operation.result for operation in OPERATIONS)]
    while waiting:
        kind = waiting.pop()
        if attrs.has(kind) and kind is not Range and kind.__name__ not in found:
            found[kind.__name__] = kind
            waiting += [attribute.type for attribute in attrs.fields(kind)]
        waiting += [one for one in get_args(kind) if one is not Ellipsis and one is not NoneType]
    return found
