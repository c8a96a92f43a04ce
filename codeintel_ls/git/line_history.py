"""The commits that changed some lines of a file. git follows the lines through renames by itself.

Invariant: nothing here produces a diff through a textconv or an external program. See git-log(1),
"-L".
"""

import re
from collections.abc import Callable

from attrs import evolve

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.blame import unquoted
from codeintel_ls.git.commit_log import CommitFormat
from codeintel_ls.git.file_changes import FileChange
from codeintel_ls.git.history_cursor import HistoryCursor
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.values import ChangeStatus, HistoryEntry

_HUNK = re.compile(rb"^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@.*\n", re.MULTILINE)


def read_line_history(
    runner: GitRunner,
    cursor: HistoryCursor,
    limit: int,
    tell: Callable[[HistoryEntry], None],
    cancellation: Cancellation,
) -> HistoryCursor | None:
    """Tell up to `limit` entries from `cursor` on; the place of the next, None behind the last.

    git cannot skip commits here without working out what they did, so it begins anew each time.
    """
    written = CommitFormat.new()
    first, last = cursor.lines
    path = cursor.first.path
    arguments = ("--src-prefix=a/", "--dst-prefix=b/", "--unified=0", "--root")
    lines = f"-L{first + 1},{last + 1}:{path}"
    with runner.stream(
        "log",
        "--no-ext-diff",
        "--no-textconv",
        *written.flags,
        *arguments,
        lines,
        *cursor.first.tips,
        cancellation=cancellation,
    ) as chunks:
        for number, (commit, patch) in enumerate(written.records(chunks)):
            if number == cursor.consumed + limit:
                return evolve(cursor, consumed=number)
            change = _line_change(patch, path)
            path = change.previous_path or path
            if number >= cursor.consumed:
                tell(change.entry(commit))
    return None


def _line_change(patch: bytes, path: str) -> FileChange:
    """What the patch of `git log -L` says; `path` is the file's last known name."""
    start = patch.find(b"diff --git ")
    hunk = _HUNK.search(patch, start) if start >= 0 else None
    if hunk is None:
        return FileChange(path, ChangeStatus.MODIFIED)
    before, after = _names(patch[start : hunk.start()])
    additions, deletions = _patch_counts(patch, hunk)
    path = after or path
    if before is None:
        return FileChange(path, ChangeStatus.ADDED, None, additions, deletions)
    if before == path:
        return FileChange(path, ChangeStatus.MODIFIED, None, additions, deletions)
    return FileChange(path, ChangeStatus.RENAMED, before, additions, deletions)


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
