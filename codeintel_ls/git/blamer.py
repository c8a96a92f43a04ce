"""Blame of an editor's buffer: the cached blame of HEAD, seen through a line map.

Invariant: typing never runs git. git runs when a file is asked for the first time, and after HEAD,
the rules or (for a file that is only staged) the index have changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git.blame import FileBlame, blame_arguments, read_entries
from codeintel_ls.git.blame_cache import BoundedCache, CommittedFile, Turns
from codeintel_ls.git.blame_rules import BlameRuleReader, BlameRules, BorrowedObjects
from codeintel_ls.git.errors import (
    BinaryFileError,
    LineOutOfRangeError,
    NoCommitsYetError,
    PathNotTrackedError,
)
from codeintel_ls.git.line_map import LineMap
from codeintel_ls.git.objects import ObjectReader
from codeintel_ls.git.repository import Repository
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.text import Lines
from codeintel_ls.git.values import BlameHunk, BlameOptions, BlameResult, Commit
from codeintel_ls.git.work_tree import WorkTree

_CACHED_BYTES = 64_000_000
_CACHED_PATHS = 50_000
_CACHED_COMMIT_BYTES = 32_000_000
_BYTES_PER_LINE = 100
_BYTES_PER_COMMIT = 1_000

_NO_BLOB = ""

# A line's commit, and its line and path there.
_Place = tuple[str | None, int, str]
_NOWHERE: _Place = (None, -1, "")


class Buffer(NamedTuple):
    """A text beside the committed file that it comes from (None: there is none)."""

    lines: Lines
    line_map: LineMap
    committed_path: str | None
    committed: CommittedFile | None


class _BlameKey(NamedTuple):
    head: str
    path: str
    digest: str
    options: BlameOptions


class Blamer:
    """Blames the files of one work tree, and keeps what it learned. Thread-safe."""

    def __init__(self, repository: Repository, runner: GitRunner) -> None:
        self._repository = repository
        self._runner = runner
        self._objects = ObjectReader(runner)
        self._work_tree = WorkTree(repository, runner)
        self._rules = BlameRuleReader(repository, runner)
        self._borrowed: BorrowedObjects | None = None
        self._turns = Turns()
        self._blobs = BoundedCache[tuple[str, str], str](_CACHED_PATHS)
        self._files = BoundedCache[str, CommittedFile](_CACHED_BYTES)
        self._blames = BoundedCache[_BlameKey, FileBlame](_CACHED_BYTES)
        self._commits = BoundedCache[tuple[str, str], Commit](_CACHED_COMMIT_BYTES)

    def head(self) -> str:
        """The id of HEAD's commit. Raises `NoCommitsYetError`."""
        head = self._repository.head()
        if head is None:
            raise NoCommitsYetError
        return head

    def blame_range(
        self,
        path: str,
        first_line: int,
        last_line: int,
        text: str | None,
        options: BlameOptions,
        cancellation: Cancellation,
    ) -> BlameResult:
        """The hunks of lines `first_line` to `last_line` (inclusive) of `text`."""
        head = self.head()
        buffer = self.buffer(head, path, text, cancellation)
        last_line = checked_range(path, first_line, last_line, buffer.lines)
        asked = range(first_line, last_line + 1)
        committed_path, committed = buffer.committed_path, buffer.committed
        if committed_path is None or committed is None:
            hunks = _hunks(path, asked, buffer.line_map, range(0), None)
            return BlameResult(hunks, {}, head)
        rules = self._rules.read(cancellation)
        key = _BlameKey(head, committed_path, rules.digest, options)
        blame = self._blame(key, rules, cancellation)
        hunks = _hunks(path, asked, buffer.line_map, committed.lines.git_lines, blame)
        named = {hunk.commit for hunk in hunks if hunk.commit is not None}
        return BlameResult(hunks, self._known_commits(named, rules.digest, cancellation), head)

    def is_warm(self, path: str, options: BlameOptions) -> bool:
        """Whether blame of `path` would be answered without running git."""
        head = self._repository.head()
        if head is None:
            return True
        return _BlameKey(head, path, self._rules.read().digest, options) in self._blames

    def buffer(self, head: str, path: str, text: str | None, cancellation: Cancellation) -> Buffer:
        """`text` (or what is on the disk) beside the file of `head` that it comes from.

        Raises `PathNotTrackedError` for a file that git does not know, `BinaryFileError`.
        """
        committed_path = self.committed_path(head, path, cancellation)
        committed = None
        if committed_path is not None:
            committed = self._committed(head, committed_path, cancellation)
        if text is None:
            text = self._work_tree.text(path, cancellation)
        if committed is None:
            return Buffer(CommittedFile(b"").map_from(text)[0], LineMap((), (), ()), None, None)
        return Buffer(*committed.map_from(text), committed_path, committed)

    def committed_path(self, head: str, path: str, cancellation: Cancellation) -> str | None:
        """The name in `head` of `path`: its own, or that from which it was renamed in the index.

        None for a file that is new in the index; `PathNotTrackedError` for one that is not in it.
        """
        if self._blob(head, path, cancellation) != _NO_BLOB:
            return path
        return self._work_tree.origin(head, path, cancellation)

    def close(self) -> None:
        """Remove what was put on the disk."""
        if self._borrowed is not None:
            self._borrowed.close()

    def _blob(self, head: str, path: str, cancellation: Cancellation) -> str:
        """The id of the blob that `path` is in `head`, `_NO_BLOB` if it is no file there."""
        known = self._blobs.get((head, path))
        return known if known is not None else self._read(head, path, cancellation)[0]

    def _committed(self, head: str, path: str, cancellation: Cancellation) -> CommittedFile:
        known = self._files.get(self._blob(head, path, cancellation))
        known = known or self._read(head, path, cancellation)[1]
        if known is None:
            raise PathNotTrackedError(path)
        if known.binary:
            raise BinaryFileError(path)
        return known

    def _read(
        self, head: str, path: str, cancellation: Cancellation
    ) -> tuple[str, CommittedFile | None]:
        file = self._objects.file(head, path, cancellation)
        if file is None:
            self._blobs.put((head, path), _NO_BLOB, 1)
            return _NO_BLOB, None
        committed = CommittedFile(file.content)
        # Twice: a buffer that was compared with it is kept beside it.
        weight = 2 * (2 * len(file.content) + _BYTES_PER_LINE * len(committed.lines))
        self._files.put(file.blob, committed, weight)
        self._blobs.put((head, path), file.blob, 1)
        return file.blob, committed

    def _blame(self, key: _BlameKey, rules: BlameRules, cancellation: Cancellation) -> FileBlame:
        known = self._blames.get(key)
        if known is not None:
            return known
        with self._turns.turn(key, cancellation):
            known = self._blames.get(key)
            if known is None:
                known = self._run_blame(key, rules, cancellation)
                self._known_commits(set(known.commits), key.digest, cancellation)
                self._blames.put(key, known, _BYTES_PER_LINE * (len(known.commits) + 1))
        return known

    def _run_blame(
        self, key: _BlameKey, rules: BlameRules, cancellation: Cancellation
    ) -> FileBlame:
        environment: Mapping[str, str] = {}
        if not rules.configuration_usable:
            if self._borrowed is None:
                self._borrowed = BorrowedObjects(self._repository)
            environment = self._borrowed.environment
        arguments = blame_arguments(key.head, key.path, key.options, rules.lists)
        with self._runner.stream(
            *arguments, environment=environment, cancellation=cancellation
        ) as chunks:
            return FileBlame.collect(read_entries(chunks))

    def _known_commits(
        self, ids: Iterable[str], digest: str, cancellation: Cancellation
    ) -> dict[str, Commit]:
        """Commits with the names that the rules of `digest` (`.mailmap` is one) give people."""
        found: dict[str, Commit] = {}
        missing: list[str] = []
        for identity in ids:
            known = self._commits.get((digest, identity))
            if known is None:
                missing.append(identity)
            else:
                found[identity] = known
        for identity, commit in self._objects.commits(missing, cancellation).items():
            self._commits.put((digest, identity), commit, _BYTES_PER_COMMIT + len(commit.message))
            found[identity] = commit
        return found


