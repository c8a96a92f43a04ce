"""The commits that changed a file, some of its lines or a folder, page by page.

A file's present name comes first, by the plain log of a path, which is fast (git can use the Bloom
filters of a commit-graph). Only at a commit that added the file git is asked whether it was renamed
or copied, and the history goes on under the name before. Invariant: nothing here produces a diff
through a textconv or an external program, and git is stopped as soon as the page is full.
"""

from collections.abc import Callable

from attrs import evolve

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.commit_log import CommitFormat
from codeintel_ls.git.errors import GitFailedError
from codeintel_ls.git.file_changes import FileChange, file_change, names_of, total_counts
from codeintel_ls.git.history_cursor import HistoryCursor, HistoryKind, Stretch
from codeintel_ls.git.line_history import read_line_history
from codeintel_ls.git.origins import KnownOrigins, Origins
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.values import (
    ChangeStatus,
    Commit,
    HistoryBoundary,
    HistoryEntry,
    HistoryPage,
)

_MOST_ORIGINS = 200
_NO_PROGRAMS = ("--no-ext-diff", "--no-textconv")

# Without lines around the changes git need not look at the ends that two contents share. The flag
# for it would ask for patches.
_NO_CONTEXT = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "diff.context",
    "GIT_CONFIG_VALUE_0": "0",
}

Tell = Callable[[HistoryEntry], None]


def read_page(
    runner: GitRunner,
    cursor: HistoryCursor,
    limit: int,
    cancellation: Cancellation,
    *,
    known_origins: KnownOrigins,
    cut_off: frozenset[str],
    counts: bool,
    tell: Tell,
) -> HistoryPage:
    """Up to `limit` entries from `cursor` on; each is given to `tell` as soon as it is known.

    Without `counts`, added and deleted lines of files and folders are not counted. `cut_off` are
    the commits whose parents a shallow clone lacks.
    """
    entries: list[HistoryEntry] = []
    boundary: HistoryBoundary | None = None

    def take(entry: HistoryEntry) -> None:
        entries.append(entry)
        tell(entry)

    if limit == 0:
        rest: HistoryCursor | None = cursor
    elif cursor.kind is HistoryKind.LINES:
        rest = read_line_history(runner, cursor, limit, take, cancellation)
    elif cursor.kind is HistoryKind.FOLDER:
        rest = _read_folder_history(runner, cursor, limit, take, cancellation, counts=counts)
    else:
        origins = Origins(runner, known_origins, cancellation)
        reader = _FileHistory(runner, cursor, origins, take, cancellation, counting=counts)
        rest = reader.read(limit)
        boundary = HistoryBoundary.PARTIAL if origins.uncertain else None
    if any(entry.commit.id in cut_off for entry in entries):
        boundary = HistoryBoundary.SHALLOW
    return HistoryPage(tuple(entries), rest.encode() if rest is not None else None, boundary)


def is_folder_of(runner: GitRunner, start: str, path: str, cancellation: Cancellation) -> bool:
    """Whether the newest commit that touched `path` touched files below it."""
    arguments = ("-1", "--format=", "--raw", "-z", "--no-renames", "-c", "--root")
    told = runner.output("log", *arguments, start, "--", path, cancellation=cancellation)
    names = names_of(told)
    return bool(names) and path.encode("utf-8", "surrogateescape") not in names


