"""Commits in a format of `git log` that no message, name or path can break.

Every record begins with a mark drawn at random for the one call, its fields end with NUL.
Invariant: bytes that are no UTF-8 are replaced, never an error. See git-log(1) "PRETTY FORMATS".
"""

import re
import secrets
from collections.abc import Iterable, Iterator
from itertools import dropwhile, takewhile

from attrs import frozen

from codeintel_ls.git.values import Commit, Person

_IDENT = re.compile(rb"([^<>]*)<([^<>]*)> (\d{1,10}) ([+-]\d{4})")
_SPACES = " \t\r\n"
_FIELDS = ("%H", "%P", "%aN", "%aE", "%ad", "%cN", "%cE", "%cd", "%s", "%B")


@frozen
class CommitFormat:
    """How one call to `git log` writes its records."""

    mark: str

    @classmethod
    def new(cls) -> "CommitFormat":
        """A format with a mark that nobody could foresee."""
        return cls(secrets.token_hex(12))

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags for `git log`, the same whatever is configured."""
        fields = "".join(f"{field}%x00" for field in _FIELDS)
        return (
            f"--format=%x00{self.mark}%x00{fields}",
            "--date=raw",
            "--no-notes",
            "--no-color",
            "--no-decorate",
            "--no-show-signature",
        )

    def records(self, chunks: Iterable[bytes]) -> Iterator[tuple[Commit, bytes]]:
        """Each commit with what follows it (a diff), as soon as it is whole."""
        separator = f"\0{self.mark}\0".encode()
        pending = b""
        begun = False
        for chunk in chunks:
            # A record may be far longer than a chunk: look for the mark in what is new only.
            searched = max(0, len(pending) - len(separator))
            pending += chunk
            while (at := pending.find(separator, searched)) >= 0:
                if begun:
                    yield _record(pending[:at])
                pending, begun, searched = pending[at + len(separator) :], True, 0
        if begun:
            yield _record(pending)


@frozen
class CommitText:
    """What a commit object says, see gitformat "commit" in git-cat-file(1) and git-commit(1).

    `people` are author and committer before any `.mailmap`; None where what stands there is not as
    git writes it, so that only git knows what to make of it.
    """

    parents: tuple[str, ...]
    message: str
    people: tuple[Person, Person] | None

    @classmethod
    def of(cls, content: bytes) -> "CommitText":
        """The text of a commit object."""
        headers, _, body = content.partition(b"\n\n")
        parents: list[str] = []
        people: dict[bytes, Person | None] = {}
        encoding = "utf-8"
        for line in headers.split(b"\n"):
            name, _, value = line.partition(b" ")
            if name == b"parent":
                parents.append(value.decode("ascii", "replace"))
            elif name in (b"author", b"committer"):
                people[name] = None if name in people else _ident(value)
            elif name == b"encoding":
                encoding = value.decode("latin-1")
        author, committer = people.get(b"author"), people.get(b"committer")
        if author is None or committer is None or encoding.lower() != "utf-8":
            both = None
        else:
            both = author, committer
        try:
            text = body.decode(encoding, "replace")
        except LookupError:
            text = body.decode("utf-8", "replace")
        return cls(tuple(parents), text.rstrip("\n"), both)

    def commit(self, identity: str, people: tuple[Person, Person]) -> Commit:
        """The commit of that id: its summary is the first paragraph in one line, as for `%s`."""
        lines = [line.rstrip(_SPACES) for line in self.message.split("\n")]
        from_first = dropwhile(lambda line: not line, lines)
        summary = " ".join(takewhile(bool, from_first))
        author, committer = people
        return Commit(identity, author, committer, summary, self.message, self.parents)


def _ident(value: bytes) -> Person | None:
    """Whom a header names, as split_ident_line of git's ident.c reads it."""
    told = _IDENT.fullmatch(value)
    if told is None:
        return None
    name, *others = told.groups()
    named = name.rstrip(_SPACES.encode()).decode("utf-8", "replace")
    email, seconds, zone = (part.decode("utf-8", "replace") for part in others)
    return Person(named, email, number_of(seconds), offset_of(zone))


def _record(content: bytes) -> tuple[Commit, bytes]:
    *fields, rest = content.split(b"\0", len(_FIELDS))
    identity, parents, name, email, date, by, by_email, by_date, summary, message = (
        field.decode("utf-8", "replace") for field in fields
    )
    commit = Commit(
        id=identity,
        author=_person(name, email, date),
        committer=_person(by, by_email, by_date),
        summary=summary,
        message=message.rstrip("\n"),
        parents=tuple(parents.split()),
    )
    return commit, rest


def _person(name: str, email: str, date: str) -> Person:
    seconds, _, zone = date.partition(" ")
    return Person(name, email, number_of(seconds), offset_of(zone))


def offset_of(zone: str) -> int:
    """Minutes of `+hhmm`; 0 for what is none."""
    sign = -1 if zone.startswith("-") else 1
    digits = number_of(zone.lstrip("+-"))
    return sign * (digits // 100 * 60 + digits % 100)


def number_of(text: str) -> int:
    """A whole number; 0 for what is none."""
    try:
        return int(text)
    except ValueError:
        return 0