def checked_range(path: str, first_line: int, last_line: int, lines: Lines) -> int:
    """The last line that exists of a range whose first one does.

    The empty line after a last line end is one to editors: it may be asked, and has no hunk.
    Raises `LineOutOfRangeError`, `InvalidRequestError`.
    """
    if first_line < 0 or last_line < first_line:
        message = f"Lines {first_line} to {last_line} are no range: give 0 ≤ first ≤ last."
        raise InvalidRequestError(message)
    if first_line >= len(lines) + (1 if lines.ended else 0):
        raise LineOutOfRangeError(path, first_line, last_line, len(lines))
    return min(last_line, len(lines) - 1)


def _hunks(
    path: str,
    asked: range,
    line_map: LineMap,
    git_lines: Sequence[int],
    blame: FileBlame | None,
) -> tuple[BlameHunk, ...]:
    """The lines in pieces that continue one another in the commit that they come from."""
    hunks: list[BlameHunk] = []
    begun: _Place | None = None
    start = asked.start
    for line in asked:
        committed_line = line_map.map(line)
        place = _NOWHERE
        if committed_line is not None and blame is not None:
            at = git_lines[committed_line]
            place = (blame.commits[at], blame.original_lines[at], blame.original_paths[at])
        if begun is not None and not _continues(begun, place, line - start):
            hunks.append(_hunk(begun, start, line - 1, path))
            begun = None
        if begun is None:
            begun, start = place, line
    if begun is not None:
        hunks.append(_hunk(begun, start, asked.stop - 1, path))
    return tuple(hunks)


def _continues(begun: _Place, place: _Place, distance: int) -> bool:
    commit, line, path = place
    if commit != begun[0]:
        return False
    return commit is None or (line == begun[1] + distance and path == begun[2])


def _hunk(place: _Place, start: int, end: int, path: str) -> BlameHunk:
    commit, line, original_path = place
    return BlameHunk(start, end, commit, line, path if commit is None else original_path)
