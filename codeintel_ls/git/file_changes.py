"""What commits did to a file, from the output of `--raw --numstat -z` (git-diff(1), "RAW OUTPUT").

Invariant: paths are compared as bytes, so that no name breaks the reading.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from codeintel_ls.git.values import ChangeStatus, Commit, HistoryEntry

_COUNTS = re.compile(rb"\n*(\d+|-)\t(\d+|-)\t(.*)", re.DOTALL)
_GONE = b"000000"


class FileChange(NamedTuple):
    """One file in one commit. `lacking` are the places of those parents that have no such file."""

    path: str
    status: ChangeStatus
    previous_path: str | None = None
    additions: int | None = None
    deletions: int | None = None
    lacking: tuple[int, ...] = ()

    def entry(self, commit: Commit) -> HistoryEntry:
        """The change as the entry of a history."""
        return HistoryEntry(
            commit=commit,
            path=self.path,
            status=self.status,
            additions=self.additions,
            deletions=self.deletions,
            previous_path=self.previous_path,
        )


def file_change(diff: bytes, path: str) -> FileChange | None:
    """What `diff` says of `path`; None where it names other files only."""
    asked = path.encode("utf-8", "surrogateescape")
    tokens = iter(diff.split(b"\0"))
    change: FileChange | None = None
    counts: tuple[int | None, int | None] = (None, None)
    for token in tokens:
        told = token.lstrip(b"\n")
        if told.startswith(b":"):
            name, found = _raw_change(told, tokens)
            change = found if name == asked else change
        elif (match := _COUNTS.fullmatch(token)) is not None:
            name, *numbers = _counted(match, tokens)
            counts = (numbers[0], numbers[1]) if name == asked else counts
    if change is None:
        return None
    return change._replace(path=path, additions=counts[0], deletions=counts[1])


def total_counts(diff: bytes) -> tuple[int, int]:
    """Added and deleted lines of all text files in `diff`."""
    additions = deletions = 0
    tokens = iter(diff.split(b"\0"))
    for token in tokens:
        if (match := _COUNTS.fullmatch(token)) is not None:
            _, added, deleted = _counted(match, tokens)
            additions += added or 0
            deletions += deleted or 0
    return additions, deletions


def names_of(diff: bytes) -> list[bytes]:
    """The (new) names of the files in `--raw -z` output."""
    tokens = iter(diff.split(b"\0"))
    return [
        _raw_change(told, tokens)[0]
        for told in (token.lstrip(b"\n") for token in tokens)
        if told.startswith(b":")
    ]


def _counted(
    match: re.Match[bytes], tokens: Iterator[bytes]
) -> tuple[bytes, int | None, int | None]:
    added, deleted, name = match.groups()
    if not name:
        next(tokens)
        name = next(tokens)
    return name, _count(added), _count(deleted)


def _raw_change(told: bytes, tokens: Iterator[bytes]) -> tuple[bytes, FileChange]:
    """The name in one raw line and what was done to it, without counts."""
    fields = told.lstrip(b":").split(b" ")
    parents = len(told) - len(told.lstrip(b":"))
    letters = fields[-1]
    name = next(tokens)
    if letters[:1] in b"RC" and parents == 1:
        previous = name.decode("utf-8", "surrogateescape")
        status = ChangeStatus(letters[:1].decode("ascii"))
        return next(tokens), FileChange("", status, previous)
    lacking = tuple(place for place in range(parents) if fields[place] == _GONE)
    if fields[parents] == _GONE:
        return name, FileChange("", ChangeStatus.DELETED)
    status = ChangeStatus.ADDED if len(lacking) == parents else ChangeStatus.MODIFIED
    return name, FileChange("", status, lacking=lacking)


def _count(count: bytes) -> int | None:
    return None if count == b"-" else int(count)
