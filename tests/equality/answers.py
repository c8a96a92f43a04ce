"""Blame as a list of lines, from our client, and the comparison of two such lists."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from attrs import field, frozen, mutable

from codeintel_ls.git import BlameHunk, BlameOptions, GitClient

EVERYTHING = 10**9


class Line(NamedTuple):
    """Where one line comes from: (None, -1, path) if it is not committed. Lines are 0-based."""

    commit: str | None
    original_line: int
    original_path: str


class Author(NamedTuple):
    """Who wrote a commit, after `.mailmap`; `time` in Unix seconds."""

    name: str
    email: str
    time: int


@frozen
class Answer:
    """The lines that were asked, in order, and the authors of the commits they name."""

    lines: Sequence[Line]
    authors: Mapping[str, Author]


@mutable
class Tally:
    """What was compared, and what was found."""

    compared: int = 0
    lines: int = 0
    refused: int = 0
    """Questions that were answered by a typed error where an error is right."""
    skipped: int = 0
    """Draws of which there is nothing to compare, such as a binary file."""
    differences: list[str] = field(factory=list)

    def add(self, other: "Tally") -> None:
        """Count what `other` has counted too."""
        self.compared += other.compared
        self.lines += other.lines
        self.refused += other.refused
        self.skipped += other.skipped
        self.differences += other.differences


class MalformedAnswerError(Exception):
    """Our client left a gap between hunks, or named a commit that it does not describe."""


def told_by(
    client: GitClient,
    path: str,
    first_line: int = 0,
    last_line: int = EVERYTHING,
    *,
    text: str | None = None,
    options: BlameOptions = BlameOptions(),  # noqa: B008 - a frozen value
) -> Answer:
    """What `client` says. Raises `MalformedAnswerError`, `GitError`."""
    early: list[BlameHunk] = []
    result = client.blame_range(
        path,
        first_line,
        last_line,
        text=text,
        options=options,
        partial=lambda found: early.extend(found.hunks),
    )
    lines: list[Line] = []
    for hunk in result.hunks:
        if hunk.start_line != first_line + len(lines) or hunk.end_line < hunk.start_line:
            message = f"a hunk of lines {hunk.start_line} to {hunk.end_line} after {len(lines)}"
            raise MalformedAnswerError(message)
        lines += _lines_of(hunk)
    for hunk in early:
        start = hunk.start_line - first_line
        if start < 0 or _lines_of(hunk) != lines[start : hunk.end_line - first_line + 1]:
            raise MalformedAnswerError(f"{hunk} was told while git looked, but not at the end")
    named = {line.commit for line in lines if line.commit is not None}
    if missing := named - set(result.commits):
        raise MalformedAnswerError(f"commit {min(missing)} is not described")
    if result.head != client.head():
        raise MalformedAnswerError(f"the answer is for {result.head}")
    authors = {
        identity: Author(commit.author.name, commit.author.email, commit.author.time)
        for identity, commit in result.commits.items()
    }
    return Answer(lines, authors)


def _lines_of(hunk: BlameHunk) -> list[Line]:
    count = hunk.end_line - hunk.start_line + 1
    if hunk.commit is None:
        return [Line(None, hunk.original_line, hunk.original_path)] * count
    return [
        Line(hunk.commit, hunk.original_line + distance, hunk.original_path)
        for distance in range(count)
    ]


def difference(expected: Answer, told: Answer, first_line: int = 0) -> str | None:
    """The first thing in which two answers differ; None if there is none."""
    for number, (theirs, ours) in enumerate(zip(expected.lines, told.lines, strict=False)):
        if theirs != ours:
            count = sum(map(tuple.__ne__, expected.lines, told.lines))
            return (
                f"line {first_line + number}: git says {shown(theirs)}, we say {shown(ours)} "
                f"({count} of {len(expected.lines)} lines differ)"
            )
    if len(expected.lines) != len(told.lines):
        return f"git has {len(expected.lines)} lines, we have {len(told.lines)}"
    for identity, author in expected.authors.items():
        if told.authors.get(identity) != author:
            return f"author of {identity}: {tuple(author)}, we say {told.authors.get(identity)}"
    return None


def shown(line: Line) -> str:
    """A line for a person who reads a report."""
    if line.commit is None:
        return "not committed"
    return f"{line.commit[:12]} line {line.original_line} of {line.original_path!r}"
