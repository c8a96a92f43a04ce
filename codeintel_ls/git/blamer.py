"""Blame of an editor's buffer: the cached blame of HEAD, seen through a line map.

Invariant: typing never runs git. git runs when lines are asked for the first time, and after HEAD,
the rules or (for a file that is only staged) the index have changed; and then for the asked lines
first.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.blame import BlameEntry, BlameStream, FileBlame, blame_arguments
from codeintel_ls.git.blame_cache import BoundedCache, CommittedFile, Turns
from codeintel_ls.git.blame_rules import BlameRuleReader, BlameRules, BorrowedObjects
from codeintel_ls.git.carrying import Carrier
from codeintel_ls.git.errors import (
    BinaryFileError,
    GitFailedError,
    LfsPointerError,
    NoCommitsYetError,
    PathNotTrackedError,
)
from codeintel_ls.git.hunks import checked_range, committed_span, hunks_of
from codeintel_ls.git.known_blames import BlameKey, KnownBlames, Question
from codeintel_ls.git.known_commits import KnownCommits
from codeintel_ls.git.line_map import LineMap
from codeintel_ls.git.lineage import Step
from codeintel_ls.git.objects import ObjectReader
from codeintel_ls.git.repository import Repository
from codeintel_ls.git.runner import GitRunner
from codeintel_ls.git.text import Lines, is_lfs_pointer
from codeintel_ls.git.values import BlameOptions, BlameResult
from codeintel_ls.git.work_tree import WorkTree
from codeintel_ls.git.xdiff import prepare

_CACHED_BYTES: Final = 64_000_000
_CACHED_PATHS: Final = 50_000
_BYTES_PER_LINE: Final = 100

_SECONDS_BETWEEN_REPORTS: Final = 0.02

_NO_BLOB: Final = ""


Partial = Callable[[BlameResult], None]


class Buffer(NamedTuple):
    """A text beside the committed file that it comes from (None: there is none)."""

    lines: Lines
    line_map: LineMap
    committed_path: str | None
    committed: CommittedFile | None


class Blamer:
    """Blames the files of one work tree, and keeps what it learned. Thread-safe."""

    def __init__(self, repository: Repository, runner: GitRunner) -> None:
        self._repository = repository
        self._runner = runner
        self._objects = ObjectReader(runner)
        self._work_tree = WorkTree(repository, runner)
        self._rules = BlameRuleReader(repository, runner)
        self._carrier = Carrier(runner, self._objects)
        self._borrowed: BorrowedObjects | None = None
        self._turns = Turns()
        self._blobs = BoundedCache[tuple[str, str], str](_CACHED_PATHS)
        self._files = BoundedCache[str, CommittedFile](_CACHED_BYTES)
        self._known = KnownBlames()
        self._commits = KnownCommits(self._objects)

    def keep_in(self, folder: Path) -> None:
        """Let blames of recently used files outlive the process in `folder` of our cache."""
        self._known.keep_in(folder)

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
        partial: Partial | None = None,
    ) -> BlameResult:
        """The hunks of lines `first_line` to `last_line` (inclusive) of `text`.

        `partial` is given hunks as git finds them, in no order and maybe in smaller pieces.
        """
        head = self.head()
        buffer = self.buffer(head, path, text, cancellation)
        last_line = checked_range(path, first_line, last_line, buffer.lines)
        asked = range(first_line, last_line + 1)
        committed_path, committed = buffer.committed_path, buffer.committed
        git_lines = committed.lines.git_lines if committed is not None else range(0)
        span = committed_span(asked, buffer.line_map, git_lines)
        if committed_path is None or span is None:
            hunks = hunks_of(path, asked, buffer.line_map, git_lines, FileBlame())
            return BlameResult(hunks, {}, head)
        rules = self._rules.read(cancellation)
        key = BlameKey(head, Question(committed_path, rules.digest, options))

        def result(blame: FileBlame, told: BlameStream, *, whole: bool) -> BlameResult:
            hunks = hunks_of(path, asked, buffer.line_map, git_lines, blame)
            if not whole:
                hunks = tuple(hunk for hunk in hunks if hunk.commit is not None)
            named = {hunk.commit for hunk in hunks if hunk.commit is not None}
            commits = self._commits.named(named, told.people, rules, cancellation)
            return BlameResult(hunks, commits, head, self._repository.shallow_commits() & named)

        def report(told: BlameStream, entries: Sequence[BlameEntry]) -> None:
            if partial is not None:
                found = result(FileBlame.of(entries), told, whole=False)
                if found.hunks:
                    partial(found)

        blame = self._blame(key, rules, span, cancellation, report)
        return result(blame, BlameStream(), whole=True)

    def is_warm(
        self, path: str, options: BlameOptions, lines: tuple[int, int] | None, text: str | None
    ) -> bool:
        """Whether blame of `lines` (inclusive; all for None) would be answered without git."""
        head = self._repository.head()
        if head is None:
            return True
        file = self._files.get(self._blobs.get((head, path)) or _NO_BLOB)
        if file is None or file.binary:
            return False
        if text is None and lines is not None:
            text = self._work_tree.text(path, Cancellation())
        span: tuple[int, int] | None = (0, file.line_count)
        if text is not None and lines is not None:
            _, line_map = file.map_from(text)
            asked = range(lines[0], lines[1] + 1)
            span = committed_span(asked, line_map, file.lines.git_lines)
        question = Question(path, self._rules.read().digest, options)
        known = self._known.get(BlameKey(head, question))
        return span is None or known.unknown(*span) is None

    def blame_rest(self, path: str, options: BlameOptions, cancellation: Cancellation) -> None:
        """Blame the whole of HEAD's `path` ahead of questions, in the background."""
        head = self.head()
        file = self._committed(head, path, cancellation)
        rules = self._rules.read(cancellation)
        key = BlameKey(head, Question(path, rules.digest, options))
        if self._known.get(key).unknown(0, file.line_count) is not None:
            with self._blaming(key, rules, None, cancellation, background=True) as (told, entries):
                learned = list(entries)
            # Whoever hovers next wants them at once, wherever in the file.
            commits = {entry.commit for entry in learned}
            self._commits.named(commits, told.people, rules, cancellation)
            self._known.add(key, learned)
            self._known.keep(key)
        # Whoever has opened a file will type.
        prepare()

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
        if committed.is_lfs_pointer and not is_lfs_pointer(text):
            raise LfsPointerError(path)
        return Buffer(*committed.map_from(text), committed_path, committed)

    def committed_path(self, head: str, path: str, cancellation: Cancellation) -> str | None:
        """The name in `head` of `path`: its own, or that from which it was renamed in the index.

        None for a file that is new in the index; `PathNotTrackedError` for one that is not in it.
        """
        if self._blob(head, path, cancellation) != _NO_BLOB:
            return path
        return self._work_tree.origin(head, path, cancellation)

    def close(self) -> None:
        """Remove what was put on the disk for this process, and end what waits."""
        self._objects.close()
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

    def _blame(
        self,
        key: BlameKey,
        rules: BlameRules,
        span: tuple[int, int],
        cancellation: Cancellation,
        report: Callable[[BlameStream, Sequence[BlameEntry]], None],
    ) -> FileBlame:
        """The blame of the key's file, of at least these lines."""
        known = self._known.get(key)
        if known.unknown(*span) is None:
            return known
        with self._turns.turn(key, cancellation):
            known = self._known.get(key)
            if not known.entries:
                known = self._carried(key, rules, cancellation)
            gap = known.unknown(*span)
            if gap is not None:
                with self._blaming(key, rules, gap, cancellation) as (told, entries):
                    learned = _gathered(entries, lambda new: report(told, new))
                commits = {entry.commit for entry in learned}
                self._commits.named(commits, told.people, rules, cancellation)
                known = self._known.add(key, learned)
        return known

    def _carried(self, key: BlameKey, rules: BlameRules, cancellation: Cancellation) -> FileBlame:
        """What an earlier commit's blame tells of this one's."""
        older = self._known.older(key.question)
        if older is None:
            return FileBlame()
        head, known = older
        if head == key.head:
            return self._known.add(key, known.entries)
        told, path = BlameStream(), key.question.path
        try:
            blobs = [self._blob(commit, path, cancellation) for commit in (head, key.head)]
            carried = self._carrier.carry(
                known,
                path,
                Step(head, key.head, *blobs),
                key.question.options,
                rules,
                told,
                cancellation,
            )
        except GitFailedError:
            # The commit is gone: the history was rewritten, and git has tidied up.
            return FileBlame()
        commits = set(told.people) & carried.commits
        self._commits.named(commits, told.people, rules, cancellation)
        return self._known.begin(key, carried)

    @contextmanager
    def _blaming(
        self,
        key: BlameKey,
        rules: BlameRules,
        lines: tuple[int, int] | None,
        cancellation: Cancellation,
        *,
        background: bool = False,
    ) -> Generator[tuple[BlameStream, Iterator[BlameEntry]]]:
        environment: Mapping[str, str] = {}
        if not rules.configuration_usable:
            if self._borrowed is None:
                self._borrowed = BorrowedObjects(self._repository)
            environment = self._borrowed.environment
        path, _, options = key.question
        if options.detect_moves or options.detect_copies:
            # They compare whole pieces: a part of the lines would be answered otherwise.
            lines = None
        arguments = blame_arguments(key.head, path, options, rules.lists, lines)
        told = BlameStream()
        with self._runner.stream(
            *arguments, environment=environment, cancellation=cancellation, background=background
        ) as chunks:
            yield told, told.entries(chunks)


def _gathered(
    entries: Iterable[BlameEntry], report: Callable[[Sequence[BlameEntry]], None]
) -> list[BlameEntry]:
    """All entries; those that are new are reported at once, but not too often."""
    found: list[BlameEntry] = []
    told, next_at = 0, 0.0
    for entry in entries:
        found.append(entry)
        now = time.monotonic()
        if now >= next_at:
            report(found[told:])
            told, next_at = len(found), now + _SECONDS_BETWEEN_REPORTS
    return found
