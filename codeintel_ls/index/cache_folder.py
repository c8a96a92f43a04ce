"""The folders of a cache: private, described, and with what is damaged set aside in them.

Invariant: what is set aside is moved, never changed; only the oldest of it is deleted.
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from codeintel_ls.index.database import unavailable
from codeintel_ls.index.schema import FORMAT

_DESCRIPTION: Final = "workspace.json"
_KEPT_ASIDE: Final = 2
_ATTEMPTS: Final = 3


def make_private(folder: Path) -> None:
    """Make the folder, and the parents that are missing, readable by their owner alone.

    Raises OSError.
    """
    for attempt in range(_ATTEMPTS):
        try:
            if not folder.parent.exists():
                make_private(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)
        except (FileNotFoundError, FileExistsError):
            # Somebody makes room and removes it at this very moment.
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return


def describe(folder: Path, root: Path, repository: str) -> None:
    """Note whose cache this is and which repository's contents it names.

    The note's mtime tells when the cache was last used. Raises OSError.
    """
    named = str(root) if _is_text(str(root)) else None
    text = orjson.dumps({"root": named, "repository": repository})
    path = folder / _DESCRIPTION
    if path.exists() and path.read_bytes() == text:
        path.touch()
        return
    staged = path.with_suffix(".new")
    staged.write_bytes(text)
    staged.replace(path)


def touch(folder: Path) -> None:
    """Note that the cache is in use now."""
    with suppress(OSError):
        os.utime(folder / _DESCRIPTION)


def folders_sharing(workspaces: Path, repository: str) -> Iterator[Path]:
    """The caches that may name the repository's contents.

    Those whose notes say so, and those whose notes cannot be read or say nothing. Raises
    CacheUnavailableError where it cannot be found out which caches there are.
    """
    try:
        folders = sorted(workspaces.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise unavailable(error) from error
    for folder in folders:
        if _repository_of(folder) in {repository, None}:
            yield folder


def beside(folder: Path) -> Path:
    """Where this version keeps its own, beside what a newer one wrote."""
    return folder.with_name(f"{folder.name}-format{FORMAT}")


def new_aside(folder: Path) -> Path:
    """A new folder for what is damaged."""
    aside = folder / f"set-aside-{time.time_ns()}"
    aside.mkdir(mode=0o700)
    return aside


def keep_few_aside(folder: Path) -> None:
    """Delete what was set aside before the last times."""
    for old in sorted(folder.glob("set-aside-*"))[:-_KEPT_ASIDE]:
        shutil.rmtree(old, ignore_errors=True)


def bytes_below(folder: Path) -> int:
    """The lengths of all files in a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            # SQLite makes and removes files of its own at any time.
            with suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 (many files)
    return total


def _repository_of(folder: Path) -> str | None:
    """The repository's contents that a cache's note names; None where it cannot be told."""
    try:
        named: Any = orjson.loads((folder / _DESCRIPTION).read_bytes())["repository"]
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return named if isinstance(named, str) else None


def _is_text(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
