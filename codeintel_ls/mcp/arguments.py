"""The parameters of tools: their JSON Schema, and the check that what came fits it.

Invariant: nothing is converted in silence, and the message names the argument.
"""

from collections.abc import Mapping
from typing import Any, cast

from attrs import field, frozen

from codeintel_ls.mcp.errors import ToolArgumentError

_TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool, "array": list}


@frozen(kw_only=True)
class Parameter:
    """One parameter. `kind` is a type of JSON Schema; an array holds strings.

    `bounds` are inclusive; without a default (`required`) it must be given.
    """

    kind: str
    meaning: str
    required: bool = False
    default: Any = None
    bounds: tuple[int, int] | None = None
    choices: tuple[str, ...] = field(factory=tuple[str, ...])

    def schema(self) -> dict[str, Any]:
        """Its JSON Schema."""
        found: dict[str, Any] = {"type": self.kind, "description": self.meaning}
        if self.kind == "array":
            found["items"] = {"type": "string"}
        if self.bounds is not None:
            found["minimum"], found["maximum"] = self.bounds
        if self.choices:
            found["enum"] = list(self.choices)
        if self.default is not None:
            found["default"] = self.default
        return found

    def check(self, name: str, value: Any) -> None:
        """Raises ToolArgumentError."""
        # `type` and not isinstance: true is no 1.
        if type(value) is not _TYPES[self.kind]:
            raise ToolArgumentError(f"`{name}` must be of the type {self.kind}.")
        if self.kind == "array" and any(type(one) is not str for one in cast("list[Any]", value)):
            raise ToolArgumentError(f"`{name}` must be an array of strings.")
        if self.bounds is not None and not self.bounds[0] <= value <= self.bounds[1]:
            first, last = self.bounds
            raise ToolArgumentError(f"`{name}` must lie between {first} and {last}.")
        if self.choices and value not in self.choices:
            raise ToolArgumentError(f"`{name}` must be one of {', '.join(self.choices)}.")


def schema_of(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """The JSON Schema of an object with these parameters."""
    return {
        "type": "object",
        "properties": {name: one.schema() for name, one in parameters.items()},
        "required": [name for name, one in parameters.items() if one.required],
        "additionalProperties": False,
    }


def read_arguments(parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, with defaults for the rest (None where there is none).

    Raises:
        ToolArgumentError: something is missing, unknown or not as the schema says.

    """
    unknown = sorted(set(given) - set(parameters))
    if unknown:
        known = ", ".join(parameters) or "none"
        raise ToolArgumentError(f"`{unknown[0]}` is not known here; there are: {known}.")
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        value = given.get(name)
        if value is None:
            if parameter.required:
                raise ToolArgumentError(f"`{name}` must be given.")
            value = parameter.default
        else:
            parameter.check(name, value)
        values[name] = value
    return values
