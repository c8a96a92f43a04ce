"""Blame of a whole committed file, read from git's stream.

Invariant: the answer depends on the commit, the path, the rules and the options alone, never on
the work tree; so git runs no filter for it. See git-blame(1), "INCREMENTAL OUTPUT".
"""

import re
from collections.abc import Iterable, Iterator

from attrs import frozen

from codeintel_ls.git.values import BlameOptions

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


@frozen
class FileBlame:
    """For every line of a file its commit, and its line and path in that commit."""

    commits: tuple[str, ...]
    original_lines: tuple[int, ...]
    original_paths: tuple[str, ...]

    @classmethod
    def collect(cls, entries: Iterable[BlameEntry]) -> "FileBlame":
        """The blame that `entries` (in any order) make up."""
        ordered = sorted(entries, key=lambda entry: entry.first_line)
        return cls(
            tuple(entry.commit for entry in ordered for _ in range(entry.count)),
            tuple(entry.original_line + n for entry in ordered for n in range(entry.count)),
            tuple(entry.original_path for entry in ordered for _ in range(entry.count)),
        )


def blame_arguments(
    commit: str, path: str, options: BlameOptions, ignore_lists: Iterable[str]
) -> tuple[str, ...]:
    """The arguments of a `git blame` whose output `read_entries` understands."""
    return (
        "blame",
        "--incremental",
        "--no-textconv",
        *(("-w",) if options.ignore_whitespace else ()),
        *(("-M",) if options.detect_moves else ()),
        *(f"--ignore-revs-file={name}" for name in ignore_lists),
        commit,
        "--",
        path,
    )


def read_entries(chunks: Iterable[bytes]) -> Iterator[BlameEntry]:
    """The entries of `git blame --incremental`, each as soon as it is known."""
    header: re.Match[bytes] | None = None
    names: dict[bytes, str] = {}
    for line in _lines(chunks):
        if header is None:
            header = _ENTRY.fullmatch(line)
        elif line.startswith(_FILENAME):
            quoted = line[len(_FILENAME) :]
            path = names.setdefault(quoted, unquoted(quoted))
            commit, original, final, count = header.groups()
            yield BlameEntry(
                commit.decode("ascii"), int(final) - 1, int(count), int(original) - 1, path
            )
            header = None


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
