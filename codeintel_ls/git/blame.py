"""Blame of a committed file as runs of lines, read from git's stream.

Invariant: the answer depends on the commit, the path, the rules and the options alone, never on
the work tree; so git runs no filter for it. See git-blame(1), "INCREMENTAL OUTPUT".
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from operator import attrgetter

from attrs import frozen

from codeintel_ls.git.commit_log import number_of, offset_of
from codeintel_ls.git.values import BlameOptions, Person

_ENTRY = re.compile(rb"([0-9a-f]{40}(?:[0-9a-f]{24})?) (\d+) (\d+) (\d+)")
_FILENAME = b"filename "
_ESCAPE = re.compile(rb"\\([abfnrtv\"\\]|[0-7]{3})")
_ESCAPED = {
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"v": b"\v",
    b'"': b'"',
    b"\\": b"\\",
}


@frozen
class BlameEntry:
    """`count` lines that came from one commit: where they are now, and were then (0-based)."""

    commit: str
    first_line: int
    count: int
    original_line: int
    original_path: str

    @property
    def end_line(self) -> int:
        """The line behind the last one."""
        return self.first_line + self.count

    def moved(self, lines: int) -> "BlameEntry":
        """What the entry says where it stands so many lines further down."""
        return BlameEntry(
            self.commit,
            self.first_line + lines,
            self.count,
            self.original_line,
            self.original_path,
        )

    def joined(self, following: "BlameEntry") -> "BlameEntry":
        """Both entries as one."""
        return BlameEntry(
            self.commit,
            self.first_line,
            self.count + following.count,
            self.original_line,
            self.original_path,
        )

    def part(self, first_line: int, end_line: int) -> "BlameEntry":
        """What the entry says of lines `first_line` to `end_line` (exclusive), all within it."""
        skipped = first_line - self.first_line
        return BlameEntry(
            self.commit,
            first_line,
            end_line - first_line,
            self.original_line + skipped,
            self.original_path,
        )


@frozen
class FileBlame:
    """What is known of a file's blame: entries in line order, maybe with gaps between them."""

    entries: tuple[BlameEntry, ...] = ()

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return tuple(entry.first_line for entry in self.entries)

    @classmethod
    def of(cls, entries: Iterable[BlameEntry]) -> "FileBlame":
        """The blame that `entries`, in any order, make up. Pieces of one commit are joined."""
        joined: list[BlameEntry] = []
        for entry in sorted(entries, key=attrgetter("first_line")):
            if joined and _continues(joined[-1], entry):
                joined[-1] = joined[-1].joined(entry)
            else:
                joined.append(entry)
        return cls(tuple(joined))

    def between(self, first_line: int, end_line: int) -> list[BlameEntry]:
        """What is known of lines `first_line` to `end_line` (exclusive), in their order."""
        found: list[BlameEntry] = []
        index = max(bisect_right(self._starts, first_line) - 1, 0)
        for entry in self.entries[index:]:
            if entry.first_line >= end_line:
                break
            if entry.first_line >= first_line and entry.end_line <= end_line:
                found.append(entry)
            elif entry.end_line > first_line:
                first, end = max(entry.first_line, first_line), min(entry.end_line, end_line)
                found.append(entry.part(first, end))
        return found

    def unknown(self, first_line: int, end_line: int) -> tuple[int, int] | None:
        """The first and the end (exclusive) of what is not known of these lines; None if all is."""
        gaps: list[tuple[int, int]] = []
        at = first_line
        for entry in self.between(first_line, end_line):
            if entry.first_line > at:
                gaps.append((at, entry.first_line))
            at = entry.end_line
        if at < end_line:
            gaps.append((at, end_line))
        return (gaps[0][0], gaps[-1][1]) if gaps else None

    def joined(self, others: Iterable[BlameEntry]) -> "FileBlame":
        """What is known here, and what `others` say of the lines between."""
        if not self.entries:
            return FileBlame.of(others)
        more = list(self.entries)
        for entry in others:
            at = entry.first_line
            for known in self.between(entry.first_line, entry.end_line):
                if known.first_line > at:
                    more.append(entry.part(at, known.first_line))
                at = known.end_line
            if at < entry.end_line:
                more.append(entry.part(at, entry.end_line))
        return FileBlame.of(more)

    @property
    def commits(self) -> set[str]:
        """The ids of all commits in it."""
        return {entry.commit for entry in self.entries}


