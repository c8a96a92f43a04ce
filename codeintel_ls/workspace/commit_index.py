"""The index of a repository's commits: found missing, read from git, embedded, lot by lot.

Invariant: whatever stops the work leaves the commits that were written, and the next run goes on
with those that are missing. Many are embedded in a process of their own that ends with the work,
a few where they are.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import Encoder
from codeintel_ls.git import GitClient, GitFailedError, TouchedCommit
from codeintel_ls.index.commit_preparing import COMMITS_VERSION, prepare_commits
from codeintel_ls.index.commit_store import CommitStore
from codeintel_ls.index.tasks import CommitToIndex, PrepareCommitsTask
from codeintel_ls.index.terms import TERMS_VERSION
from codeintel_ls.index.worker_process import WorkerProcess
from codeintel_ls.progress import Progress

MOST_COMMITS: Final = 200_000
"""Older commits than the newest so many are not indexed."""

_WITH_SYMBOLS: Final = 5_000
"""Of so many of the newest the diffs are looked at: 1.3 ms for each, against 0.07 ms without."""

_LOT: Final = 250
_FEW: Final = 50
_MESSAGE: Final = "Indexing"


@frozen(eq=False)
class History:
    """The commits that `head` reaches, the newest first: `ids` bytes (n,), hexadecimal."""

    head: str
    ids: NDArray[np.bytes_]


def read_history(
    git: GitClient, head: str, before: History | None, cancellation: Cancellation
) -> History:
    """The history of `head`, from an earlier one where that is still known to git."""
    if before is not None:
        try:
            gone, come = git.log.moved(before.head, head, cancellation)
        except GitFailedError:
            # The commit was collected after a rewrite.
            return read_history(git, head, None, cancellation)
        kept = before.ids[~np.isin(before.ids, np.array(gone, "S"))] if gone else before.ids
        ids = np.concatenate([np.array(come, "S"), kept]) if come else kept
        return History(head, ids[:MOST_COMMITS])
    return History(head, np.array(git.log.reachable(head, MOST_COMMITS, cancellation), "S"))


class CommitIndexer:
    """Brings one repository's commit store up to date. Used by one thread, closed from any."""

    def __init__(self, git: GitClient, encoder: Encoder, model: str, memory_bytes: int) -> None:
        """`encoder` is what the setting `embedding.model`, here `model`, names."""
        self.embedded = 0
        self._git = git
        self._encoder = encoder
        self._worker = WorkerProcess(model, memory_bytes)

    @property
    def recipe(self) -> str:
        """Everything that decides what a commit's vector and terms are."""
        return f"{self._encoder.identity}/{TERMS_VERSION}/{COMMITS_VERSION}"

    @property
    def worker_pid(self) -> int | None:
        """The process that embeds, while there is one."""
        return self._worker.pid

    def index(
        self, store: CommitStore, history: History, progress: Progress, cancellation: Cancellation
    ) -> None:
        """Embed the commits of `history` that `store` lacks, the newest first.

        Raises GitError, CancelledError, the store's errors and those of the indexing process.
        """
        missing = np.flatnonzero(~np.isin(history.ids, store.all_ids()))
        total = len(missing)
        try:
            for start in range(0, total, _LOT):
                progress(start, total, _MESSAGE)
                lot = missing[start : start + _LOT]
                ids = [identity.decode() for identity in history.ids[lot].tolist()]
                symbols = int(lot[-1]) < _WITH_SYMBOLS
                touched = self._git.log.touched(ids, cancellation, symbols=symbols)
                self._embed(store.path, touched, cancellation)
            progress(total, total, _MESSAGE)
        finally:
            self._worker.end()

    def close(self) -> None:
        """End the process that embeds; nothing is indexed afterwards."""
        self._worker.close()

    def _embed(
        self, database: Path, touched: Sequence[TouchedCommit], cancellation: Cancellation
    ) -> None:
        commits = tuple(
            CommitToIndex(
                id=commit.id,
                parents=commit.parents,
                name=commit.name,
                email=commit.email,
                time=commit.time,
                message=commit.message,
                paths=commit.paths,
                symbols=commit.symbols,
            )
            for commit in touched
        )
        task = PrepareCommitsTask(database=str(database), commits=commits)
        if len(commits) <= _FEW:
            self.embedded += prepare_commits(task, self._encoder)
        else:
            self.embedded += self._worker.prepare_commits(task, cancellation)
