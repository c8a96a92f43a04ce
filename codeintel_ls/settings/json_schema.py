"""The JSON Schema of all settings, from which the editors' settings are generated.

Invariant: derived from `schema` alone; what validation accepts and what this describes are the
same (a test holds them together).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from codeintel_ls.settings.schema import SECTIONS, Settings
from codeintel_ls.settings.spec import camel_case, default_of, fields_of, spec_of

if TYPE_CHECKING:
    from attrs import Attribute


def json_schema() -> dict[str, object]:
    """JSON Schema (2020-12) with camelCase names; `x-scope` says who may set a value."""
    sections = fields_of(Settings)
    properties = {
        camel_case(name): {
            "description": spec_of(sections[name]).description,
            **_object({camel_case(key): _leaf(leaf) for key, leaf in fields_of(section).items()}),
        }
        for name, section in SECTIONS.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "CodeIntel LS settings",
        **_object(properties),
    }


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": dict(properties)}


def _leaf(attribute: "Attribute[object]") -> dict[str, object]:
    spec = spec_of(attribute)
    default = default_of(attribute)
    described: dict[str, object] = {"description": spec.description, **_type(default)}
    described["default"] = _json_value(default)
    if spec.minimum is not None:
        described["minimum"] = spec.minimum
    if spec.maximum is not None:
        described["maximum"] = spec.maximum
    described["x-scope"] = str(spec.scope)
    return described


def _type(default: object) -> dict[str, object]:
    match default:
        case bool():
            return {"type": "boolean"}
        case int():
            return {"type": "integer"}
        case StrEnum():
            return {"type": "string", "enum": [str(choice) for choice in type(default)]}
        case str():
            return {"type": "string"}
        case _:
            return {"type": "array", "items": {"type": "string"}}


def _json_value(default: object) -> object:
    if isinstance(default, tuple):
        return list(cast("tuple[object, ...]", default))
    return str(default) if isinstance(default, StrEnum) else default