def _continues(entry: BlameEntry, other: BlameEntry) -> bool:
    return (
        other.first_line == entry.end_line
        and other.commit == entry.commit
        and other.original_line == entry.original_line + entry.count
        and other.original_path == entry.original_path
    )


def blame_arguments(
    revisions: str,
    path: str,
    options: BlameOptions,
    ignore_lists: Iterable[str],
    lines: tuple[int, int] | None = None,
) -> tuple[str, ...]:
    """The arguments of a `git blame` whose output `BlameStream` understands.

    `revisions` is a commit or OLD..NEW; `lines` are the first and the end (0-based, exclusive), all
    for None.
    """
    return (
        "blame",
        "--incremental",
        "--no-textconv",
        *(("-w",) if options.ignore_whitespace else ()),
        *(("-M",) if options.detect_moves else ()),
        *(("-C",) if options.detect_copies else ()),
        *(f"--ignore-revs-file={name}" for name in ignore_lists),
        *((f"-L{lines[0] + 1},{lines[1]}",) if lines is not None else ()),
        revisions,
        "--",
        path,
    )


class BlameStream:
    """The output of one `git blame --incremental`: entries, and who made the commits in them."""

    def __init__(self) -> None:
        self.people: dict[str, tuple[Person, Person]] = {}
        """Author and committer of each commit, as `.mailmap` names them."""
        self.boundaries: set[str] = set()
        """Commits beyond which git did not look (or that have no parents)."""

    def entries(self, chunks: Iterable[bytes]) -> Iterator[BlameEntry]:
        """The entries, each as soon as it is known."""
        header: re.Match[bytes] | None = None
        names: dict[bytes, str] = {}
        told: dict[bytes, bytes] = {}
        for line in _lines(chunks):
            if header is None:
                header, told = _ENTRY.fullmatch(line), {}
            elif line.startswith(_FILENAME):
                quoted = line[len(_FILENAME) :]
                path = names.setdefault(quoted, unquoted(quoted))
                commit, original, final, count = header.groups()
                identity = commit.decode("ascii")
                self._remember(identity, told)
                yield BlameEntry(identity, int(final) - 1, int(count), int(original) - 1, path)
                header = None
            else:
                field_name, _, value = line.partition(b" ")
                told[field_name] = value

    def _remember(self, commit: str, told: dict[bytes, bytes]) -> None:
        if b"boundary" in told:
            self.boundaries.add(commit)
        if b"author" in told:
            self.people[commit] = (_person(told, b"author"), _person(told, b"committer"))


def _person(told: dict[bytes, bytes], role: bytes) -> Person:
    email = told.get(role + b"-mail", b"").removeprefix(b"<").removesuffix(b">")
    return Person(
        told[role].decode("utf-8", "replace"),
        email.decode("utf-8", "replace"),
        number_of(told.get(role + b"-time", b"").decode("latin-1")),
        offset_of(told.get(role + b"-tz", b"").decode("latin-1")),
    )


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    pending = b""
    for chunk in chunks:
        *whole, pending = (pending + chunk).split(b"\n")
        yield from whole


def unquoted(name: bytes) -> str:
    """A path as git writes it: in double quotes with C escapes if it holds odd bytes."""
    if name.startswith(b'"') and name.endswith(b'"') and len(name) > 1:
        name = _ESCAPE.sub(_unescaped, name[1:-1])
    return name.decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return _ESCAPED[code] if code in _ESCAPED else bytes([int(code, 8) & 0xFF])
