"""`FILE`, `FILE:LINE` and `FILE:FIRST-LAST` on the command line, and the repository behind them.

Lines are 1-based here, as people and compilers count them; 0-based everywhere below. Invariant: a
path that exists as it was written is never taken apart, whatever colons it holds.
"""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import frozen

from codeintel_ls.cli.folders import current_folder, discover_repository, settings_of
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import BinaryFileError, GitClient
from codeintel_ls.git.text import decode, is_binary, split_lines
from codeintel_ls.settings import Settings, blame_directory, commit_graph_directory

_LINES: Final = re.compile(
    r"(?P<path>.+):(?P<first>\d{1,9})(?:[-,](?P<last>\d{1,9}))?:?", re.DOTALL
)
# As compilers print a place: the column says nothing here.
_WITH_COLUMN: Final = re.compile(r"(?P<path>.+):(?P<first>\d{1,9}):(?:\d+):?(?P<last>)", re.DOTALL)


@frozen
class Place:
    """An absolute path, and the lines asked for: 1-based, inclusive; None for all of them."""

    path: Path
    lines: tuple[int, int] | None

    @property
    def name(self) -> str:
        """The file's own name, for messages."""
        return self.path.name


def parse_place(text: str) -> Place:
    """Raises InvalidRequestError for lines that cannot be: 0, or the last before the first."""
    found = None if os.path.lexists(text) else _LINES.fullmatch(text)
    if found is None:
        return Place(_absolute(text), None)
    if not os.path.lexists(found["path"]):
        found = _WITH_COLUMN.fullmatch(text) or found
    first = int(found["first"])
    last = int(found["last"]) if found["last"] else first
    if first < 1:
        raise InvalidRequestError(f"Lines are counted from 1, but {text} names line {first}.")
    if last < first:
        raise InvalidRequestError(f"{text} ends before it begins: write {last}-{first}.")
    return Place(_absolute(found["path"]), (first, last))


@contextmanager
def repository_of(
    place: Place, *, folders: bool = False
) -> Generator[tuple[GitClient, str, Settings]]:
    """The repository that holds the place, the path in it, and the settings that hold there.

    The file itself may be gone. Raises GitError, InvalidRequestError for a directory (unless
    `folders` will do).
    """
    if place.path.is_dir() and not folders:
        raise InvalidRequestError(f"{place.name} is a folder. Name a file in it.")
    above = (place.path, *place.path.parents)
    folder = next((one for one in above if one.is_dir()), place.path.parent)
    client = discover_repository(folder)
    try:
        settings = settings_of(client.root)
        if settings.git.commit_graph:
            # One that the daemon has built; here it would be waited for.
            client.use_commit_graph(commit_graph_directory(settings.cache, client.common_dir))
        client.keep_blames_in(blame_directory(settings.cache, client.common_dir))
        yield client, client.relative_path(place.path), settings
    finally:
        client.close()


def read_lines(place: Place) -> list[str]:
    """The file's lines as they are on the disk.

    Raises InvalidRequestError for a file that is not there, BinaryFileError.
    """
    try:
        content = place.path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidRequestError(f"{place.name} does not exist. Check the path.") from error
    except OSError as error:
        raise InvalidRequestError(
            f"{place.name} cannot be read: {error.strerror or 'unknown reason'}."
        ) from error
    if is_binary(content) and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BinaryFileError(place.name)
    return split_lines(decode(content)).lines


def lines_within(place: Place, count: int) -> tuple[int, int]:
    """The asked lines of a file with `count` lines, cut to its end; all where none are named.

    Raises InvalidRequestError when the first is past the end.
    """
    if place.lines is None:
        return 1, count
    first, last = place.lines
    if first > count:
        have = f"{count} line" + ("" if count == 1 else "s")
        raise InvalidRequestError(f"{place.name} has {have}; there is no line {first}.")
    return first, min(last, count)


def _absolute(text: str) -> Path:
    if not text:
        raise InvalidRequestError("The file's name is empty. Name a file.")
    return current_folder() / Path(text).expanduser()
