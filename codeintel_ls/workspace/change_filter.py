"""Which hits were last changed by somebody, or at some time: asked of blame, within a time budget.

The hits are taken in their order, a few at once, and no more of them than it takes. Invariant:
when the answer is given, nothing that was begun for it runs any more.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from attrs import frozen

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.git import (
    BlameResult,
    Commit,
    GitClient,
    GitError,
    GitTimedOutError,
    NoCommitsYetError,
    PathNotTrackedError,
)
from codeintel_ls.search import Hit

BUDGET_SECONDS: Final = 2.0

_AT_ONCE: Final = 4
_TURN: Final = 0.05
_MOST_COMMITS: Final = 10_000
_SKEW_SECONDS: Final = 2 * 24 * 60 * 60.0
"""So much later than the committer's clock an author's may be."""


@frozen(kw_only=True)
class ChangedBy:
    """Who changed it, and when; what is empty is all the same.

    `author` is part of a name or e-mail, after `.mailmap`, in any case. `since` and `before` are
    Unix seconds of the author's date.
    """

    author: str = ""
    since: float | None = None
    before: float | None = None

    def includes(self, commit: Commit) -> bool:
        """Whether the commit is one of those."""
        part, person = self.author.casefold(), commit.author
        by_them = part in person.name.casefold() or part in person.email.casefold()
        return by_them and self._is_timely(person.time)

    def includes_uncommitted(self, now: float) -> bool:
        """Whether lines that are not committed are: changed now, and by nobody."""
        return not self.author and self._is_timely(now)

    def _is_timely(self, time: float) -> bool:
        if self.since is not None and time < self.since:
            return False
        return self.before is None or time < self.before


class ChangeFilter:
    """Lets through the hits of which a line blames to a commit that is wanted (a `HitFilter`)."""

    def __init__(
        self,
        root: Path,
        wanted: ChangedBy,
        repository_of: Callable[[Path], GitClient],
        *,
        budget: float = BUDGET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`repository_of` finds the repository of a file below `root`; `budget` in seconds."""
        self._root = root
        self._wanted = wanted
        self._repository_of = repository_of
        self._budget = budget
        self._clock = clock
        self._looking = Lock()
        self._touched: dict[tuple[Path, str], frozenset[str] | None] = {}

    def first(
        self, hits: Iterator[Hit], wanted: int, cancellation: Cancellation
    ) -> tuple[list[Hit], bool]:
        """The first `wanted` hits that pass, and whether the time ran out before they were found.

        Raises CancelledError, once nothing of git is left running.
        """
        until = self._clock() + self._budget
        stop = Cancellation()
        passed: list[Hit] = []
        waiting: deque[tuple[Hit, Future[bool | None]]] = deque()
        unknown = exhausted = False
        with (
            cancellation.stopping(stop.cancel),
            ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="blame-hits") as threads,
        ):
            try:
                while len(passed) < wanted and self._clock() < until:
                    while len(waiting) < _AT_ONCE and (hit := next(hits, None)) is not None:
                        waiting.append((hit, threads.submit(self._passes, hit, stop)))
                    if not waiting:
                        exhausted = True
                        break
                    answer = self._answer(waiting[0][1], until)
                    hit, _ = waiting.popleft()
                    cancellation.raise_if_cancelled()
                    unknown |= answer is None
                    if answer:
                        passed.append(hit)
            finally:
                stop.cancel()
                for _, future in waiting:
                    future.cancel()
        cancellation.raise_if_cancelled()
        return passed, unknown or not (exhausted or len(passed) == wanted)

    def _answer(self, future: "Future[bool | None]", until: float) -> bool | None:
        while self._clock() < until:
            with suppress(StillRunning):
                return future.result(_TURN)
        return None

    def _passes(self, hit: Hit, cancellation: Cancellation) -> bool | None:
        """Whether a line of the hit is wanted; None where that could not be found out in time."""
        if hit.stale:
            return False
        try:
            client = self._repository_of(self._root / hit.path)
            path = client.relative_path(self._root / hit.path)
            last = max(hit.end_line - 1, hit.start_line)
            if self._is_older(client, path, hit.start_line, last, cancellation):
                return False
            blame = client.blame_range(path, hit.start_line, last, cancellation=cancellation)
        except (PathNotTrackedError, NoCommitsYetError):
            return self._wanted.includes_uncommitted(time.time())
        except (GitTimedOutError, CancelledError):
            return None
        # Outside a repository, binary, or shorter by now: nobody is known to have changed it.
        except GitError:
            return False
        return self._is_wanted(blame)

    def _is_older(
        self, client: GitClient, path: str, first: int, last: int, cancellation: Cancellation
    ) -> bool:
        """Whether the lines are surely from before the span of time. Far cheaper than blame.

        No commit since then touched the file, and nobody is editing these lines.
        """
        since, head = self._wanted.since, client.head()
        if since is None or head is None:
            return False
        with self._looking:
            if (client.root, head) not in self._touched:
                self._touched[client.root, head] = None
                with suppress(GitError):
                    self._touched[client.root, head] = client.log.paths_since(
                        head, since - _SKEW_SECONDS, _MOST_COMMITS, cancellation
                    )
            touched = self._touched[client.root, head]
        if touched is None:
            return False
        committed_path, committed = client.committed_lines(path, first, last, cancellation)
        return committed and committed_path not in touched

    def _is_wanted(self, blame: BlameResult) -> bool:
        if any(map(self._wanted.includes, blame.commits.values())):
            return True
        uncommitted = any(hunk.commit is None for hunk in blame.hunks)
        return uncommitted and self._wanted.includes_uncommitted(time.time())
