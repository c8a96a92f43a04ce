"""Search in a repository's history: built when first asked for, and kept up with HEAD from then on.

Invariant: an answer holds commits that HEAD reaches and no others; it says whether all of them were
indexed. Thread-safe; what is asked blocks for no longer than its patience beside the search itself.
"""

import time
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Final

import numpy as np
from attrs import frozen

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.embedding import Encoder
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.git import Commit, GitClient
from codeintel_ls.index.commit_store import CommitStore
from codeintel_ls.index.commit_view import CommitView
from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError
from codeintel_ls.progress import Progress, no_progress
from codeintel_ls.search.commits import (
    Allowed,
    CommitQuery,
    RankedCommit,
    checked,
    rank_commits,
    within_time,
)
from codeintel_ls.workspace.commit_index import CommitIndexer, History, read_history
from codeintel_ls.workspace.lane import Job, Lane

PATIENCE_SECONDS: Final = 1.0
"""So long a question waits for commits that are being indexed: after a commit that is enough."""

_CATCH_UP: Final = "Indexing commits"
_BETWEEN_LOOKS: Final = 5.0
_TURN: Final = 0.02


@frozen
class CommitHit:
    """A commit that answers, with its score (0..1) and some of the paths that it touched."""

    commit: Commit
    score: float
    paths: tuple[str, ...]


@frozen(kw_only=True)
class CommitAnswer:
    """Ranked commits, the best first. `indexed` commits of HEAD's history could be found.

    `complete`: those were all (of the newest `MOST_COMMITS`).
    """

    hits: tuple[CommitHit, ...]
    complete: bool
    indexed: int


