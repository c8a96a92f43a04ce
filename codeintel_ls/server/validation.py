"""Strict reading of what clients send, and plain writing of what they get.

Nothing is converted in silence: `true` is not 1, `1.0` is not 1, `"7"` is not 7, a string is not
a list. Unknown fields are refused. Invariant: the error names the field (`range.start.line`)
and what was expected, and never repeats what was sent, which may be source text.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar, cast, get_args, get_origin

import attrs
from attrs import frozen
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn, override
from lsprotocol import types
from lsprotocol.converters import get_converter

from codeintel_ls.errors import InvalidRequestError

T = TypeVar("T")

MAX_UINTEGER: Final = 2**31 - 1
"""The greatest line or character (LSP 3.17, uinteger)."""


class InvalidParamsError(InvalidRequestError):
    """The parameters of an operation are not what the protocol says."""

    def __init__(self, problem: str, path: str = "") -> None:
        self.problem = problem
        self.path = path
        super().__init__(f"`{path}` {problem}" if path else problem)

    def below(self, step: str) -> "InvalidParamsError":
        """The same error, seen from the object that holds `step`."""
        separator = "" if not self.path or self.path.startswith("[") else "."
        return InvalidParamsError(self.problem, f"{step}{separator}{self.path}")


@frozen
class Between:
    """Bounds of an integer, both inclusive."""

    lowest: int
    highest: int


@frozen
class AtMost:
    """The greatest length of a string in characters, or of a list in elements."""

    length: int


def wire_name(name: str) -> str:
    """`snake_case` as `camelCase`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _expect_exactly(converter: Converter, expected: type, words: str) -> None:
    def check(value: Any, _: Any) -> Any:
        if type(value) is not expected:
            raise InvalidParamsError(f"must be {words}.")
        return value

    converter.register_structure_hook(expected, check)


def _structure_enum(value: Any, kind: type[StrEnum]) -> StrEnum:
    for member in kind:
        if type(value) is str and member.value == value:
            return member
    choices = ", ".join(f'"{member.value}"' for member in kind)
    raise InvalidParamsError(f"must be one of {choices}.")


def _annotated_hook(annotated: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    base, *marks = get_args(annotated)

    def structure(value: Any, _: Any) -> Any:
        structured = converter.structure(value, base)
        for mark in marks:
            _check_mark(structured, mark)
        return structured

    return structure


def _check_mark(value: Any, mark: object) -> None:
    if value is None:
        return
    if isinstance(mark, Between) and not mark.lowest <= value <= mark.highest:
        raise InvalidParamsError(f"must be from {mark.lowest} to {mark.highest}.")
    if isinstance(mark, AtMost) and len(value) > mark.length:
        what = "characters" if isinstance(value, str) else "elements"
        raise InvalidParamsError(f"must have at most {mark.length} {what}.")


def _tuple_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], tuple[Any, ...]]:
    element = get_args(kind)[0]

    def structure(value: Any, _: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise InvalidParamsError("must be a list.")
        elements: list[Any] = []
        for index, one in enumerate(cast("list[Any]", value)):
            try:
                elements.append(converter.structure(one, element))
            except InvalidParamsError as error:
                raise error.below(f"[{index}]") from None
        return tuple(elements)

    return structure


def _class_hook(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    attributes = {wire_name(one.name): one for one in attrs.fields(kind)}

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise InvalidParamsError("must be an object.")
        given = cast("dict[str, Any]", value)
        for name in given:
            if name not in attributes:
                known = ", ".join(attributes) or "none"
                raise InvalidParamsError(f"is not a known field (known: {known}).", name[:100])
        return _construct(kind, attributes, given, converter)

    return structure


def _construct(
    kind: Any,
    attributes: Mapping[str, "attrs.Attribute[Any]"],
    given: Mapping[str, Any],
    converter: Converter,
) -> Any:
    arguments: dict[str, Any] = {}
    for name, attribute in attributes.items():
        if name in given:
            try:
                kind_of_field = cast("Any", attribute.type)
                arguments[attribute.name] = converter.structure(given[name], kind_of_field)
            except InvalidParamsError as error:
                raise error.below(name) from None
        elif attribute.default is attrs.NOTHING:
            raise InvalidParamsError("is missing.", name)
    try:
        return kind(**arguments)
    except ValueError:
        # lsprotocol's own classes check the range of their integers when they are made.
        raise InvalidParamsError(f"must hold integers from 0 to {MAX_UINTEGER}.") from None


def _unstructure_class(kind: Any, converter: Converter) -> Callable[[Any], Mapping[str, Any]]:
    renames = {
        one.name: override(rename=wire_name(one.name), omit_if_default=one.default is None)
        for one in attrs.fields(kind)
    }
    return make_dict_unstructure_fn(kind, converter, **renames)  # pyright: ignore[reportArgumentType]  # cattrs' stub takes the overrides for its own options


def _is_annotated(kind: Any) -> bool:
    return get_origin(kind) is Annotated


def _is_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _is_ours(kind: Any) -> bool:
    return attrs.has(kind) and kind.__module__.startswith("codeintel_ls.")


def _is_strict(kind: Any) -> bool:
    return _is_ours(kind) or kind in {types.Range, types.Position}


def wire_converter() -> Converter:
    """A converter for the classes of `wire.py`: strict inwards, camelCase outwards."""
    converter = get_converter(Converter(detailed_validation=False))
    _expect_exactly(converter, str, "a string")
    _expect_exactly(converter, bool, "true or false")
    _expect_exactly(converter, int, "an integer")
    converter.register_structure_hook(StrEnum, _structure_enum)
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    converter.register_structure_hook_factory(_is_strict, _class_hook)
    converter.register_structure_hook_factory(_is_annotated, _annotated_hook)
    converter.register_unstructure_hook_factory(_is_ours, _unstructure_class)
    return converter


CONVERTER: Final = wire_converter()
"""Immutable once made: it may serve every session."""


def read_params(kind: type[T], value: Any) -> T:
    """The parameters in `value`; None stands for none given.

    Raises:
        InvalidParamsError: naming the field and what was expected.

    """
    return CONVERTER.structure({} if value is None else value, kind)


def write_result(result: object) -> Any:
    """The JSON value of a result."""
    return CONVERTER.unstructure(result)
