"""A folder, its index and its indexer with real worker processes."""

import os
from collections.abc import Callable
from pathlib import Path

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import bundled_encoder
from codeintel_ls.index.indexer import Indexer
from codeintel_ls.index.reconcile import FoundFile, IndexPlan, plan_all
from codeintel_ls.index.schema import ChunkPlace, chunk_id
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.progress import Progress, no_progress
from tests.unit.index.caches import open_cache

MEMORY = 2048 * 1024 * 1024
LIMITS = ReadLimits(1_000_000, 10_000)


def function(number: int, times: int = 1) -> str:
    """A file with a function of its own."""
    return f"def function_{number}():\n    return {number}\n" * times


class Bench:
    """Writes files, and has them indexed."""

    def __init__(self, folder: Path, model: str = "", memory_bytes: int = MEMORY) -> None:
        self.writes = 10**18
        self.root = folder / "tree"
        self.root.mkdir()
        self.index = open_cache(folder, dimension=bundled_encoder().dimension)
        self.indexer = Indexer(self.root, self.index, model, LIMITS, memory_bytes)

    def write(self, path: str, text: str | bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.writes += 1
        # Long ago, so that nothing is read again for having been written just now.
        os.utime(place, ns=(self.writes, self.writes))

    def write_functions(self, count: int, times: int = 1) -> None:
        for number in range(count):
            self.write(f"f{number}.py", function(number, times))

    def found(self) -> list[FoundFile]:
        files = sorted(path for path in self.root.rglob("*") if path.is_file())
        stats = [(path, path.stat()) for path in files]
        return [
            FoundFile(path.relative_to(self.root).as_posix(), stat.st_size, stat.st_mtime_ns)
            for path, stat in stats
        ]

    def plan(self) -> IndexPlan:
        store = self.index.store
        return plan_all(self.found(), store.files(), store.skips(), has_room=self.indexer.room > 0)

    def apply(
        self,
        plan: IndexPlan,
        *,
        workers: int = 1,
        cancellation: Cancellation | None = None,
        progress: Progress = no_progress,
        embed_all: bool = False,
        published: Callable[[], None] = lambda: None,
        limit: Callable[[], None] = lambda: None,
    ) -> None:
        self.indexer.apply(
            plan,
            looked=self.index.store.moment(),
            workers=workers,
            progress=progress,
            cancellation=cancellation or Cancellation(),
            embed_all=embed_all,
            published=published,
            limit=limit,
        )

    def index_all(self, *, workers: int = 1) -> int:
        """Bring the index up to the disk; how many files had to be read."""
        plan = self.plan()
        self.apply(plan, workers=workers)
        return len(plan.stale)

    def save(self, *paths: str) -> None:
        """Index these files as after a save."""
        store = self.index.store
        looked, known = store.moment(), store.files_at(paths)
        there = [path for path in paths if (self.root / path).exists()]
        plan = plan_all(
            [file for file in self.found() if file.path in there], known, store.skips_at(paths)
        )
        self.indexer.apply_urgently(
            plan, looked=looked, progress=no_progress, cancellation=Cancellation()
        )

    def places(self, path: str) -> list[ChunkPlace]:
        """The chunks of a live file."""
        store = self.index.store
        ids = [
            chunk_id(file.id, ordinal)
            for file in store.changes_at([path], 0).born
            for ordinal in range(file.chunks)
        ]
        return list(store.places(ids).values())

    def vectors(self) -> int:
        return self.index.store.contents.counts()[1]

    def close(self) -> None:
        self.indexer.close()
        self.index.close()