class CommitSearch:
    """The searchable history of one work tree. Nothing is read or started before it is asked."""

    def __init__(
        self,
        git: GitClient,
        encoder: Encoder,
        folder: Path,
        *,
        model: str,
        memory_bytes: int,
        unload_after_seconds: float,
    ) -> None:
        """`folder` is what the work trees of the repository share of the cache."""
        self._git = git
        self._encoder = encoder
        self._folder = folder
        self._indexer = CommitIndexer(git, encoder, model, memory_bytes)
        self._unload_after = unload_after_seconds
        self._lock = RLock()
        self._lane: Lane | None = None
        self._store: CommitStore | None = None
        self._view = CommitView()
        self._history: History | None = None
        self._indexed_head: str | None = None
        self._job: Job | None = None
        self._used_at = time.monotonic()
        self._closed = False

    @property
    def embedded(self) -> int:
        """Commits that had to be embedded since the folder was opened."""
        return self._indexer.embedded

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of what embeds at the moment."""
        pid = self._indexer.worker_pid
        return [] if pid is None else [pid]

    def search(
        self,
        query: CommitQuery,
        cancellation: Cancellation | None = None,
        *,
        patience: float | None = PATIENCE_SECONDS,
        progress: Progress = no_progress,
    ) -> CommitAnswer:
        """Ranked commits; waits `patience` seconds (None: as long as it takes) for missing ones.

        Raises InvalidQueryError, InvalidGlobError, GitError, CancelledError, the cache's errors.
        """
        stop = cancellation or Cancellation()
        checked(query)
        self._used_at = time.monotonic()
        if self._git.head() is None:
            return CommitAnswer(hits=(), complete=True, indexed=0)
        trouble = self._wait(patience, progress, stop)
        try:
            answer = self._answer(query, stop)
        except DamagedCacheError:
            self._forget()
            trouble = self._wait(patience, progress, stop)
            answer = self._answer(query, stop)
        if trouble is not None and not answer.indexed:
            raise trouble
        return answer

    def note_head(self) -> None:
        """HEAD may have moved: what was asked for once is kept up to date."""
        with self._lock:
            asked = self._lane is not None
        head = self._git.head() if asked else None
        if head is not None:
            self._catch_up(head, no_progress)

    def cancel_indexing(self) -> None:
        """Stop indexing until the next question; what was indexed stays."""
        with self._lock:
            job = self._job
        if job is not None:
            job.cancellation.cancel()

    def close(self) -> None:
        """Stop indexing, and end every child process; idempotent."""
        with self._lock:
            self._closed = True
            lane, store = self._lane, self._store
        if lane is not None:
            lane.stop()
        self._indexer.close()
        if lane is not None:
            lane.close()
        if store is not None:
            store.close()

    def _catch_up(self, head: str, progress: Progress) -> Job | None:
        """The job that indexes what is missing; None where nothing is."""
        with self._lock:
            if self._closed:
                raise CacheUnavailableError("The folder was closed.")
            if self._indexed_head == head:
                return None
            if self._lane is None:
                self._lane = Lane("commits", idle=self._idle, idle_seconds=_BETWEEN_LOOKS)
            job = self._job
            if job is None or job.ended.is_set() or job.cancellation.cancelled:
                self._job = self._lane.add(_CATCH_UP, self._run, progress)
            return self._job

    def _run(self, job: Job) -> None:
        try:
            self._bring_up_to_date(job)
        except DamagedCacheError:
            self._forget()
            self._bring_up_to_date(job)
        finally:
            job.progress(0, 0, _CATCH_UP)

    def _bring_up_to_date(self, job: Job) -> None:
        head = self._git.head()
        while head is not None and head != self._indexed_head:
            history = read_history(self._git, head, self._history, job.cancellation)
            with self._lock:
                self._history = history
            store = self._opened()
            self._indexer.index(store, history, job.progress, job.cancellation)
            with self._lock:
                if self._store is store:
                    self._indexed_head = head
            # It may have moved on meanwhile.
            head = self._git.head()

    def _wait(
        self, patience: float | None, progress: Progress, cancellation: Cancellation
    ) -> CodeIntelError | None:
        """Until all is indexed or the patience ends; what the indexing failed with."""
        until = None if patience is None else time.monotonic() + patience
        while (head := self._git.head()) is not None:
            job = self._catch_up(head, progress)
            if job is None:
                return None
            # Not as `Job.wait`: the work goes on when nobody waits for it any longer.
            while not job.ended.wait(_TURN):
                cancellation.raise_if_cancelled()
                if until is not None and time.monotonic() > until:
                    return None
            if job.error is not None:
                return None if isinstance(job.error, CancelledError) else job.error
        return None

    def _answer(self, query: CommitQuery, cancellation: Cancellation) -> CommitAnswer:
        store, head = self._opened(), self._git.head()
        with self._lock:
            self._view = view = self._view.brought_up_to_date(store, self._encoder.dimension)
            history, complete = self._history, self._indexed_head == head
        reachable = history.ids if history is not None else np.array([], "S")
        here = [np.isin(segment.ids, reachable) for segment in view.segments]
        wanted: Allowed = [
            mine & timely for mine, timely in zip(here, within_time(view, query), strict=True)
        ]
        if query.author:
            people = self._people(store, query.author, cancellation)
            wanted = [
                mask & np.isin(segment.people, people)
                for mask, segment in zip(wanted, view.segments, strict=True)
            ]
        ranked = rank_commits(view, store, self._encoder, query, wanted, cancellation)
        return CommitAnswer(
            hits=self._hits(ranked, cancellation),
            complete=complete,
            indexed=sum(int(np.count_nonzero(mine)) for mine in here),
        )

    def _people(self, store: CommitStore, author: str, cancellation: Cancellation) -> list[int]:
        """Authors of whose name or e-mail, after `.mailmap`, `author` is a part in any case."""
        people = store.people()
        mapped = self._git.log.people([(name, email) for _, name, email in people], cancellation)
        part = author.casefold()
        return [
            number
            for (number, _, _), (name, email) in zip(people, mapped, strict=True)
            if part in name.casefold() or part in email.casefold()
        ]

    def _hits(
        self, ranked: list[RankedCommit], cancellation: Cancellation
    ) -> tuple[CommitHit, ...]:
        commits = self._git.commits([one.id for one in ranked], cancellation)
        return tuple(
            CommitHit(commits[one.id], one.score, one.paths) for one in ranked if one.id in commits
        )

    def _opened(self) -> CommitStore:
        with self._lock:
            if self._closed:
                raise CacheUnavailableError("The folder was closed.")
            if self._store is None:
                try:
                    self._store = CommitStore.prepared(self._folder, self._indexer.recipe)
                except OSError as error:
                    reason = error.strerror or "unknown reason"
                    message = f"The index of commits cannot be kept: {reason}."
                    raise CacheUnavailableError(message) from error
            return self._store

    def _forget(self) -> None:
        """Begin anew with a store that was damaged or removed."""
        with self._lock:
            store, self._store = self._store, None
            self._view, self._indexed_head = CommitView(), None
        if store is not None:
            with suppress(CodeIntelError):
                store.close()

    def _idle(self) -> None:
        """Let go of memory that was not used for long."""
        unused = time.monotonic() - self._used_at
        if self._unload_after and unused > self._unload_after:
            with self._lock:
                self._view = CommitView()
