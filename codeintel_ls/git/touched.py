"""What commits say and touch: their message, author, paths, and the symbols around their changes.

Commits are read by their ids in small lots, so that no git runs for as long as a history is long.
Invariant: nothing here runs a textconv or an external diff, and what git cannot tell (blobs that a
partial clone lacks, a diff that takes too long) is left out, not an error. See git-log(1).
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

from attrs import evolve, frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.errors import GitFailedError, GitTimedOutError
from codeintel_ls.git.runner import GitRunner

MOST_PATHS: Final = 300
MOST_SYMBOLS: Final = 100

_FIELDS: Final = ("%H", "%P", "%an", "%ae", "%at", "%B")
_LONGEST_LINE: Final = 1 << 12
_QUIET: Final = ("--no-notes", "--no-color", "--no-decorate", "--no-show-signature")
_DIFF: Final = ("--no-renames", "--no-ext-diff", "--no-textconv")
_CALLABLE: Final = re.compile(r"([A-Za-z_$][\w$]*(?:(?:::|\.)~?[A-Za-z_$][\w$]*)*)\s*\(")
_DEFINED: Final = re.compile(
    r"\b(?:class|struct|enum|union|interface|trait|impl|module|namespace|type|def|fn|func"
    r"|function)\s+([A-Za-z_$][\w$]*)"
)
_NO_SYMBOL: Final = frozenset(
    "if for while switch return sizeof catch defined func fn function __attribute__".split()
)


@frozen(kw_only=True)
class TouchedCommit:
    """A commit by its id, as its author wrote it (`.mailmap` is not asked; `time` Unix seconds).

    Of a merge no paths are told. At most `MOST_PATHS` paths and `MOST_SYMBOLS` symbols.
    """

    id: str
    parents: int
    name: str
    email: str
    time: int
    message: str
    paths: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()


class CommitReader:
    """Reads many commits of one work tree in the background, behind whatever somebody waits for.

    Every method may raise `GitError`, and `CancelledError` with a `cancellation`.
    """

    def __init__(self, runner: GitRunner) -> None:
        self._runner = runner

    def reachable(
        self, head: str, limit: int, cancellation: Cancellation | None = None
    ) -> list[str]:
        """Ids of the newest `limit` commits that `head` (an id) reaches, the newest first."""
        listed = ("rev-list", f"--max-count={limit}", head, "--")
        return list(_words(self._runner, listed, cancellation))

    def moved(
        self, before: str, now: str, cancellation: Cancellation | None = None
    ) -> tuple[list[str], list[str]]:
        """Ids that only `before` reaches, and those that only `now` does, the newest first.

        Raises `GitFailedError` where one of them is not there (any more).
        """
        gone: list[str] = []
        come: list[str] = []
        listed = ("rev-list", "--left-right", f"{before}...{now}", "--")
        for word in _words(self._runner, listed, cancellation):
            (gone if word[0] == "<" else come).append(word[1:])
        return gone, come

    def touched(
        self, ids: Sequence[str], cancellation: Cancellation | None = None, *, symbols: bool
    ) -> list[TouchedCommit]:
        """The commits of full `ids`; `symbols`: look at their diffs, too, which is dearer."""
        try:
            found = list(_commits(self._runner, ids, cancellation, names=True))
        except (GitFailedError, GitTimedOutError):
            found = list(_commits(self._runner, ids, cancellation, names=False))
        if not symbols:
            return found
        named: dict[str, tuple[str, ...]] = {}
        with suppress(GitFailedError, GitTimedOutError):
            named = _symbols(self._runner, ids, cancellation)
        return [evolve(commit, symbols=named.get(commit.id, ())) for commit in found]

    def paths_since(
        self, head: str, since: float, most: int, cancellation: Cancellation | None = None
    ) -> frozenset[str] | None:
        """Paths that were touched by commits of `since` (Unix seconds, committer's date) or later.

        A merge touches what it has from none of its parents. None where there are more than `most`
        commits.
        """
        mark = secrets.token_hex(12)
        chosen = (f"--max-age={max(int(since), 0)}", f"--max-count={most + 1}", head, "--")
        with self._runner.stream(
            *(
                "log",
                "-z",
                "-c",
                "--name-only",
                f"--format=tformat:{mark}",
                *_QUIET,
                *_DIFF,
                *chosen,
            ),
            cancellation=cancellation,
        ) as chunks:
            names = [name.lstrip(b"\n") for name in b"".join(chunks).split(b"\0")]
        if names.count(mark.encode()) > most:
            return None
        paths = {name.decode("utf-8", "surrogateescape") for name in names}
        return frozenset(paths - {mark, ""})

    def people(
        self, people: Sequence[tuple[str, str]], cancellation: Cancellation | None = None
    ) -> list[tuple[str, str]]:
        """Names and e-mails as `.mailmap` has them now, in order. See git-check-mailmap(1)."""
        asked = "".join(f"{_plain(name)} <{_plain(email)}>\n" for name, email in people)
        given = asked.encode("utf-8", "surrogateescape")
        told = ("check-mailmap", "--stdin")
        with suppress(GitFailedError):
            answer = self._runner.output(*told, given=given, cancellation=cancellation)
            lines = answer.decode("utf-8", "replace").splitlines()
            if len(lines) == len(people):
                return [_person(line) for line in lines]
        return list(people)


def _commits(
    runner: GitRunner, ids: Sequence[str], cancellation: Cancellation | None, *, names: bool
) -> Iterator[TouchedCommit]:
    mark = secrets.token_hex(12)
    fields = "".join(f"{field}%x00" for field in _FIELDS)
    diff = ("--raw", *_DIFF) if names else ("--no-patch",)
    told = _told(
        runner, ids, cancellation, "-z", f"--format=%x00{mark}%x00{fields}", *_QUIET, *diff
    )
    for record in b"".join(told).split(f"\0{mark}\0".encode())[1:]:
        *values, rest = record.split(b"\0", len(_FIELDS))
        identity, parents, name, email, time, message = (
            value.decode("utf-8", "replace") for value in values
        )
        yield TouchedCommit(
            id=identity,
            parents=len(parents.split()),
            name=name,
            email=email,
            time=int(time) if time.lstrip("-").isdecimal() else 0,
            message=message.rstrip("\n"),
            paths=tuple(_paths(rest)),
        )


def _paths(raw: bytes) -> Iterator[str]:
    """The paths of `--raw -z --no-renames`: each line of modes and ids, then its path."""
    tokens = [token for token in raw.split(b"\0") if token.strip(b"\n")]
    for path in tokens[1 : 2 * MOST_PATHS : 2]:
        yield path.decode("utf-8", "surrogateescape")


def _symbols(
    runner: GitRunner, ids: Sequence[str], cancellation: Cancellation | None
) -> dict[str, tuple[str, ...]]:
    """By commit, the names in the headers of its hunks (what git calls the function context)."""
    mark = secrets.token_hex(12)
    told = re.compile(rb"^(?:%s ([0-9a-f]+)|@@ [-+,0-9 ]+ @@ (.+))$" % mark.encode(), re.MULTILINE)
    found: dict[str, dict[str, None]] = {}
    names: dict[str, None] = {}
    # --no-walk keeps merges without a diff; -z is not asked, so that every header is a line.
    patch = ("--patch", "--unified=0", *_DIFF)
    chunks = _told(runner, ids, cancellation, f"--format={mark} %H", *_QUIET, *patch)
    for lines in _whole_lines(chunks):
        for match in told.finditer(lines):
            identity, header = match.groups()
            if identity is not None:
                names = found.setdefault(identity.decode(), {})
            elif len(names) < MOST_SYMBOLS and (
                name := symbol_of(header.decode("utf-8", "replace"))
            ):
                names[name] = None
    return {identity: tuple(names) for identity, names in found.items()}


def symbol_of(header: str) -> str | None:
    """The name that a line of code defines, as far as it can be told without its language."""
    for match in _CALLABLE.finditer(header):
        if match[1] not in _NO_SYMBOL:
            return match[1]
    defined = _DEFINED.search(header)
    return defined[1] if defined is not None else None


def _whole_lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that end with a line; the inside of an endless line is left out."""
    rest = b""
    for chunk in chunks:
        whole, ended, partial = (rest + chunk).rpartition(b"\n")
        if ended:
            yield whole
        rest = partial if len(partial) < _LONGEST_LINE else partial[:1]
    yield rest


def _told(
    runner: GitRunner, ids: Sequence[str], cancellation: Cancellation | None, *flags: str
) -> Iterator[bytes]:
    given = "".join(f"{identity}\n" for identity in ids).encode("ascii")
    log = ("log", "--no-walk=unsorted", "--stdin", *flags)
    with runner.stream(*log, given=given, cancellation=cancellation, background=True) as chunks:
        yield from chunks


def _words(
    runner: GitRunner, arguments: Sequence[str], cancellation: Cancellation | None
) -> Iterator[str]:
    with runner.stream(*arguments, cancellation=cancellation, background=True) as chunks:
        yield from b"".join(chunks).decode("ascii").split()


def _plain(text: str) -> str:
    return re.sub(r"[<>\r\n]", " ", text).strip()


def _person(line: str) -> tuple[str, str]:
    name, _, email = line.rpartition("<")
    return name.strip(), email.removesuffix(">")
