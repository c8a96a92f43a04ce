"""Turns untyped values (TOML, JSON) into settings, one layer over another.

Invariants: nothing is converted silently (`"7"` is not 7, true is not 1); a value that is wrong
is named and left out while the rest of its layer still works; this never raises on any input
that a TOML or JSON parser can give.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import cast

from attrs import Attribute, evolve, frozen

from codeintel_ls.settings.schema import SECTIONS, Settings
from codeintel_ls.settings.spec import Scope, SettingSpec, default_of, fields_of, spec_of

_LONGEST_ECHO = 60


@frozen(kw_only=True)
class SettingsProblem:
    """A setting that was not taken, and why.

    `source` says where it stands, `key` is its name as that source spells it (empty: all of it).
    `message` is a whole sentence for a person.
    """

    source: str
    key: str
    message: str


@frozen(kw_only=True)
class Layer:
    """Values from one source. `spelling` turns a Python name into the source's spelling.

    `trusted` sources may set machine-scoped settings. In a source with `null_is_unset`, None
    stands for a value that the user has not set.
    """

    source: str
    values: object
    spelling: Callable[[str], str]
    trusted: bool = True
    null_is_unset: bool = False


class _Rejected(Exception):  # noqa: N818 (never leaves this module)
    """What a value should have been."""


def apply_layer(settings: Settings, layer: Layer, problems: list[SettingsProblem]) -> Settings:
    """The settings with the layer's valid values in place; its other values go to `problems`."""
    return _LayerReader(layer, problems).read(settings)


class _LayerReader:
    def __init__(self, layer: Layer, problems: list[SettingsProblem]) -> None:
        self._layer = layer
        self._problems = problems

    def read(self, settings: Settings) -> Settings:
        for key, value in self._entries("", self._layer.values):
            name = self._python_name(key, SECTIONS)
            if name is None:
                self._unknown(key, SECTIONS, "section")
            else:
                section = cast("object", getattr(settings, name))
                settings = evolve(settings, **{name: self._read_section(key, section, value)})
        return settings

    def _read_section(self, section_key: str, section: object, values: object) -> object:
        known = fields_of(type(section))
        accepted: dict[str, object] = {}
        for key, value in self._entries(section_key, values):
            name = self._python_name(key, known)
            if name is None:
                self._unknown(key, known, "setting", section_key)
                continue
            full_key = f"{section_key}.{key}"
            if self._may_set(full_key, spec_of(known[name])):
                self._accept(full_key, name, known[name], value, accepted)
        # A section is one of the frozen classes of the schema; its type is only known as object.
        return evolve(section, **accepted) if accepted else section  # pyright: ignore[reportArgumentType, reportUnknownVariableType]

    def _accept(
        self,
        key: str,
        name: str,
        attribute: "Attribute[object]",
        value: object,
        accepted: dict[str, object],
    ) -> None:
        try:
            accepted[name] = _checked(value, default_of(attribute), spec_of(attribute))
        except _Rejected as rejected:
            self._problem(key, f"must be {rejected}, but is {_echo(value)}; it is ignored.")

    def _entries(self, key: str, values: object) -> Iterable[tuple[str, object]]:
        if values is None and self._layer.null_is_unset:
            return
        if not isinstance(values, Mapping):
            self._problem(key, f"must be a table of settings, but is {_echo(values)}.")
            return
        for name, value in cast("Mapping[object, object]", values).items():
            if value is not None or not self._layer.null_is_unset:
                yield str(name), value

    def _may_set(self, key: str, spec: SettingSpec) -> bool:
        if self._layer.trusted or spec.scope is not Scope.MACHINE:
            return True
        self._problem(
            key, "may not be set by a workspace; put it into your user settings file instead."
        )
        return False

    def _python_name(self, key: str, known: Iterable[str]) -> str | None:
        return next((name for name in known if self._layer.spelling(name) == key), None)

    def _unknown(
        self, key: str, known: Iterable[str], what: str, section_key: str | None = None
    ) -> None:
        spelled = {self._layer.spelling(name): name for name in known}
        close = get_close_matches(key, spelled, n=1) or [
            spelling for spelling, name in spelled.items() if name == key
        ]
        prefix = f"{section_key}." if section_key else ""
        hint = (
            f" Did you mean {prefix}{close[0]}?" if close else f" Known are {', '.join(spelled)}."
        )
        self._problem(f"{prefix}{key}", f"is no known {what}; it is ignored.{hint}")

    def _problem(self, key: str, rest: str) -> None:
        source = self._layer.source
        subject = f"{_short(key)} ({source})" if key else f"The {source}"
        message = f"{subject} {rest}"
        self._problems.append(SettingsProblem(source=source, key=key, message=message))


def _checked(value: object, default: object, spec: SettingSpec) -> object:
    match default:
        case bool():
            return _checked_bool(value)
        case int():
            return _checked_int(value, spec)
        case StrEnum():
            return _checked_choice(value, type(default))
        case str():
            return _checked_text(value, spec)
        case _:
            return _checked_texts(value, spec)


def _checked_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Rejected("true or false")
    return value


def _checked_int(value: object, spec: SettingSpec) -> int:
    low, high = spec.minimum, spec.maximum
    whole = value if isinstance(value, int) and not isinstance(value, bool) else None
    if whole is None or (low is not None and whole < low) or (high is not None and whole > high):
        raise _Rejected(f"a whole number from {low} to {high}")
    return whole


def _checked_choice(value: object, choices: type[StrEnum]) -> StrEnum:
    if not isinstance(value, str) or value not in set(choices):
        raise _Rejected("one of " + ", ".join(f'"{choice}"' for choice in choices))
    return choices(value)


def _checked_text(value: object, spec: SettingSpec) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise _Rejected(spec.expected)
    if spec.accepts is not None and not spec.accepts(value):
        raise _Rejected(spec.expected)
    problem = spec.problem(value) if spec.problem is not None else None
    if problem is not None:
        raise _Rejected(f"{spec.expected} (this one {problem})")
    return value


def _checked_texts(value: object, spec: SettingSpec) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise _Rejected(f"a list of {spec.expected}")
    items = cast("list[object] | tuple[object, ...]", value)
    try:
        return tuple(_checked_text(item, spec) for item in items)
    except _Rejected:
        raise _Rejected(f"a list of {spec.expected}") from None


def _echo(value: object) -> str:
    try:
        return _short(json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_ECHO else text[: _LONGEST_ECHO - 1] + "…"
