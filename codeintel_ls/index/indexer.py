"""The writer: carries out a plan, batch by batch, and publishes as it goes.

Reading, chunking and embedding happen in worker processes; here are only the store's
transactions and the hand-over to the published generation. Invariant: each batch is one
transaction, so whatever stops the work leaves an index that is true for every file in it.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Final

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.index.errors import WorkerFailedError
from codeintel_ls.index.index import Index
from codeintel_ls.index.reconcile import IndexPlan
from codeintel_ls.index.schema import FileRecord, KnownSkip, Moment, storable_mtime
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.tasks import (
    FileToIndex,
    MissingFile,
    PreparedFile,
    PrepareTask,
    SkippedFile,
    UnchangedFile,
)
from codeintel_ls.index.worker_process import WorkerProcess
from codeintel_ls.progress import Progress

_FILES_PER_BATCH: Final = 48
_PUBLISH_SECONDS: Final = 1.0
_PUBLISH_SHARE: Final = 10

CRASHED: Final = "crashed"
"""The reason of a file over which the indexing process died."""


class Indexer:
    """Applies plans to one index. One plan at a time."""

    def __init__(self, root: Path, index: Index, model: str, limits: ReadLimits) -> None:
        """Nothing is started until the first plan."""
        self._root = root
        self._index = index
        self._model = model
        self.limits = limits
        self._hiring = Lock()
        self._workers: list[WorkerProcess] = []
        self._published_at = 0.0
        self._publish_cost = 0.0

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
    ) -> None:
        """Bring the index up to the plan; everything in it is searchable on return.

        `looked` is from before the plan was made. `embed_all` embeds anew what the store already
        has vectors for. `published` is called after each generation that searches can see.
        Raises WorkerUnavailableError, CancelledError and the store's errors; what was committed
        before stays.
        """
        total, done = len(plan.stale), 0
        progress(done, total, "Indexing")
        batches = _batches(plan.stale)
        if plan.gone:
            with self._index.writing:
                self._index.store.commit(removed=plan.gone, looked=looked)

        def work(worker: WorkerProcess) -> None:
            nonlocal done, batches
            while True:
                with self._index.writing:
                    batch = next(batches, None)
                if batch is None:
                    return
                try:
                    self._index_batch(worker, batch, embed_all, cancellation)
                except BaseException:
                    batches = iter(())
                    raise
                with self._index.writing:
                    done += len(batch)
                    progress(done, total, "Indexing")
                    due = self._publish_due()
                if due:
                    self._publish()
                    published()

        try:
            self._run(work, workers if total > _FILES_PER_BATCH else 1)
        finally:
            self._publish()
            published()

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
                self._workers.append(WorkerProcess(self._model))
            return self._workers[:count]

    def _index_batch(
        self,
        worker: WorkerProcess,
        batch: Sequence[FileToIndex],
        embed_all: bool,
        cancellation: Cancellation,
    ) -> None:
        try:
            self._index_files(worker, batch, embed_all, cancellation)
        except WorkerFailedError:
            for file in batch:
                self._index_suspect(worker, file, embed_all, cancellation)

    def _index_suspect(
        self,
        worker: WorkerProcess,
        file: FileToIndex,
        embed_all: bool,
        cancellation: Cancellation,
    ) -> None:
        """One file of a batch that failed: tried twice alone, then left out with its reason."""
        for _ in range(2):
            try:
                self._index_files(worker, [file], embed_all, cancellation)
            except WorkerFailedError:
                continue
            return
        skip = self._skip_crashed(file.path)
        with self._index.writing:
            self._index.store.commit(skipped={file.path: skip})

    def _skip_crashed(self, path: str) -> KnownSkip:
        try:
            stat = Path(self._root, path).stat()
        except OSError:
            return KnownSkip(CRASHED, 0, 0)
        return KnownSkip(CRASHED, stat.st_size, storable_mtime(stat))

    def _index_files(
        self,
        worker: WorkerProcess,
        batch: Sequence[FileToIndex],
        embed_all: bool,
        cancellation: Cancellation,
    ) -> None:
        task = PrepareTask(str(self._root), tuple(batch), self.limits)
        looked = self._index.store.moment()
        prepared, pending = worker.prepare(task, cancellation)
        with pending:
            records = [file for file in prepared if isinstance(file, FileRecord)]
            keys = dict.fromkeys(_vector_keys(records))
            wanted = list(keys) if embed_all else self._index.store.missing_vectors(keys)
            vectors = pending.embed(wanted)
        with self._index.writing:
            cancellation.raise_if_cancelled()
            self._commit(prepared, records, vectors, looked)

    def _commit(
        self,
        prepared: Sequence[PreparedFile],
        records: Sequence[FileRecord],
        vectors: Mapping[bytes, bytes],
        looked: Moment,
    ) -> None:
        skipped: dict[str, KnownSkip] = {}
        removed: list[str] = []
        touched: list[tuple[str, bytes, int, int, int]] = []
        for file in prepared:
            if isinstance(file, SkippedFile):
                skipped[file.path] = KnownSkip(file.reason, file.size, file.mtime_ns)
            elif isinstance(file, MissingFile):
                removed.append(file.path)
            elif isinstance(file, UnchangedFile):
                touched.append((file.path, file.digest, file.size, file.mtime_ns, file.seen_ns))
        self._index.store.commit(
            replaced=records,
            removed=removed,
            touched=touched,
            skipped=skipped,
            vectors=vectors,
            looked=looked,
        )

    def _publish_due(self) -> bool:
        pause = max(_PUBLISH_SECONDS, _PUBLISH_SHARE * self._publish_cost)
        return time.monotonic() - self._published_at > pause

    def _publish(self) -> None:
        started = time.monotonic()
        generation = self._index.refresh()
        if generation.wants_merge:
            self._index.merge()
        self._published_at = time.monotonic()
        self._publish_cost = self._published_at - started


def _batches(files: Sequence[FileToIndex]) -> Iterator[Sequence[FileToIndex]]:
    for first in range(0, len(files), _FILES_PER_BATCH):
        yield files[first : first + _FILES_PER_BATCH]


def _vector_keys(records: Sequence[FileRecord]) -> Iterator[bytes]:
    for record in records:
        yield record.path_vector
        yield from (chunk.vector for chunk in record.chunks)
