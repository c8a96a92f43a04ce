"""`codeintel-ls config`: the settings that hold and where each comes from, or their schema."""

import json
import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import cast

import click

from codeintel_ls.cli import output
from codeintel_ls.cli.folders import folder_to_look_at
from codeintel_ls.settings import (
    WORKSPACE_FILE,
    LoadedSettings,
    Settings,
    json_schema,
    load_settings,
    user_settings_path,
)
from codeintel_ls.settings.schema import SECTIONS
from codeintel_ls.settings.spec import camel_case, fields_of


@click.command("config")
@click.argument("folder", required=False, metavar="[FOLDER]")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of all settings.")
@click.option("--path", "only_paths", is_flag=True, help="Print where settings are read from.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: str | None, schema: bool, only_paths: bool, as_json: bool) -> int:
    """Show the settings that hold in FOLDER, as a settings file would spell them.

    Without FOLDER: the repository one stands in, else the current folder. Exit status 1: some
    setting was not understood.
    """
    if schema:
        click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
        return 0
    root = folder_to_look_at(folder)
    paths = {"user": user_settings_path(os.environ), "workspace": root / WORKSPACE_FILE}
    if only_paths:
        _print_paths(paths, as_json=as_json)
        return 0
    loaded = load_settings(root)
    for problem in loaded.problems:
        output.tell(problem.message, "warning")
    if as_json:
        output.print_json(_document(loaded))
    else:
        for line in _toml_lines(loaded.settings):
            output.print_line(line)
    return 1 if loaded.problems else 0


def _print_paths(paths: dict[str, Path], *, as_json: bool) -> None:
    if as_json:
        output.print_json({name: output.text_of(str(path)) for name, path in paths.items()})
        return
    for name, path in paths.items():
        there = "" if path.exists() else "  (not there)"
        output.print_line(f"{name:<9}  {output.printable(str(path))}{there}")


def _document(loaded: LoadedSettings) -> dict[str, object]:
    settings: dict[str, dict[str, object]] = {}
    sources: dict[str, str] = {}
    for section, name, value, source in _each(loaded.settings):
        settings.setdefault(camel_case(section), {})[camel_case(name)] = _plain(value)
        sources[f"{camel_case(section)}.{camel_case(name)}"] = source
    problems = [
        {"source": problem.source, "key": problem.key, "message": output.text_of(problem.message)}
        for problem in loaded.problems
    ]
    return {"settings": settings, "sources": sources, "problems": problems}


def _toml_lines(settings: Settings) -> Iterator[str]:
    before = None
    for section, name, value, source in _each(settings):
        if section != before:
            yield from ([] if before is None else [""])
            yield f"[{section}]"
            before = section
        # What JSON writes for these types is TOML too.
        written = json.dumps(_plain(value), ensure_ascii=True)
        yield f"{name} = {written}".ljust(40) + f"  # {source}"


def _each(settings: Settings) -> Iterator[tuple[str, str, object, str]]:
    """Section, name, value, and which source decided it."""
    users, defaults = load_settings(None).settings, Settings()
    for section, kind in SECTIONS.items():
        for name in fields_of(kind):
            value, users_value, default = (
                cast("object", getattr(getattr(layer, section), name))
                for layer in (settings, users, defaults)
            )
            if value != users_value:
                source = "workspace file"
            else:
                source = "default" if value == default else "user file"
            yield section, name, value, source


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(cast("tuple[object, ...]", value))
    return str(value) if isinstance(value, StrEnum) else value
