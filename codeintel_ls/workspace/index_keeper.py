"""Keeps the index of one folder true to the disk.

Two lanes: `bulk` reconciles the whole folder, rebuilds and merges; `saves` takes single files, so
that a save is searchable at once even while the bulk lane is at work. Only the process that owns
the cache writes; any other follows what the owner commits, and takes over when it is gone.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.embedding import Model
from codeintel_ls.index.errors import DamagedCacheError
from codeintel_ls.index.index import Index
from codeintel_ls.index.indexer import Indexer
from codeintel_ls.index.memory import give_back
from codeintel_ls.index.reconcile import FoundFile, IndexPlan, Planner, plan_all, plan_rebuild
from codeintel_ls.index.schema import KnownFile, KnownSkip, Moment
from codeintel_ls.index.status import IndexState
from codeintel_ls.index.store import Store
from codeintel_ls.progress import Progress, no_progress
from codeintel_ls.settings import Settings
from codeintel_ls.workspace.discovery import Discovered, PathPolicy
from codeintel_ls.workspace.file_plan import chosen_by, note_limits, plain_files, plan_files
from codeintel_ls.workspace.following import await_owner, refusal
from codeintel_ls.workspace.index_health import IndexHealth
from codeintel_ls.workspace.lane import Job, Lane
from codeintel_ls.workspace.opening import read_limits, worker_bytes, workers_of
from codeintel_ls.workspace.pending import Pending
from codeintel_ls.workspace.upkeep import Upkeep

MOST_SINGLE_FILES: Final = 200
"""More changed files than this at once are a checkout: the whole folder is reconciled."""

_RECONCILE: Final = "Indexing"
_RESCAN: Final = "Looking for changes"
_REBUILD: Final = "Rebuilding the index"
_MERGE: Final = "Merging the index"
_UPKEEP: Final = "Keeping the index small"
_SAVES: Final = "Updating the index"
_HINTS: Final = "Following changes"
_LARGE: Final = 20_000
_HEAD_START_SECONDS: Final = 0.7
_BETWEEN_LOOKS: Final = 1.0


class IndexKeeper:
    """Owns the lanes and the workers of one folder. Thread-safe."""

    def __init__(
        self,
        root: Path,
        index: Index,
        settings: Settings,
        model: Model,
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
        self._pending = Pending()
        self.first_pass = Event()
        self.health = IndexHealth(changed)
        limits, memory = read_limits(settings.index), worker_bytes(settings)
        self._indexer = Indexer(root, index, model, limits, memory)
        self.upkeep = Upkeep(index, self._indexer, settings)
        self._is_warm = False
        self._kept_up_at = self._looked_at = 0.0
        self._bulk = Lane("index-bulk", idle=self._idle)
        self._saves = Lane("index-saves", idle=self._keep_up)

    @property
    def pending(self) -> int:
        """Files known to have changed and not searchable yet."""
        return self._pending.files

    @property
    def complete(self) -> bool:
        """Whether nothing is known to have changed that is not searchable yet."""
        return self.compared and self.pending == 0 and not self.upkeep.repairing

    @property
    def compared(self) -> bool:
        """Whether the whole folder was compared with the index since that was last asked for."""
        return self._pending.compared

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that are alive."""
        return self._indexer.worker_pids

    @property
    def embedded(self) -> int:
        """Texts that had to be embedded since the folder was opened."""
        return self._indexer.embedded

    def reconcile(self, progress: Progress = no_progress) -> Job:
        """Compare the whole folder with the index, and index what differs."""
        return self._bulk.add(_RECONCILE, self._run_reconcile, progress)

    def begin(self, watch: Callable[[], None], progress: Progress) -> None:
        """Watch, compare the whole folder with the index, and be ready for saves; returns at once.

        The first answers come before the work: where the index is large, that waits a moment.
        """

        def run(job: Job) -> None:
            if self._index.counts.chunks > _LARGE:
                self._bulk.wait_for_more(_HEAD_START_SECONDS)
            watch()
            self._run_reconcile(job)

        self._bulk.add(_RECONCILE, run, progress)
        self.warm()

    def rebuild(self, progress: Progress = no_progress) -> Job:
        """Read, chunk and embed every file again."""
        return self._bulk.add(_REBUILD, self._run_rebuild, progress)

    def merge(self, progress: Progress = no_progress) -> Job:
        """Put everything into one segment."""
        return self._bulk.add(_MERGE, self._run_merge, progress)

    def settle(self) -> Job:
        """Write to disk and merge whatever is due, without waiting for a better moment."""
        return self._bulk.add(_UPKEEP, lambda job: self._run_upkeep(job, at_once=True))

    def note_changes(self, paths: Collection[str]) -> None:
        """A hint that these files may have changed; many become one reconciliation."""
        if len(paths) > MOST_SINGLE_FILES:
            self.note_rescan()
        elif paths:
            self._pending.note(paths)
            if not self._saves.has_waiting(_HINTS):
                self._saves.add(_HINTS, self._run_hints)

    def note_rescan(self) -> None:
        """A hint that anything may have changed."""
        self._pending.ask()
        # Jobs of other names have somebody who may cancel them.
        if not self._bulk.has_waiting(_RESCAN):
            self._bulk.add(_RESCAN, self._run_reconcile)

    def note_damage(self, damaged: Store) -> None:
        """Put another store in the place of one that was found broken or gone."""
        self._bulk.add("Recovering", lambda _: self._recover(damaged))

    def note_damaged_segments(self) -> None:
        """Have the segments read through, and those that are damaged written anew."""
        self.upkeep.check_again()
        if not self._bulk.has_waiting(_UPKEEP):
            self._bulk.add(_UPKEEP, self._run_upkeep)

    def update(self, paths: Sequence[str], progress: Progress) -> Job:
        """Have these files searchable when the job is done."""
        if len(paths) > MOST_SINGLE_FILES or any((self._root / path).is_dir() for path in paths):
            return self.reconcile(progress)
        return self._saves.add(_SAVES, lambda job: self._update_files(set(paths), job), progress)

    def configure(self, settings: Settings) -> None:
        """Index by other settings from now on; what they change is found by reconciling."""
        self._settings = self.upkeep.settings = settings
        self._indexer.limits = read_limits(settings.index)
        self._indexer.memory_bytes = worker_bytes(settings)

    def cancel(self) -> None:
        """Stop indexing the folder; single saves go on."""
        self._bulk.cancel()

    def rest(self) -> None:
        """Say that there is nothing to do: the folder is not to be indexed."""
        self.first_pass.set()
        self.health.finish()

    def warm(self) -> None:
        """Have the process that indexes saves up before the first one, where there are any."""
        self._is_warm = True
        if self._index.owned:
            self._saves.add("Starting", lambda job: self._indexer.warm(job.cancellation))

    def close(self) -> None:
        """Stop everything and end the workers."""
        # Jobs that lose their worker must know that they are cancelled.
        self._bulk.stop()
        self._saves.stop()
        self._indexer.close()
        self._bulk.close()
        self._saves.close()
        self._indexer.close()
        self.first_pass.set()

    def _run_reconcile(self, job: Job) -> None:
        self._run(job, self._plan, embed_all=False)

    def _run_rebuild(self, job: Job) -> None:
        if not self._index.try_own():
            raise refusal(self._index)
        self._run(job, plan_rebuild, embed_all=True)
        merging = partial(self.health.enter, IndexState.MERGING)
        try:
            self.upkeep.merge(job.cancellation, merging)
            self.upkeep.collect(job.cancellation, unused_days=0)
            self.upkeep.run(job.cancellation, merging, at_once=True)
        finally:
            self.health.finish(self.health.last_error)

    def _plan(
        self,
        found: Sequence[FoundFile],
        known: Mapping[str, KnownFile],
        skips: Mapping[str, KnownSkip],
    ) -> IndexPlan:
        read_all = not chosen_by(self._index.store, self._indexer.limits)
        return plan_all(found, known, skips, read_all=read_all, has_room=self._indexer.room > 0)

    def _run(self, job: Job, plan: Planner, *, embed_all: bool) -> None:
        try:
            self.health.enter(IndexState.SCANNING)
            store = self._index.store
            try:
                self._bring_up_to_date(job, plan, embed_all)
            except DamagedCacheError:
                self._index.recover(store)
                self._bring_up_to_date(job, plan, embed_all)
            self.health.succeed()
        except CancelledError:
            self.health.finish()
            raise
        except Exception as error:
            self.health.fail(error)
            raise
        finally:
            self._pending.set_bulk(0)
            self.first_pass.set()
            self._rest()
            self._changed()

    def _bring_up_to_date(self, job: Job, plan: Planner, embed_all: bool) -> None:
        asked, limits, store = self._pending.begin(), self._indexer.limits, self._index.store
        if self._index.owned:
            self.upkeep.show_unpublished(job.cancellation)
            self.upkeep.limit()
        # Before the listing: a file that is saved meanwhile must not seem to be gone.
        looked, known, skips = store.moment(), store.files(), store.skips()
        found, self.upkeep.left_out = plain_files(self._discover(job.cancellation))
        todo = plan(found, known, skips)
        if todo:
            self._pending.differs(asked)
        if self._own(todo, job):
            if todo:
                self._pending.set_bulk(len(todo.stale))
                self.health.enter(IndexState.INDEXING)
                self._apply(job, todo, looked, embed_all=embed_all)
                self.upkeep.found_primary(job.cancellation)
            note_limits(self._index.store, limits)
        self._pending.answer(asked)

    def _apply(self, job: Job, todo: IndexPlan, looked: Moment, *, embed_all: bool) -> None:
        def progress(done: int, total: int | None, message: str) -> None:
            self._pending.set_bulk(len(todo.stale) - done)
            job.progress(done, total, message)

        self._indexer.apply(
            todo,
            looked=looked,
            workers=workers_of(self._settings.index),
            progress=progress,
            cancellation=job.cancellation,
            embed_all=embed_all,
            published=self._changed,
            limit=self.upkeep.limit,
        )

    def _run_merge(self, job: Job) -> None:
        if not self._own(IndexPlan((), ()), job):
            return
        try:
            self.upkeep.merge(job.cancellation, lambda: self.health.enter(IndexState.MERGING))
        finally:
            self.health.finish(self.health.last_error)

    def _run_upkeep(self, job: Job, *, at_once: bool = False) -> None:
        if not self._index.owned:
            return
        store = self._index.store
        try:
            self.upkeep.run(
                job.cancellation, lambda: self.health.enter(IndexState.MERGING), at_once=at_once
            )
        except DamagedCacheError:
            self._recover(store)
        finally:
            self._rest()
            if self.health.state is IndexState.MERGING:
                self.health.finish(self.health.last_error)
        if self.upkeep.found_lost:
            self.note_rescan()

    def _rest(self) -> None:
        """Keep no worker that is not needed for the next save, nor one that has grown large."""
        self._indexer.rest()
        give_back()
        # A look that finds nothing wakes up nothing.
        if self._is_warm and self._index.counts.loaded and self._indexer.worker_pids == []:
            self.warm()

    def _run_hints(self, job: Job) -> None:
        try:
            self._update_files(self._pending.take(), job)
        except Exception:
            # What could not be done for each is left to a look at the whole folder.
            self.note_rescan()
            raise
        finally:
            self._pending.taken()
            self._changed()

    def _update_files(self, paths: Collection[str], job: Job) -> None:
        store = self._index.store
        try:
            looked = store.moment()
            plan, directories = plan_files(self._root, self._policy(), store, paths)
            if directories:
                self.note_rescan()
            if plan and self._own(plan, job):
                self._indexer.apply_urgently(
                    plan, looked=looked, progress=job.progress, cancellation=job.cancellation
                )
        except DamagedCacheError:
            self._recover(store)
            raise

    def _keep_up(self) -> None:
        """Say that the index is in use and owned; from both lanes: one may be busy for long."""
        now = time.monotonic()
        if now - self._kept_up_at > _BETWEEN_LOOKS:
            self._kept_up_at = now
            self._index.keep_up()

    def _idle(self) -> None:
        """Between two jobs: keep up what is ours, try again what failed, follow the owner."""
        if self._index.is_lost:
            if self.health.wants_retry:
                self._recover(None)
            return
        self._keep_up()
        now = time.monotonic()
        if looks := now - self._looked_at > _BETWEEN_LOOKS:
            self._looked_at = now
        if (looks or not self._index.owned) and not self._index.store.is_there():
            self.note_damage(self._index.store)
        elif not self._index.owned:
            self._follow()
        elif self.health.wants_retry:
            self.health.retry()
            self.note_rescan()
        elif looks and self.upkeep.unload_if_idle():
            self._changed()
        elif looks and self.first_pass.is_set() and self.health.is_ready and self.upkeep.is_due:
            self._bulk.add(_UPKEEP, self._run_upkeep)

    def _follow(self) -> None:
        """See what the owner has committed, and take over when it is gone."""
        store = self._index.store
        try:
            if self._index.try_own():
                self.note_rescan()
            elif self.upkeep.follow():
                self._changed()
                if not self.compared:
                    self.note_rescan()
            elif self.compared and self.upkeep.unload_if_idle():
                self._changed()
        except DamagedCacheError:
            self._recover(store)

    def _own(self, plan: IndexPlan, job: Job) -> bool:
        """Whether the plan is ours to carry out; otherwise the owner has done it on return."""
        return self._index.try_own() or not await_owner(
            self._root, self._index, plan, self._indexer.limits, job.cancellation
        )

    def _recover(self, damaged: Store | None) -> None:
        """Begin anew, with whatever can be opened, and index everything again."""
        try:
            self._index.recover(damaged)
        except Exception as error:
            self.health.fail(error)
            raise
        self.note_rescan()
