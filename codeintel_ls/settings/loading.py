"""Reads settings from every place where they may stand, the later over the earlier.

defaults < user file < workspace file (`.codeintel.toml`) < initializationOptions
< workspace/configuration. TOML files spell names in snake_case, JSON in camelCase.
Invariants: loading never fails, it names what it could not take; a workspace's own file sets
nothing that is scoped to the machine (no path, no command).
"""

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from codeintel_ls.settings.locations import user_settings_path
from codeintel_ls.settings.schema import Settings
from codeintel_ls.settings.spec import camel_case
from codeintel_ls.settings.validation import Layer, SettingsProblem, apply_layer

WORKSPACE_FILE = ".codeintel.toml"
_LARGEST_FILE = 1 << 20


@frozen(kw_only=True)
class LoadedSettings:
    """Settings that hold, and what was wrong with the sources."""

    settings: Settings
    problems: tuple[SettingsProblem, ...] = ()


class _UnusableFileError(Exception):
    """Why a settings file is not read, as the end of a sentence."""


def load_settings(
    folder: Path | None,
    *,
    client: object = None,
    initialization_options: object = None,
    environ: Mapping[str, str] = os.environ,
) -> LoadedSettings:
    """The settings for a folder (None: outside any), with every problem named.

    `client` is the editor's answer to `workspace/configuration`, `initialization_options` what
    it sent with `initialize`: JSON values of any shape. Both come from the user's own editor and
    may set everything; null stands for a value that is not set.
    """
    problems: list[SettingsProblem] = []
    files = [("user file", user_settings_path(environ), True)]
    if folder is not None:
        files.append(("workspace file", folder / WORKSPACE_FILE, False))
    layers = [
        Layer(
            source=source,
            values=_read_toml(source, path, problems),
            spelling=_as_it_is,
            trusted=trusted,
        )
        for source, path, trusted in files
    ]
    layers += [
        Layer(source=source, values=values, spelling=camel_case, null_is_unset=True)
        for source, values in (
            ("initializationOptions", initialization_options),
            ("workspace/configuration", client),
        )
    ]
    settings = Settings()
    for layer in layers:
        settings = apply_layer(settings, layer, problems)
    return LoadedSettings(settings=settings, problems=tuple(problems))


def _as_it_is(name: str) -> str:
    return name


def _read_toml(source: str, path: Path, problems: list[SettingsProblem]) -> Mapping[str, object]:
    try:
        return tomllib.loads(_read_text(path))
    except FileNotFoundError:
        return {}
    except _UnusableFileError as error:
        reason = str(error)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 text (byte {error.start})"
    except tomllib.TOMLDecodeError as error:
        reason = f"is not valid TOML: {error}"
    except RecursionError:
        reason = "is nested too deeply"
    message = f"The {source} {path.name} {reason}; all of it is ignored."
    problems.append(SettingsProblem(source=source, key="", message=message))
    return {}


def _read_text(path: Path) -> str:
    # Without O_NONBLOCK, opening a named pipe that a workspace put there would wait forever.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _UnusableFileError("is no regular file")
        content = file.read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise _UnusableFileError(f"is larger than {_LARGEST_FILE} bytes")
    return content.decode("utf-8-sig")
