"""Keeps the index of one folder true to the disk.

Two lanes: `bulk` reconciles the whole folder, rebuilds and merges; `saves` takes single files, so
that a save is searchable at once even while the bulk lane is at work. Only the process that owns
the cache writes; any other follows what the owner commits, and takes over when it is gone.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from threading import Event, Lock
from typing import Final

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.errors import DamagedCacheError, IndexingError
from codeintel_ls.index.index import Index
from codeintel_ls.index.indexer import Indexer
from codeintel_ls.index.reconcile import FoundFile, IndexPlan, plan_all, plan_rebuild
from codeintel_ls.index.schema import KnownFile, KnownSkip, Moment
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.status import IndexState
from codeintel_ls.index.store import Store
from codeintel_ls.index.tasks import FileToIndex
from codeintel_ls.progress import Progress, no_progress
from codeintel_ls.settings import IndexSettings
from codeintel_ls.workspace.discovery import Discovered, PathPolicy
from codeintel_ls.workspace.following import await_owner
from codeintel_ls.workspace.lane import Job, Lane

MOST_SINGLE_FILES: Final = 200
"""More changed files than this at once are a checkout: the whole folder is reconciled."""

_RECONCILE: Final = "Indexing"
_RESCAN: Final = "Looking for changes"
_REBUILD: Final = "Rebuilding the index"
_MERGE: Final = "Merging the index"
_SAVES: Final = "Updating the index"
_HINTS: Final = "Following changes"
_UNDECODABLE_NAME: Final = "undecodable-name"
_LONGEST_LINE: Final = "max_line_characters"
"""The store remembers by which limit its files were chosen."""


Planner = Callable[
    [Sequence[FoundFile], Mapping[str, KnownFile], Mapping[str, KnownSkip]], IndexPlan
]
"""Says what to do from what the folder holds and what the store knew before it was listed."""


def read_limits(settings: IndexSettings) -> ReadLimits:
    """What the settings allow to be read."""
    return ReadLimits(settings.max_file_bytes, settings.max_line_characters)


class IndexKeeper:
    """Owns the lanes and the workers of one folder. Thread-safe."""

    def __init__(
        self,
        root: Path,
        index: Index,
        settings: IndexSettings,
        model: str,
        discover: Callable[[Cancellation], Discovered],
        policy: Callable[[], PathPolicy],
        changed: Callable[[], None],
    ) -> None:
        """`discover` lists the folder, `policy` judges single paths, `changed` tells of news."""
        self._root = root
        self._index = index
        self._settings = settings
        self._discover = discover
        self._policy = policy
        self._changed = changed
        self._hints = Lock()
        self._waiting_paths: set[str] = set()
        self._saving_paths: set[str] = set()
        self._bulk_pending = 0
        self._asked, self._answered = 1, 0
        self.first_pass = Event()
        self._left_out: Mapping[str, int] = {}
        self.state = IndexState.SCANNING
        self.last_error: str | None = None
        limits = read_limits(settings)
        self._bulk_indexer = Indexer(root, index, model, limits)
        self._save_indexer = Indexer(root, index, model, limits)
        self._bulk = Lane("index-bulk", idle=self._follow)
        self._saves = Lane("index-saves")

    @property
    def pending(self) -> int:
        """Files known to have changed and not searchable yet."""
        with self._hints:
            return self._bulk_pending + len(self._waiting_paths | self._saving_paths)

    @property
    def complete(self) -> bool:
        """Whether nothing is known to have changed that is not searchable yet."""
        return self.compared and self.pending == 0

    @property
    def compared(self) -> bool:
        """Whether the whole folder was compared with the index since that was last asked for."""
        return self._answered == self._asked

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that are alive."""
        return [*self._bulk_indexer.worker_pids, *self._save_indexer.worker_pids]

    def skipped(self) -> dict[str, int]:
        """Files that are not indexed, by reason."""
        return dict(Counter(self._left_out) + Counter(self._index.store.skip_counts()))

    def reconcile(self, progress: Progress = no_progress) -> Job:
        """Compare the whole folder with the index, and index what differs."""
        return self._bulk.add(_RECONCILE, self._run_reconcile, progress)

    def rebuild(self, progress: Progress = no_progress) -> Job:
        """Read, chunk and embed every file again."""
        return self._bulk.add(_REBUILD, self._run_rebuild, progress)

    def merge(self, progress: Progress = no_progress) -> Job:
        """Put everything into one segment."""
        return self._bulk.add(_MERGE, self._run_merge, progress)

    def note_changes(self, paths: Collection[str]) -> None:
        """A hint that these files may have changed; many become one reconciliation."""
        if len(paths) > MOST_SINGLE_FILES:
            self.note_rescan()
        elif paths:
            with self._hints:
                self._waiting_paths.update(paths)
            if not self._saves.has_waiting(_HINTS):
                self._saves.add(_HINTS, self._run_hints)

    def note_rescan(self) -> None:
        """A hint that anything may have changed."""
        with self._hints:
            self._asked += 1
        # Jobs of other names have somebody who may cancel them.
        if not self._bulk.has_waiting(_RESCAN):
            self._bulk.add(_RESCAN, self._run_reconcile)

    def note_damage(self, damaged: Store) -> None:
        """Put another store in the place of one that was found broken or gone."""
        self._bulk.add("Recovering", lambda _: self._recover(damaged))

    def update(self, paths: Sequence[str], progress: Progress) -> Job:
        """Have these files searchable when the job is done."""
        if len(paths) > MOST_SINGLE_FILES or any((self._root / path).is_dir() for path in paths):
            return self.reconcile(progress)
        return self._saves.add(_SAVES, lambda job: self._update_files(set(paths), job), progress)

    def configure(self, settings: IndexSettings) -> None:
        """Index by other settings from now on; what they change is found by reconciling."""
        self._settings = settings
        limits = read_limits(settings)
        self._bulk_indexer.limits = self._save_indexer.limits = limits

    def cancel(self) -> None:
        """Stop indexing the folder; single saves go on."""
        self._bulk.cancel()

    def rest(self) -> None:
        """Say that there is nothing to do: the folder is not to be indexed."""
        self._finish(None)
        self.first_pass.set()

    def warm(self) -> None:
        """Have the process that indexes saves up before the first one."""
        self._saves.add("Starting", lambda job: self._save_indexer.warm(job.cancellation))

    def close(self) -> None:
        """Stop everything and end the workers."""
        self._bulk_indexer.close()
        self._save_indexer.close()
        self._bulk.close()
        self._saves.close()
        self._bulk_indexer.close()
        self._save_indexer.close()
        self.first_pass.set()

    # -- the bulk lane -------------------------------------------------------------------------

    def _run_reconcile(self, job: Job) -> None:
        self._run(job, self._plan, embed_all=False)

    def _run_rebuild(self, job: Job) -> None:
        if not self._index.try_own():
            raise IndexingError(
                f"Another process (pid {self._index.owner() or 'unknown'}) keeps this index and "
                "alone can rebuild it: ask there, or close it first."
            )
        self._run(job, plan_rebuild, embed_all=True)
        self._index.merge()
        with self._index.writing:
            self._index.store.collect_vectors()

    def _plan(
        self,
        found: Sequence[FoundFile],
        known: Mapping[str, KnownFile],
        skips: Mapping[str, KnownSkip],
    ) -> IndexPlan:
        chosen_by = self._index.store.meta(_LONGEST_LINE)
        read_all = chosen_by != str(self._bulk_indexer.limits.max_line_characters)
        return plan_all(found, known, skips, read_all=read_all)

    def _run(self, job: Job, plan: Planner, *, embed_all: bool) -> None:
        try:
            self._enter(IndexState.SCANNING)
            store = self._index.store
            try:
                self._bring_up_to_date(job, plan, embed_all)
            except DamagedCacheError:
                self._index.recover(store)
                self._bring_up_to_date(job, plan, embed_all)
            self._finish(None)
        except CancelledError:
            self._finish(None)
            raise
        except CodeIntelError as error:
            self._finish(str(error))
            raise
        except Exception as error:
            self._finish(f"Indexing failed with {type(error).__name__}.")
            raise
        finally:
            self._bulk_pending = 0
            self.first_pass.set()
            self._bulk_indexer.close()
            self._changed()

    def _bring_up_to_date(self, job: Job, plan: Planner, embed_all: bool) -> None:
        asked, limits, store = self._asked, self._bulk_indexer.limits, self._index.store
        # Before the listing: a file that is saved meanwhile must not seem to be gone.
        looked, known, skips = store.moment(), store.files(), store.skips()
        todo = plan(self._listed(job.cancellation), known, skips)
        if todo:
            with self._hints:
                self._answered = min(self._answered, asked - 1)
        if self._own(todo, job):
            if todo:
                self._bulk_pending = len(todo.stale)
                self._enter(IndexState.INDEXING)
                self._apply(job, todo, looked, embed_all=embed_all)
            if store.meta(_LONGEST_LINE) != str(limits.max_line_characters):
                self._index.store.set_meta(_LONGEST_LINE, str(limits.max_line_characters))
        with self._hints:
            self._answered = max(self._answered, asked)

    def _listed(self, cancellation: Cancellation) -> Sequence[FoundFile]:
        """The files to index; those whose names are no UTF-8 are counted and left out."""
        discovered = self._discover(cancellation)
        files = [file for file in discovered.files if _has_plain_name(file.path)]
        odd = {_UNDECODABLE_NAME: len(discovered.files) - len(files)}
        self._left_out = Counter(discovered.skipped) + Counter(odd)
        return files

    def _apply(self, job: Job, todo: IndexPlan, looked: Moment, *, embed_all: bool) -> None:
        def progress(done: int, total: int | None, message: str) -> None:
            self._bulk_pending = len(todo.stale) - done
            job.progress(done, total, message)

        self._bulk_indexer.apply(
            todo,
            looked=looked,
            workers=self._settings.workers or min(os.cpu_count() or 1, 4),
            progress=progress,
            cancellation=job.cancellation,
            embed_all=embed_all,
            published=self._changed,
        )

    def _run_merge(self, _job: Job) -> None:
        self._enter(IndexState.MERGING)
        try:
            self._index.merge()
        finally:
            self._finish(self.last_error)

    def _enter(self, state: IndexState) -> None:
        self.state = state
        self._changed()

    def _finish(self, error: str | None) -> None:
        self.last_error = error
        self.state = IndexState.FAILED if error else IndexState.READY
        self._changed()

    # -- the save lane -------------------------------------------------------------------------

    def _run_hints(self, job: Job) -> None:
        with self._hints:
            self._saving_paths, self._waiting_paths = self._waiting_paths, set()
        try:
            self._update_files(self._saving_paths, job)
        except CodeIntelError:
            # What could not be done for each is left to a look at the whole folder.
            self.note_rescan()
            raise
        finally:
            with self._hints:
                self._saving_paths = set()
            self._changed()

    def _update_files(self, paths: set[str], job: Job) -> None:
        store = self._index.store
        try:
            looked = store.moment()
            plan = self._plan_files(set(filter(_has_plain_name, paths)))
            if plan and self._own(plan, job):
                self._save_indexer.apply(
                    plan,
                    looked=looked,
                    workers=1,
                    progress=job.progress,
                    cancellation=job.cancellation,
                )
        except DamagedCacheError:
            self._recover(store)
            raise

    def _plan_files(self, paths: set[str]) -> IndexPlan:
        policy, store = self._policy(), self._index.store
        known, skips = store.files_at(paths), store.skips_at(paths)
        stale: list[FileToIndex] = []
        gone: list[str] = []
        for path in sorted(paths):
            if (self._root / path).is_dir():
                self.note_rescan()
                continue
            # What was a directory until now took its files with it.
            gone.extend(store.paths_below(path))
            if isinstance(policy.find(path), FoundFile):
                before = known.get(path)
                stale.append(FileToIndex(path, before.digest if before else None))
            elif path in known or path in skips:
                gone.append(path)
        return IndexPlan(tuple(stale), tuple(gone))

    # -- beside another process that owns the cache ---------------------------------------------

    def _follow(self) -> None:
        """See what the owner has committed, and take over when it is gone."""
        if self._index.owned:
            return
        before, store = self._index.published.number, self._index.store
        try:
            if self._index.try_own():
                self.note_rescan()
            elif self._index.refresh().number != before:
                self._changed()
                if not self.compared:
                    self.note_rescan()
        except DamagedCacheError:
            self._recover(store)

    def _own(self, plan: IndexPlan, job: Job) -> bool:
        """Whether the plan is ours to carry out; otherwise the owner has done it on return."""
        if self._index.try_own():
            return True
        limits = self._bulk_indexer.limits
        return not await_owner(self._root, self._index, plan, limits, job.cancellation)

    def _recover(self, damaged: Store) -> None:
        """Begin anew, with whatever can be opened, and index everything again."""
        self._index.recover(damaged)
        self.note_rescan()


def _has_plain_name(path: str) -> bool:
    """Whether the name is text; bytes that are no UTF-8 arrive as lone surrogates."""
    return path.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in path)
