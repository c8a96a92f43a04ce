"""The door of the git room: one work tree, asked by threads.

Invariant: every answer is about the HEAD that was read when the question was asked; whatever git
says about the work tree itself is not used, so nothing that a repository configures is run.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git.blame_ahead import BlameAhead
from codeintel_ls.git.blamer import Blamer, Partial
from codeintel_ls.git.commit_graph import ShadowGraph
from codeintel_ls.git.errors import (
    BadRevisionError,
    BinaryFileError,
    NoCommitsYetError,
    PathNotTrackedError,
    PathOutsideRepositoryError,
)
from codeintel_ls.git.file_diff import file_diff
from codeintel_ls.git.history import Tell, is_folder_of, read_page
from codeintel_ls.git.history_cursor import HistoryCursor, HistoryKind, Stretch
from codeintel_ls.git.hunks import checked_range
from codeintel_ls.git.links import commit_url, file_url
from codeintel_ls.git.listing import list_files
from codeintel_ls.git.objects import ObjectReader
from codeintel_ls.git.origins import KnownOrigins
from codeintel_ls.git.repository import FileState, Repository
from codeintel_ls.git.runner import DEFAULT_SECONDS, SHARED_SLOTS, GitRunner, ProcessSlots
from codeintel_ls.git.text import decode, is_binary
from codeintel_ls.git.touched import CommitReader
from codeintel_ls.git.values import BlameOptions, BlameResult, Commit, FileListing, HistoryPage

LARGEST_PAGE = 10_000
_KNOWN_ORIGINS = 20_000


class GitClient:
    """One work tree. Thread-safe; its methods block, so call them off the event loop.

    Every method may raise `GitError`; with a `cancellation` also `CancelledError`, once nothing of
    git is left running. Paths are relative to `root`, '/'-separated.
    """

    def __init__(self, repository: Repository, runner: GitRunner) -> None:
        self._repository = repository
        self._runner = runner
        self._objects = ObjectReader(runner)
        self.log = CommitReader(runner)
        self._blamer = Blamer(repository, runner)
        self._ahead = BlameAhead(self._blamer.blame_rest)
        repository.ask_head = self._ask_head
        self._origins = KnownOrigins(_KNOWN_ORIGINS)
        self._remote: tuple[tuple[FileState, ...], str | None] | None = None
        self.commit_graph: ShadowGraph | None = None
        self.commit_template = ""

    @classmethod
    def discover(
        cls,
        folder: Path,
        *,
        timeout: float = DEFAULT_SECONDS,
        slots: ProcessSlots = SHARED_SLOTS,
        command: str = "git",
    ) -> "GitClient":
        """The work tree that holds `folder`; `timeout` is in seconds for each git process.

        `command` is the name of git to look up in PATH, or its absolute path.
        Raises `NotARepositoryError`, `GitMissingError`, `UntrustedRepositoryError`.
        """
        repository = Repository.discover(folder)
        runner = GitRunner(repository.root, seconds=timeout, slots=slots, command=command)
        if not repository.owned_by_us:
            runner.output("rev-parse", "--git-dir")
        return cls(repository, runner)

    def keep_blames_in(self, folder: Path) -> None:
        """Let blames of recently used files outlive the process in `folder` of our cache."""
        self._blamer.keep_in(folder)

    def use_commit_graph(self, folder: Path | None) -> None:
        """Let git see the commit-graph in `folder` of our cache; only its `refresh` builds one."""
        graph = ShadowGraph(self._repository, self._runner, folder) if folder is not None else None
        self._runner.extra_environment = lambda: graph.environment if graph is not None else {}
        self.commit_graph = graph

    def discover_inner(self, folder: Path) -> "GitClient":
        """The work tree that holds `folder`, asked with the same git, timeout and slots."""
        runner = self._runner
        return GitClient.discover(
            folder, timeout=runner.seconds, slots=runner.slots, command=runner.command
        )

    @property
    def root(self) -> Path:
        """The folder that holds the work tree."""
        return self._repository.root

    @property
    def git_dir(self) -> Path:
        """The git directory of this work tree."""
        return self._repository.git_dir

    @property
    def common_dir(self) -> Path:
        """The git directory shared by all work trees of the repository."""
        return self._repository.common_dir

    def head(self) -> str | None:
        """The id of HEAD's commit, None before the first one. Runs no process."""
        return self._repository.head()

    def relative_path(self, path: Path) -> str:
        """`path` relative to `root`, symbolic links resolved. `PathOutsideRepositoryError`."""
        resolved = path.absolute().resolve()
        try:
            return resolved.relative_to(self.root.resolve()).as_posix()
        except ValueError as error:
            raise PathOutsideRepositoryError(path.name) from error

    def list_files(self, folder: Path, cancellation: Cancellation | None = None) -> FileListing:
        """Tracked and untracked files below `folder`, without ignored ones."""
        self.relative_path(folder)
        return list_files(self._runner, folder, cancellation)

    def blame_range(
        self,
        path: str,
        first_line: int,
        last_line: int,
        *,
        text: str | None = None,
        options: BlameOptions = BlameOptions(),  # noqa: B008 - a frozen value
        cancellation: Cancellation | None = None,
        partial: Partial | None = None,
    ) -> BlameResult:
        """Who wrote lines `first_line` to `last_line` (0-based, inclusive) of a buffer.

        `text` is the buffer; without it, what is on the disk. A last line past the end is cut to
        it; a first line past the end raises `LineOutOfRangeError`. While git looks, `partial` is
        given the hunks that are found, some at a time; the answer has all of them again.
        """
        return self._blamer.blame_range(
            _checked(path),
            first_line,
            last_line,
            text,
            options,
            cancellation or Cancellation(),
            partial,
        )

    def blame_is_cached(
        self,
        path: str,
        options: BlameOptions = BlameOptions(),  # noqa: B008 - a frozen value
        *,
        lines: tuple[int, int] | None = None,
        text: str | None = None,
    ) -> bool:
        """Whether `blame_range` of `lines` (inclusive; None: of any) would run no git.

        `text` is the buffer; without it, what is on the disk.
        """
        return self._blamer.is_warm(_checked(path), options, lines, text)

    def blame_ahead(
        self,
        path: str,
        options: BlameOptions = BlameOptions(),  # noqa: B008 - a frozen value
    ) -> None:
        """Have all of HEAD's `path` blamed when git has nothing better to do; returns at once."""
        self._ahead.add(_checked(path), options)

    def file_history(
        self,
        path: str,
        *,
        lines: tuple[int, int] | None = None,
        text: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
        follow: bool = True,
        counts: bool = True,
        cancellation: Cancellation | None = None,
        tell: Tell = lambda _: None,
    ) -> HistoryPage:
        """The commits that changed `path`, or `lines` of its buffer `text`, newest first.

        Those under the file's present name come first, then those under its earlier names. Each
        entry is also given to `tell` as soon as it is known. Raises `InvalidRequestError` for a
        limit below 0 or a cursor of another question. At most `LARGEST_PAGE` entries are in one
        page. Lines follow renames by themselves. Without `counts` (of a file), added and deleted
        lines are not counted: of long files that takes most of the time.
        """
        path = _checked(path)
        cancellation = cancellation or Cancellation()
        kind = HistoryKind.LINES if lines is not None else HistoryKind.FILE
        if cursor is not None:
            place = HistoryCursor.decode(cursor, kind, path, follow)
        else:
            place = self._first_page(path, lines, text, follow, cancellation)
        if place is None:
            return HistoryPage((), None)
        page = self._page(place, limit, cancellation, tell, counts=counts)
        if not page.entries and limit and lines is None and cursor is None:
            # No commit names it: an error, unless it is at least staged.
            self._blamer.committed_path(place.first.tips[0], path, cancellation)
        return page

    def folder_history(
        self,
        path: str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        counts: bool = True,
        cancellation: Cancellation | None = None,
        tell: Tell = lambda _: None,
    ) -> HistoryPage:
        """The commits that touched the folder `path`, newest first; `.` is the whole repository.

        An entry's path is the folder, its status M, its counts those of all files below. Pages,
        `counts`, `tell` and errors are as for `file_history`.
        """
        path = path if path == "." else _checked(path)
        if cursor is not None:
            place = HistoryCursor.decode(cursor, HistoryKind.FOLDER, path, False)
        else:
            stretches = (Stretch(path, (self._blamer.head(),)),)
            place = HistoryCursor(HistoryKind.FOLDER, path, False, stretches)
        return self._page(place, limit, cancellation or Cancellation(), tell, counts=counts)

    def is_folder(self, path: str, cancellation: Cancellation | None = None) -> bool:
        """Whether `path` is a folder, or was one when a commit touched it last; `.` is one."""
        place = self.root / path
        if path == "." or place.is_dir():
            return True
        head = None if os.path.lexists(place) else self.head()
        cancellation = cancellation or Cancellation()
        return head is not None and is_folder_of(self._runner, head, _checked(path), cancellation)

    def _page(
        self,
        place: HistoryCursor,
        limit: int,
        cancellation: Cancellation,
        tell: Tell,
        *,
        counts: bool,
    ) -> HistoryPage:
        if limit < 0:
            message = f"The limit {limit} is below 0: give how many commits to list."
            raise InvalidRequestError(message)
        return read_page(
            self._runner,
            place,
            min(limit, LARGEST_PAGE),
            cancellation,
            known_origins=self._origins,
            cut_off=self._repository.shallow_commits(),
            counts=counts,
            tell=tell,
        )

    def file_at_revision(
        self, path: str, revision: str, cancellation: Cancellation | None = None
    ) -> str:
        """The text of `path` in the commit `revision` (nothing is followed: name it as it was).

        Raises `BadRevisionError`, `PathNotTrackedError`, `BinaryFileError`, `FileTooLargeError`.
        """
        path = _checked(path)
        commit = self._commit_named(revision, cancellation)
        file = self._objects.file(commit, path, cancellation)
        if file is None:
            raise PathNotTrackedError(path, f"commit {commit[:10]}")
        if is_binary(file.content):
            raise BinaryFileError(path)
        return decode(file.content)

    def commits(
        self, ids: Sequence[str], cancellation: Cancellation | None = None
    ) -> Mapping[str, Commit]:
        """The commits of full `ids`. Raises `BadRevisionError` for one that is not there."""
        return self._objects.commits(ids, cancellation)

    def committed_lines(
        self, path: str, first_line: int, last_line: int, cancellation: Cancellation | None = None
    ) -> tuple[str | None, bool]:
        """The path in HEAD of the file on the disk, and whether all these lines stand there too."""
        head, stop = self._blamer.head(), cancellation or Cancellation()
        buffer = self._blamer.buffer(head, _checked(path), None, stop)
        asked = range(first_line, min(last_line + 1, len(buffer.lines)))
        return buffer.committed_path, all(buffer.line_map.map(line) is not None for line in asked)

    def commit_url(self, commit: str) -> str | None:
        """The page of `commit`, as `commit_template` says where it is set, else on a known site.

        The site is that of the `origin` (or only) remote.
        """
        return commit_url(self._remote_url() or "", commit, self.commit_template)

    def file_url(
        self, commit: str, path: str, first_line: int | None = None, last_line: int | None = None
    ) -> str | None:
        """The page of `path` in `commit`, at lines (0-based, inclusive), on a known site."""
        return file_url(self._remote_url() or "", commit, _checked(path), first_line, last_line)

    def file_diff(self, path: str, revision: str, cancellation: Cancellation | None = None) -> str:
        """What the commit `revision` did to `path`, as a unified diff against its first parent.

        Empty where it did nothing. Raises as `file_at_revision`, but a binary file is no error.
        """
        path = _checked(path)
        commit = self._commit_named(revision, cancellation)
        diff = file_diff(self._runner, commit, path, cancellation)
        if not diff and self._objects.file(commit, path, cancellation) is None:
            raise PathNotTrackedError(path, f"commit {commit[:10]}")
        return diff

    def _remote_url(self) -> str | None:
        state = self._repository.config_state()
        if self._remote is None or self._remote[0] != state:
            self._remote = (state, self._repository.remote_url())
        return self._remote[1]

    def _commit_named(self, revision: str, cancellation: Cancellation | None) -> str:
        try:
            return self._objects.resolve(revision, cancellation)
        except BadRevisionError:
            if self.head() is None:
                raise NoCommitsYetError from None
            raise

    def close(self) -> None:
        """Give back what is held beside memory. The client is not to be used afterwards."""
        self._ahead.close()
        self._objects.close()
        self._blamer.close()
        self._repository.close()

    def _ask_head(self) -> str | None:
        try:
            return self._objects.resolve("HEAD")
        except BadRevisionError:
            return None

    def _first_page(
        self,
        path: str,
        lines: tuple[int, int] | None,
        text: str | None,
        follow: bool,
        cancellation: Cancellation,
    ) -> HistoryCursor | None:
        """Where the history begins; None where no asked line is committed."""
        start = self._blamer.head()
        if lines is None:
            try:
                committed = self._blamer.committed_path(start, path, cancellation)
            except PathNotTrackedError:
                # It may have been deleted: its history remains.
                committed = None
            stretches = (Stretch(committed or path, (start,)),)
            return HistoryCursor(HistoryKind.FILE, path, follow, stretches)
        buffer = self._blamer.buffer(start, path, text, cancellation)
        last = checked_range(path, lines[0], lines[1], buffer.lines)
        mapped = [buffer.line_map.map(line) for line in range(lines[0], last + 1)]
        known = [line for line in mapped if line is not None]
        if buffer.committed is None or buffer.committed_path is None or not known:
            return None
        git_lines = buffer.committed.lines.git_lines
        asked = (git_lines[known[0]], git_lines[known[-1]])
        stretches = (Stretch(buffer.committed_path, (start,)),)
        return HistoryCursor(HistoryKind.LINES, path, follow, stretches, asked)


def _checked(path: str) -> str:
    """`path` in the form in which git stores it. Raises `InvalidRequestError`."""
    steps = PurePosixPath(path)
    if not path or "\0" in path or steps.is_absolute() or ".." in steps.parts or path == ".":
        message = "A path must name a file, relative to the repository's root."
        raise InvalidRequestError(message)
    return os.fspath(steps)
