"""The writer: carries out a plan, batch by batch, and publishes as it goes.

Reading, chunking, embedding and building segments happen in worker processes; here are only the
store's small transactions and the hand-over to the published generation. Invariant: each batch is
one transaction, so whatever stops the work leaves an index that is true for every file in it.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Final

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import Model
from codeintel_ls.index.building import BuildTask
from codeintel_ls.index.errors import WorkerFailedError
from codeintel_ls.index.index import Index
from codeintel_ls.index.merge_policy import Step
from codeintel_ls.index.reconcile import IndexPlan
from codeintel_ls.index.room import Room
from codeintel_ls.index.schema import FileRecord, KnownSkip, Moment, storable_mtime
from codeintel_ls.index.screening import SkipReason
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.tasks import (
    CollectTask,
    FileToIndex,
    MissingFile,
    PreparedFile,
    PrepareTask,
    SkippedFile,
    VerifyTask,
)
from codeintel_ls.index.worker_process import WorkerProcess
from codeintel_ls.progress import Progress

_FILES_PER_BATCH: Final = 48
_PUBLISH_SECONDS: Final = 1.0
_URGENT_TRIES: Final = 4
_TRIES: Final = 2
_KEPT_MEMORY: Final = 400 * 1024 * 1024

CRASHED: Final = "crashed"
"""The reason of a file over which the indexing process died."""


class Indexer:
    """Applies plans to one index: one large plan at a time, and urgent ones beside it."""

    def __init__(
        self, root: Path, index: Index, model: Model, limits: ReadLimits, memory_bytes: int
    ) -> None:
        """Nothing is started until the first plan."""
        self._root = root
        self._index = index
        self._model = model
        self.limits = limits
        self._room = Room(self._count_chunks)
        self.memory_bytes = memory_bytes
        self.embedded = 0
        self._hiring = Lock()
        self._stepping = Lock()
        self._workers: list[WorkerProcess] = []
        self._in_bulk = 0

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that are alive."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    def warm(self, cancellation: Cancellation) -> None:
        """Start one worker ahead of the first save."""
        self._workers_for(1)[0].start(cancellation)

    def apply(
        self,
        plan: IndexPlan,
        *,
        looked: Moment,
        workers: int,
        progress: Progress,
        cancellation: Cancellation,
        embed_all: bool = False,
        published: Callable[[], None] = lambda: None,
        limit: Callable[[], None] = lambda: None,
    ) -> None:
        """Bring the index up to the plan; everything in it is searchable on return.

        `looked` is from before the plan was made. `embed_all` embeds anew what the store already
        has vectors for. `published` is called after each generation that searches can see, `limit`
        after each batch, also from several threads, to set `most_chunks` anew.
        Raises WorkerUnavailableError, EmbeddingError, CancelledError and the store's errors; what
        was committed before stays.
        """
        total, done = len(plan.stale), 0
        progress(done, total, "Indexing")
        batches = _batches(plan.stale)
        self._remove(plan.gone, looked)
        with self._index.writing:
            self._room.look_again()
        shown_at = 0.0

        def work(worker: WorkerProcess) -> None:
            nonlocal done, batches, shown_at
            while True:
                with self._index.writing:
                    batch = next(batches, None)
                if batch is None:
                    return
                try:
                    if self._index_batch(worker, batch, cancellation, embed_all=embed_all):
                        limit()
                except BaseException:
                    batches = iter(())
                    raise
                with self._index.writing:
                    done += len(batch)
                    progress(done, total, "Indexing")
                    due = time.monotonic() - shown_at > _PUBLISH_SECONDS
                    if due:
                        shown_at = time.monotonic()
                if due:
                    self._write_while_indexing(cancellation)
                    published()

        self._in_bulk += 1
        try:
            self._run(work, workers if total > _FILES_PER_BATCH else 1)
        finally:
            self._in_bulk -= 1
            self._show_all(cancellation)
            published()

    def apply_urgently(
        self, plan: IndexPlan, *, looked: Moment, progress: Progress, cancellation: Cancellation
    ) -> None:
        """The same for a few files that somebody waits for, beside whatever else is done."""
        progress(0, len(plan.stale), "Indexing")
        self._remove(plan.gone, looked)
        for batch in _batches(plan.stale):
            self._index_batch(self._workers_for(1)[0], batch, cancellation, urgent=True)
        paths = [*plan.gone, *(file.path for file in plan.stale)]
        # While a large plan is carried out, what it has committed is not for this thread to read.
        if self._in_bulk or not self._index.publish():
            # Somebody waits for these, however many they are.
            self._index.publication.publish(paths, most=sys.maxsize)

    def carry_out(self, step: Step, cancellation: Cancellation) -> None:
        """Have a segment written, and publish it. Raises as `apply` does."""
        worker = self._workers_for(1)[0]

        def build(task: BuildTask):
            return worker.build(task, cancellation)

        self._index.carry_out(step, build)

    def collect(self, task: CollectTask, cancellation: Cancellation) -> int:
        """Delete contents that nothing refers to; returns how many rows went."""
        return self._workers_for(1)[0].collect(task, cancellation)

    def verify(self, folders: Sequence[Path], cancellation: Cancellation) -> bool:
        """Whether every byte of these segments is as it was written."""
        return self._workers_for(1)[0].verify(VerifyTask(tuple(map(str, folders))), cancellation)

    @property
    def most_chunks(self) -> int:
        """Files beyond so many chunks are left out."""
        return self._room.most

    @most_chunks.setter
    def most_chunks(self, most: int) -> None:
        self._room.most = most

    @property
    def room(self) -> int:
        """How many more chunks the cap allows; 0 where that is too little for most files."""
        return self._room.look_again()

    def _count_chunks(self) -> int:
        # Another store takes the place of one that was damaged.
        return self._index.store.count_chunks()

    def rest(self) -> None:
        """End the workers that are not needed for saves, or have grown large."""
        with self._hiring:
            kept, ended = self._workers[:1], self._workers[1:]
            self._workers = kept
        for worker in ended:
            worker.close()
        for worker in kept:
            if worker.memory_bytes > _KEPT_MEMORY:
                worker.end()

    def unload(self) -> None:
        """End the child processes; whoever asks one at this very moment is served by the next."""
        with self._hiring:
            workers = list(self._workers)
        for worker in workers:
            worker.end()

    def close(self) -> None:
        """End the workers; a later plan starts new ones."""
        with self._hiring:
            workers, self._workers = self._workers, []
        for worker in workers:
            worker.close()

    def _run(self, work: Callable[[WorkerProcess], None], count: int) -> None:
        workers = self._workers_for(count)
        if count == 1:
            work(workers[0])
            return
        with ThreadPoolExecutor(count, thread_name_prefix="indexing") as threads:
            for future in [threads.submit(work, worker) for worker in workers]:
                future.result()

    def _workers_for(self, count: int) -> list[WorkerProcess]:
        with self._hiring:
            while len(self._workers) < count:
                self._workers.append(WorkerProcess(self._model, self.memory_bytes))
            return self._workers[:count]

    def _index_batch(
        self,
        worker: WorkerProcess,
        batch: Sequence[FileToIndex],
        cancellation: Cancellation,
        *,
        embed_all: bool = False,
        urgent: bool = False,
    ) -> bool:
        """Whether any of the files was read; where there is no room, new ones are not."""

        def index(files: Sequence[FileToIndex]) -> None:
            task = PrepareTask(
                root=str(self._root),
                files=tuple(files),
                limits=self.limits,
                contents=str(self._index.store.contents.path),
                recipe=self._index.recipe,
                embed_all=embed_all,
                urgent=urgent,
            )
            looked = self._index.store.moment()
            prepared = worker.prepare(task, cancellation)
            with self._index.writing:
                cancellation.raise_if_cancelled()
                self._commit(prepared, looked)

        batch = self._admitted(batch)
        if not batch:
            return False
        try:
            index(batch)
        except WorkerFailedError:
            for file in batch:
                self._index_suspect(file, index, _URGENT_TRIES if urgent else _TRIES)
        return True

    def _remove(self, paths: Sequence[str], looked: Moment) -> None:
        if paths:
            with self._index.writing:
                self._index.store.commit(removed=paths, looked=looked)
                self._room.freed()

    def _admitted(self, batch: Sequence[FileToIndex]) -> Sequence[FileToIndex]:
        """Those of the files that are to be read; others are left out while there is no room."""
        with self._index.writing:
            if not self._room.is_full:
                return batch
        store = self._index.store
        looked, known = store.moment(), store.files_at(file.path for file in batch)
        admitted: list[FileToIndex] = []
        skipped: dict[str, KnownSkip] = {}
        for file in batch:
            skip = None if file.path in known else self._skip(file.path, SkipReason.OVER_CAP)
            if skip is None:
                admitted.append(file)
            else:
                skipped[file.path] = skip
        if skipped:
            with self._index.writing:
                store.commit(skipped=skipped, looked=looked)
        return admitted

    def _index_suspect(
        self, file: FileToIndex, index: Callable[[Sequence[FileToIndex]], None], tries: int
    ) -> None:
        """One file of a batch that failed: tried again alone, then left out with its reason."""
        for _ in range(tries):
            try:
                index([file])
            except WorkerFailedError:
                continue
            return
        skip = self._skip(file.path, CRASHED) or KnownSkip(CRASHED, 0, 0)
        with self._index.writing:
            self._index.store.commit(skipped={file.path: skip})

    def _skip(self, path: str, reason: str) -> KnownSkip | None:
        try:
            stat = Path(self._root, path).stat()
        except OSError:
            return None
        return KnownSkip(reason, stat.st_size, storable_mtime(stat))

    def _commit(self, prepared: Sequence[PreparedFile], looked: Moment) -> None:
        records: list[FileRecord] = []
        skipped: dict[str, KnownSkip] = {}
        removed: list[str] = []
        touched: list[tuple[str, bytes, int, int, int]] = []
        # What takes the place of a file may be as large as that was.
        held, uncommitted = self._index.store.chunks_at(file.path for file in prepared), 0
        for file in prepared:
            if isinstance(file, FileRecord):
                self.embedded += file.embedded
                more = file.chunks - held.get(file.path, 0)
                if self._room.take(more, uncommitted):
                    uncommitted += more
                    records.append(file)
                else:
                    skipped[file.path] = KnownSkip(SkipReason.OVER_CAP, file.size, file.mtime_ns)
            elif isinstance(file, SkippedFile):
                skipped[file.path] = KnownSkip(file.reason, file.size, file.mtime_ns)
            elif isinstance(file, MissingFile):
                removed.append(file.path)
            else:
                touched.append((file.path, file.digest, file.size, file.mtime_ns, file.seen_ns))
        self._index.store.commit(
            replaced=records, removed=removed, touched=touched, skipped=skipped, looked=looked
        )
        if any(held.get(path) for path in (*removed, *skipped)):
            self._room.freed()

    def _write_while_indexing(self, cancellation: Cancellation) -> None:
        # Two at once would write the same chunks; who comes second goes on with the next batch.
        if not self._stepping.acquire(blocking=False):
            return
        try:
            step = self._index.publication.next_step(indexing=True)
            if step is not None:
                self.carry_out(step, cancellation)
        finally:
            self._stepping.release()

    def _show_all(self, cancellation: Cancellation) -> None:
        """Publish what is committed: a little is read here, much is written by the worker."""
        if self._index.publish():
            return
        step = self._index.publication.next_step(indexing=False)
        if step is not None and not cancellation.cancelled:
            self.carry_out(step, cancellation)


def _batches(files: Sequence[FileToIndex]) -> Iterator[Sequence[FileToIndex]]:
    for first in range(0, len(files), _FILES_PER_BATCH):
        yield files[first : first + _FILES_PER_BATCH]