class _FileHistory:
    """Reads one page of a file's history, stretch after stretch."""

    def __init__(
        self,
        runner: GitRunner,
        cursor: HistoryCursor,
        origins: Origins,
        take: Tell,
        cancellation: Cancellation,
        *,
        counting: bool,
    ) -> None:
        self._runner = runner
        self._cursor = cursor
        self._stretches = list(cursor.stretches)
        self._at = cursor.at
        self._consumed = cursor.consumed
        self._take = take
        self._taken = 0
        self._cancellation = cancellation
        self._origins = origins
        self._counting = counting

    def read(self, limit: int) -> HistoryCursor | None:
        """Take up to `limit` entries; the place of the next, None behind the last."""
        while self._at < len(self._stretches):
            wanted = limit - self._taken
            if wanted == 0:
                stretches = tuple(self._stretches)
                return evolve(
                    self._cursor, stretches=stretches, at=self._at, consumed=self._consumed
                )
            if self._read_records(wanted) < wanted:
                self._at, self._consumed = self._at + 1, 0
        return None

    def _read_records(self, wanted: int) -> int:
        """Handle the next `wanted` records of the present stretch; how many there were."""
        try:
            return self._handle_records(wanted)
        except GitFailedError:
            if not self._counting:
                raise
            # A partial clone lacks the contents of old files: their lines cannot be counted.
            self._counting = False
            return wanted

    def _handle_records(self, wanted: int) -> int:
        stretch = self._stretches[self._at]
        written = CommitFormat.new()
        given = 0
        # Only one process at a time: while the log runs, nothing else may be asked.
        held: list[tuple[Commit, FileChange | None]] = []
        holding = bool(stretch.cuts) or any(self._told_before(stretch.path))
        with self._runner.stream(
            "log",
            *_NO_PROGRAMS,
            *written.flags,
            # A merge that changed the file beyond all its parents is shown as it differs from them.
            *("-z", "-c", "--root", "--no-renames", "--no-abbrev", "--raw"),
            *(("--numstat",) if self._counting else ()),
            f"--skip={self._consumed}",
            f"--max-count={wanted}",
            *stretch.tips,
            "--",
            stretch.path,
            environment=_NO_CONTEXT,
            cancellation=self._cancellation,
        ) as chunks:
            for commit, diff in written.records(chunks):
                given += 1
                change = file_change(diff, stretch.path)
                if change is None and not diff.strip(b"\0\n"):
                    change = FileChange(stretch.path, ChangeStatus.MODIFIED)
                holding = holding or self._may_be_renamed(commit, change)
                if holding:
                    held.append((commit, change))
                else:
                    self._settle(commit, change)
        for commit, change in held:
            self._settle(commit, change)
        return given

    def _may_be_renamed(self, commit: Commit, change: FileChange | None) -> bool:
        return (
            self._cursor.follow
            and change is not None
            and bool(change.lacking)
            and bool(commit.parents)
        )

    def _settle(self, commit: Commit, change: FileChange | None) -> None:
        """Take a record's entry, if it is one: the path may have been a folder in it."""
        if change is not None and commit.id not in self._dropped():
            if self._may_be_renamed(commit, change):
                change = self._followed(commit, change)
            self._taken += 1
            self._take(change.entry(commit))
        self._consumed += 1

    def _followed(self, commit: Commit, change: FileChange) -> FileChange:
        """The change with the name before; what lies before is left to a later stretch."""
        told = change
        for place in change.lacking:
            origins = sum(len(stretch.tips) for stretch in self._stretches)
            if place >= len(commit.parents) or origins > _MOST_ORIGINS:
                continue
            parent = commit.parents[place]
            found = self._origins.find(parent, commit.id, change.path)
            if found is None or found.previous_path is None:
                continue
            self._go_on(found.previous_path, parent)
            if len(change.lacking) == len(commit.parents):
                self._cut(parent)
                told = found if told is change else told
        return told

    def _go_on(self, path: str, tip: str) -> None:
        for place in range(self._at + 1, len(self._stretches)):
            waiting = self._stretches[place]
            if waiting.path == path:
                if tip not in waiting.tips:
                    self._stretches[place] = evolve(waiting, tips=(*waiting.tips, tip))
                return
        self._stretches.append(Stretch(path, (tip,)))

    def _cut(self, parent: str) -> None:
        stretch = self._stretches[self._at]
        self._stretches[self._at] = evolve(stretch, cuts=(*stretch.cuts, parent))

    def _told_before(self, path: str) -> list[Stretch]:
        return [one for one in self._stretches[: self._at] if one.path == path]

    def _dropped(self) -> frozenset[str]:
        """Commits that are not of the present stretch: of another file, or told already."""
        stretch = self._stretches[self._at]
        dropped = self._origins.commits_of(stretch.cuts, stretch.path)
        for one in self._told_before(stretch.path):
            told = self._origins.commits_of(one.tips, one.path)
            dropped |= told - self._origins.commits_of(one.cuts, one.path)
        return dropped


def _read_folder_history(
    runner: GitRunner,
    cursor: HistoryCursor,
    limit: int,
    take: Tell,
    cancellation: Cancellation,
    *,
    counts: bool,
) -> HistoryCursor | None:
    """Tell what touched a folder; of the whole repository every commit is told, merges too."""
    written = CommitFormat.new()
    path = cursor.first.path
    given = 0
    with runner.stream(
        "log",
        *_NO_PROGRAMS,
        *written.flags,
        *("-z", "-M", "--root", "--no-diff-merges"),
        "--numstat" if counts else "--no-patch",
        f"--skip={cursor.consumed}",
        f"--max-count={limit}",
        *cursor.first.tips,
        "--",
        *(() if path == "." else (path,)),
        environment=_NO_CONTEXT,
        cancellation=cancellation,
    ) as chunks:
        for commit, diff in written.records(chunks):
            given += 1
            counted = counts and len(commit.parents) < 2
            lines = total_counts(diff) if counted else (None, None)
            take(FileChange(path, ChangeStatus.MODIFIED, None, *lines).entry(commit))
    return evolve(cursor, consumed=cursor.consumed + given) if given == limit else None
