"""The commits that changed a file, or some of its lines, page by page.

Renames are followed by git itself. Invariant: nothing here produces a diff through a textconv or
an external program, and git is stopped as soon as the page is full. See git-log(1).
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from attrs import evolve

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.blame import unquoted
from codeintel_ls.git.commit_log import CommitFormat
from codeintel_ls.git.history_cursor import HistoryCursor
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.values import ChangeStatus, Commit, HistoryEntry, HistoryPage

_NO_PROGRAMS = ("--no-ext-diff", "--no-textconv")
_COUNTS = re.compile(rb"\n*(\d+|-)\t(\d+|-)\t(.*)", re.DOTALL)
_HUNK = re.compile(rb"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@.*\n", re.MULTILINE)
_GONE = b"000000"


class _Change(NamedTuple):
    path: str
    previous_path: str | None
    status: ChangeStatus
    additions: int | None
    deletions: int | None


def read_page(
    runner: GitRunner, cursor: HistoryCursor, limit: int, cancellation: Cancellation
) -> HistoryPage:
    """Up to `limit` entries from `cursor` on."""
    entries: list[HistoryEntry] = []
    consumed = cursor.consumed
    written = CommitFormat.new()
    of_lines = cursor.first_line >= 0
    arguments = _line_arguments(cursor) if of_lines else _file_arguments(cursor)
    # git skips rightly only where it need not look at the diffs to know what is skipped.
    skipped_here = consumed if of_lines or cursor.follow else 0
    with runner.stream(
        "log", *_NO_PROGRAMS, *written.flags, *arguments, cancellation=cancellation
    ) as chunks:
        read = _line_entries if of_lines else _file_entries
        found = read(written.records(chunks), cursor.path)
        for entry in islice(found, skipped_here, None):
            if len(entries) == limit:
                return HistoryPage(tuple(entries), evolve(cursor, consumed=consumed).encode())
            consumed += 1
            if entry is not None:
                entries.append(entry)
    return HistoryPage(tuple(entries), None)


def _file_arguments(cursor: HistoryCursor) -> tuple[str, ...]:
    # A merge that changed the file beyond all its parents is shown as it differs from all of them;
    # git does not look at merges while it follows.
    walk = (
        ("--follow", "--diff-merges=off") if cursor.follow else ("-c", f"--skip={cursor.consumed}")
    )
    return ("-z", "-M", "--raw", "--numstat", "--no-abbrev", *walk, cursor.start, "--", cursor.path)


def _line_arguments(cursor: HistoryCursor) -> tuple[str, ...]:
    lines = f"-L{cursor.first_line + 1},{cursor.last_line + 1}:{cursor.path}"
    return ("--src-prefix=a/", "--dst-prefix=b/", "--unified=0", lines, cursor.start)


def _file_entries(
    records: Iterator[tuple[Commit, bytes]], path: str
) -> Iterator[HistoryEntry | None]:
    """An entry for each record; None where the path was a folder or the like."""
    for commit, diff in records:
        change = _change_of(diff, path)
        if change is None and not diff.strip(b"\0\n"):
            change = _Change(path, None, ChangeStatus.MODIFIED, None, None)
        if change is None:
            yield None
            continue
        path = change.previous_path or path
        yield _entry(commit, change)


def _line_entries(
    records: Iterator[tuple[Commit, bytes]], path: str
) -> Iterator[HistoryEntry | None]:
    for commit, patch in records:
        change = _line_change(patch, path)
        path = change.previous_path or path
        yield _entry(commit, change)


def _entry(commit: Commit, change: _Change) -> HistoryEntry:
    return HistoryEntry(
        commit=commit,
        path=change.path,
        status=change.status,
        additions=change.additions,
        deletions=change.deletions,
        previous_path=change.previous_path,
    )


def _change_of(diff: bytes, path: str) -> _Change | None:
    """What `--raw --numstat -z` says of `path`."""
    asked = path.encode("utf-8", "surrogateescape")
    tokens = iter(diff.split(b"\0"))
    change: tuple[ChangeStatus, bytes | None] | None = None
    counts: tuple[bytes, bytes] | None = None
    for token in tokens:
        told = token.lstrip(b"\n")
        if told.startswith(b":"):
            status, old, new = _raw_change(told, tokens)
            if new == asked:
                change = (status, old)
        elif (match := _COUNTS.fullmatch(token)) is not None:
            added, deleted, name = match.groups()
            if not name:
                next(tokens)
                name = next(tokens)
            if name == asked:
                counts = (added, deleted)
    if change is None:
        return None
    status, old = change
    previous = old.decode("utf-8", "surrogateescape") if old is not None else None
    additions, deletions = (_count(count) for count in counts or (b"-", b"-"))
    return _Change(path, previous, status, additions, deletions)


def _raw_change(told: bytes, tokens: Iterator[bytes]) -> tuple[ChangeStatus, bytes | None, bytes]:
    """The status, the old name of a rename or copy, and the name of one raw line."""
    fields = told.lstrip(b":").split(b" ")
    parents = len(told) - len(told.lstrip(b":"))
    letters = fields[-1]
    first = next(tokens)
    if letters[:1] in b"RC" and parents == 1:
        return ChangeStatus(letters[:1].decode("ascii")), first, next(tokens)
    if fields[parents] == _GONE:
        return ChangeStatus.DELETED, None, first
    if all(mode == _GONE for mode in fields[:parents]):
        return ChangeStatus.ADDED, None, first
    return ChangeStatus.MODIFIED, None, first


def _count(count: bytes) -> int | None:
    return None if count == b"-" else int(count)


def _line_change(patch: bytes, path: str) -> _Change:
    """What the patch of `git log -L` says; `path` is the file's last known name."""
    start = patch.find(b"diff --git ")
    hunk = _HUNK.search(patch, start) if start >= 0 else None
    if hunk is None:
        return _Change(path, None, ChangeStatus.MODIFIED, None, None)
    before, after = _names(patch[start : hunk.start()])
    additions, deletions = _patch_counts(patch, hunk)
    path = after or path
    if before is None:
        return _Change(path, None, ChangeStatus.ADDED, additions, deletions)
    if before == path:
        return _Change(path, None, ChangeStatus.MODIFIED, additions, deletions)
    return _Change(path, before, ChangeStatus.RENAMED, additions, deletions)


def _names(header: bytes) -> tuple[str | None, str | None]:
    """The names in `--- a/OLD` and `+++ b/NEW`, None for no file."""
    new = header.rfind(b"\n+++ ")
    old = header.rfind(b"\n--- ", 0, new)
    names = header[old + 5 : new], header[new + 5 :].removesuffix(b"\n")
    before, after = (None if name == b"/dev/null" else unquoted(name)[2:] for name in names)
    return before, after


def _patch_counts(patch: bytes, hunk: re.Match[bytes] | None) -> tuple[int, int]:
    """Added and deleted lines of all hunks, each as long as its header says."""
    additions = deletions = 0
    while hunk is not None:
        old, new = (int(count) if count is not None else 1 for count in hunk.groups())
        at = hunk.end()
        while (old or new) and at < len(patch):
            sign = patch[at : at + 1]
            old -= sign in b"- "
            new -= sign in b"+ "
            additions += sign == b"+"
            deletions += sign == b"-"
            at = patch.find(b"\n", at) + 1 or len(patch)
        hunk = _HUNK.search(patch, at)
    return additions, deletions
