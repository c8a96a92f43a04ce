"""The values that the git room hands out: plain, frozen, free of git's own formats.

Invariant: lines are 0-based and ends inclusive; times are Unix seconds; paths are relative to the
repository's root, '/'-separated, with surrogateescape for bytes that are no UTF-8.
"""

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen


@frozen
class Person:
    """Who wrote or committed, after `.mailmap`; `offset` is their UTC offset in minutes."""

    name: str
    email: str
    time: int
    offset: int


@frozen
class Commit:
    """One commit; `message` is the whole message, `summary` its first paragraph in one line."""

    id: str
    author: Person
    committer: Person
    summary: str
    message: str
    parents: tuple[str, ...]

    @property
    def short_id(self) -> str:
        """The first 10 hex digits of the id."""
        return self.id[:10]


@frozen
class BlameOptions:
    """What blame overlooks: white space (`-w`), moves within a file (`-M`), copies (`-C`).

    Copies are those from other files that the same commit changed.
    """

    ignore_whitespace: bool = False
    detect_moves: bool = False
    detect_copies: bool = False


@frozen
class BlameHunk:
    """Lines of the buffer that came from one commit, in one piece.

    `commit` is None and `original_line` -1 for lines that are not committed; else the first line
    stood at `original_line` of `original_path` in that commit.
    """

    start_line: int
    end_line: int
    commit: str | None
    original_line: int
    original_path: str


@frozen
class BlameResult:
    """Hunks in line order without gaps, the commits they name, and the HEAD they are true for.

    `cut_off` are those commits whose parents a shallow clone lacks: the lines may be older.
    """

    hunks: tuple[BlameHunk, ...]
    commits: Mapping[str, Commit]
    head: str | None
    cut_off: frozenset[str] = frozenset()


class ChangeStatus(StrEnum):
    """What a commit did to a file."""

    ADDED = "A"
    MODIFIED = "M"
    DELETED = "D"
    RENAMED = "R"
    COPIED = "C"


@frozen
class HistoryEntry:
    """A commit that changed a file, under the `path` that the file had in it.

    For a history of lines the counts are of those lines, for one of a folder of all its files.
    None where there is nothing to count: a binary file, or a merge whose lines came from its
    parents; and where a partial clone lacks what would have to be compared.
    """

    commit: Commit
    path: str
    status: ChangeStatus
    additions: int | None
    deletions: int | None
    previous_path: str | None


class HistoryBoundary(StrEnum):
    """Why there may be more history than this repository knows.

    `SHALLOW`: an entry is of a commit whose parents a shallow clone lacks. `PARTIAL`: contents that
    a partial clone lacks would be needed to know whether a file was renamed.
    """

    SHALLOW = "shallow"
    PARTIAL = "partial"


@frozen
class HistoryPage:
    """Entries, newest first under each name; `next_cursor` is None where there are no more.

    A page that is full has a cursor even where nothing follows it: to know would take a long look.
    """

    entries: tuple[HistoryEntry, ...]
    next_cursor: str | None
    boundary: HistoryBoundary | None = None


@frozen
class FileListing:
    """Paths below the asked folder, relative to it; tracked or untracked, never ignored.

    `repositories` are checked-out submodules and nested repositories, which list their own files.
    A tracked file may be gone from the disk: the caller finds out when it reads it.
    """

    paths: tuple[str, ...]
    repositories: tuple[str, ...]
