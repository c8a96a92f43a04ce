"""What is known of a setting beside its name, type and default.

Invariant: a specification describes; it reads no file and holds no value.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import cast

from attrs import Attribute, fields, frozen

_SPEC = "codeintel_ls.setting"


class Scope(StrEnum):
    """Who may set a value: `MACHINE` only the user, the others also a workspace."""

    MACHINE = "machine"
    WINDOW = "window"
    RESOURCE = "resource"


@frozen(kw_only=True)
class SettingSpec:
    """What is known of one setting; a section has only a description.

    `expected` describes the valid texts, `accepts` says whether a text is one of them, `problem`
    what is wrong with one (None: nothing), where there is more to say.
    """

    description: str
    scope: Scope | None = None
    minimum: int | None = None
    maximum: int | None = None
    expected: str = ""
    accepts: Callable[[str], bool] | None = None
    problem: Callable[[str], str | None] | None = None


def spec_of(attribute: "Attribute[object]") -> SettingSpec:
    """The specification that a field of a settings class carries."""
    return cast("SettingSpec", attribute.metadata[_SPEC])


def fields_of(section: type) -> "Mapping[str, Attribute[object]]":
    """The fields of a settings class by their Python names, in order."""
    return {attribute.name: attribute for attribute in fields(section)}


def default_of(attribute: "Attribute[object]") -> object:
    """The default of a field that is no section."""
    return cast("object", attribute.default)


def camel_case(name: str) -> str:
    """`max_file_bytes` as JSON and LSP spell it: `maxFileBytes`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def about(
    description: str,
    *,
    scope: Scope | None = None,
    minimum: int | None = None,
    maximum: int | None = None,
    expected: str = "",
    accepts: Callable[[str], bool] | None = None,
    problem: Callable[[str], str | None] | None = None,
) -> dict[str, SettingSpec]:
    """The metadata of a field: its specification, as `spec_of` finds it."""
    spec = SettingSpec(
        description=description,
        scope=scope,
        minimum=minimum,
        maximum=maximum,
        expected=expected,
        accepts=accepts,
        problem=problem,
    )
    return {_SPEC: spec}


def is_absolute_or_empty(text: str) -> bool:
    """Whether a text names the same place wherever one stands, or nothing."""
    return not text or Path(text).is_absolute() or text.startswith("~")
