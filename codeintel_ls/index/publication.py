"""What is published of an index: the generation that searches read, and how it moves on.

Any thread may take `current` at any time and keep it for as long as it likes. Invariants: one
publisher at a time; a manifest is swapped before the generation that stands on it is handed out;
nothing large is read or built here, that is for the indexing process.
"""

import gc
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock, Thread
from typing import Final

from attrs import evolve, field, frozen

from codeintel_ls.index.building import BuildTask, BuiltSegment, low_priority_threads
from codeintel_ls.index.errors import (
    DamagedCacheError,
    IndexingError,
    NewerCacheError,
    OwnershipLostError,
    SegmentsUnavailableError,
)
from codeintel_ls.index.generation import Generation, Tombstones
from codeintel_ls.index.manifest import (
    Manifest,
    SegmentEntry,
    read_manifest,
    remove_unlisted,
    write_manifest,
)
from codeintel_ls.index.memory import give_back, let_go_of_pages, resident_of_files
from codeintel_ls.index.merge_policy import MergePolicy, Step
from codeintel_ls.index.schema import FileToView
from codeintel_ls.index.segment import Segment
from codeintel_ls.index.segment_files import SEGMENTS, open_segment, verify_segment
from codeintel_ls.index.store import Store

_log = logging.getLogger(__name__)

_SEARCHES_BETWEEN: Final = 8
_LARGE_BYTES: Final = 150_000_000
_MOST_RESIDENT: Final = 300_000_000
_MOST_TO_READ: Final = 4_000
"""So many chunks at the most are read into memory by the server's process itself."""

Builder = Callable[[BuildTask], BuiltSegment]
"""Has the indexing process carry out a task."""


@frozen(kw_only=True)
class GenerationCounts:
    """A generation in numbers, which are still told while it is unloaded."""

    number: int = 0
    chunks: int = 0
    primary_kind: str = "none"
    primary_vectors: int = 0
    primary_recall: float | None = None
    secondary_vectors: int = 0
    tombstones: int = 0
    memory_bytes: int = 0
    loaded: bool = field(default=False, eq=False)

    @classmethod
    def of(cls, generation: Generation) -> "GenerationCounts":
        """Of a generation that is loaded."""
        primary = generation.primary
        return cls(
            number=generation.number,
            chunks=generation.chunks,
            primary_kind=str(primary.dense.kind) if primary is not None else "none",
            primary_vectors=len(primary) if primary is not None else 0,
            primary_recall=primary.dense.recall if primary is not None else None,
            secondary_vectors=generation.secondary,
            tombstones=generation.dead,
            memory_bytes=generation.nbytes,
            loaded=True,
        )


class Publication:
    """The published generation of one cache. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        dimension: int,
        policy: MergePolicy,
        *,
        distrusted: bool = False,
    ) -> None:
        """Nothing is read until it is asked for.

        `distrusted`: segments are read as a whole before they are used the first time.
        """
        self.policy = policy
        self.used_at = time.monotonic()
        self.damage = ""
        self.unavailable = False
        self._folder = folder
        self._store = store
        self._dimension = dimension
        self._distrusted = distrusted
        self._publishing = RLock()
        self._generation: Generation | None = None
        self._counts = GenerationCounts()
        self._lost: list[FileToView] = []
        self._searches = 0

    @property
    def current(self) -> Generation:
        """The generation that searches read; loads it where it was unloaded.

        Raises the store's errors.
        """
        self.used_at = time.monotonic()
        return self._generation or self.load()

    @property
    def current_number(self) -> int:
        """The number of the current generation; -1 while it is unloaded."""
        generation = self._generation
        return generation.number if generation is not None else -1

    @property
    def counts(self) -> GenerationCounts:
        """The numbers of the current generation, or of the last one before it was unloaded."""
        generation = self._generation
        if generation is not None:
            self._counts = GenerationCounts.of(generation)
        return self._counts

    def searched(self) -> None:
        """A search has read the current generation: its mapped pages are let go when they are many.

        The searches after that have them mapped again, which takes milliseconds: not often, then.
        """
        self._searches += 1
        generation = self._generation
        if self._searches % _SEARCHES_BETWEEN or generation is None:
            return
        if generation.nbytes > _LARGE_BYTES and resident_of_files() > _MOST_RESIDENT:
            # It takes longer than a search may, and searches can go on meanwhile.
            held = (generation.segments,)
            Thread(target=let_go_of_pages, args=held, name="pages", daemon=True).start()

    def load(self, *, own: bool = True) -> Generation:
        """Read what is published on disk. Damaged segments count as not there (see `damage`).

        `own`: much that is on no disk yet is left for the indexing process to write. Raises
        SegmentsUnavailableError (and is `unavailable` until the next try).
        """
        with self._publishing:
            if self._generation is None:
                try:
                    self._generation = self._loaded(own)
                except SegmentsUnavailableError:
                    self.unavailable = True
                    raise
                self.unavailable = False
            return self._generation

    def unload(self) -> None:
        """Give the memory back; the next search loads again."""
        with self._publishing:
            self._counts = evolve(self.counts, memory_bytes=0, loaded=False)
            self._generation = None
        gc.collect()
        give_back()

    def publish(self, paths: Iterable[str] | None = None, *, most: int = _MOST_TO_READ) -> bool:
        """Show what the store has committed since, or what became of `paths` alone.

        False where more than `most` chunks are new: those are for a `Step`.
        """
        self.used_at = time.monotonic()
        with self._publishing:
            generation = self.load()
            if paths is None:
                changes = self._store.changes_since(generation.covered)
                if changes.generation == generation.covered:
                    return True
            else:
                changes = self._store.changes_at(paths, generation.covered)
            if sum(file.chunks for file in changes.born) - generation.in_memory > most:
                return False
            self._generation, lost = generation.with_changes(
                changes, self._store.contents, whole=paths is None
            )
            self._lost += lost
            return True

    def follow(self) -> bool:
        """Show what another process has committed or merged; whether that was anything.

        Searches go on with the generation before until then. Raises the store's errors: then all
        stays as it was.
        """
        with self._publishing:
            before = self._generation
            if before is not None and not self._is_behind(before):
                return not self.publish(most=sys.maxsize) or self._generation is not before
            self._generation = self._loaded(own=False)
            return True

    def unpublished(self) -> int:
        """Chunks that are committed and that no search sees yet."""
        with self._publishing:
            generation = self.load()
            held = generation.held_in_memory()
            rows = self._store.chunks_since(generation.covered)
            return sum(chunks for number, chunks in rows if number not in held)

    def next_step(self, *, indexing: bool, at_once: bool = False) -> Step | None:
        """What should be written to disk now, if anything; `indexing`: more is to come."""
        unpublished = self.unpublished()
        generation = self.load()
        if indexing:
            return self.policy.while_indexing(generation, unpublished)
        return self.policy.at_rest(generation, unpublished, at_once=at_once)

    def carry_out(self, step: Step, build: Builder) -> Generation:
        """Have a segment built, swap the manifest, publish. Searches go on meanwhile.

        Raises what `build` raises, DamagedCacheError, OSError: then all stays as it was.
        """
        started = time.monotonic()
        try:
            built = build(
                BuildTask(
                    folder=str(self._folder),
                    database=str(self._store.path),
                    contents=str(self._store.contents.path),
                    dimension=self._dimension,
                    since=step.since,
                    kind=step.kind,
                    threads=low_priority_threads(),
                )
            )
            opened = [open_segment(self._folder / SEGMENTS / built.name)] if built.name else []
            with self._publishing:
                return self._adopt(step, built, opened)
        except OwnershipLostError:
            # What lies there is the next owner's to judge.
            raise
        except BaseException:
            self._remove_unfinished()
            raise
        finally:
            self.policy.took(time.monotonic() - started)

    @property
    def has_lost(self) -> bool:
        """Whether `take_lost` has something to tell."""
        return bool(self._lost)

    def take_lost(self) -> list[FileToView]:
        """Files that were found to be lost since this was last asked."""
        with self._publishing:
            lost, self._lost = self._lost, []
            return lost

    def clean(self) -> None:
        """Remove what an interrupted build left, and what no manifest lists any more."""
        with self._publishing:
            remove_unlisted(self._folder, self.load().manifest)

    def _remove_unfinished(self) -> None:
        """Remove what a build left that failed, or whose process was ended."""
        # What failed is told, not that this did too: an opening cleans again.
        with self._publishing, suppress(IndexingError):
            # It may have failed behind the swap of the manifest: what either lists stays.
            generation, on_disk = self._generation, read_manifest(self._folder)
            listed = [on_disk, generation.manifest if generation is not None else None]
            remove_unlisted(self._folder, *(manifest for manifest in listed if manifest))

    def _adopt(self, step: Step, built: BuiltSegment, opened: Sequence[Segment]) -> Generation:
        before = self.load()
        kept = [entry for entry in before.manifest.segments if entry.upto <= step.since]
        entry = SegmentEntry(
            name=built.name, since=built.since, upto=built.upto, chunks=built.chunks
        )
        manifest = Manifest(
            store=self._store.identity,
            dimension=self._dimension,
            upto=built.upto,
            segments=(*kept, *((entry,) if built.name else ())),
        )
        write_manifest(self._folder, manifest)
        self._lost += built.lost
        covered = max(before.covered, manifest.upto)
        self._generation = before.rebased(
            manifest,
            (*before.segments[: len(kept)], *opened),
            built.last_file,
            self._store.died_between(manifest.oldest, covered),
        )
        remove_unlisted(self._folder, manifest)
        for segment in opened:
            _log.info(
                "Published generation %d: %d chunks from generation %d on as %s, recall %s.",
                built.upto,
                built.chunks,
                built.since,
                segment.dense.kind,
                segment.dense.recall,
            )
        return self._generation

    def _loaded(self, own: bool) -> Generation:
        manifest, segments = self._read()
        generation = Generation(
            manifest=manifest,
            covered=manifest.upto,
            number=manifest.upto,
            segments=tuple(segments),
            tombstones=tuple(Tombstones.none(len(segment)) for segment in segments),
        ).with_dead(self._store.died_between(manifest.oldest, manifest.upto))
        changes = self._store.changes_since(manifest.upto)
        if own and sum(file.chunks for file in changes.born) > _MOST_TO_READ:
            return generation
        generation, lost = generation.with_changes(changes, self._store.contents, whole=True)
        self._lost += lost
        return generation

    def _read(self) -> tuple[Manifest, list[Segment]]:
        """The manifest and its segments; empty ones where they are damaged or of another store."""
        empty = Manifest(store=self._store.identity, dimension=self._dimension)
        while True:
            manifest: Manifest | None = None
            try:
                manifest = read_manifest(self._folder)
                if manifest is None or not self._fits(manifest):
                    return empty, []
                return manifest, self._segments_of(manifest)
            except NewerCacheError:
                raise
            except DamagedCacheError as error:
                # Whoever owns the index may have removed them with a newer manifest in place.
                if self._is_replaced(manifest):
                    continue
                self.damage = str(error)
                return empty, []

    def _segments_of(self, manifest: Manifest) -> list[Segment]:
        folders = [self._folder / SEGMENTS / entry.name for entry in manifest.segments]
        if self._distrusted and not all(map(verify_segment, folders)):
            raise DamagedCacheError("A segment of the index is damaged.")
        self._distrusted = False
        return [open_segment(folder) for folder in folders]

    def _is_replaced(self, manifest: Manifest | None) -> bool:
        """Whether another manifest than this one is on disk now."""
        try:
            return read_manifest(self._folder) != manifest
        except NewerCacheError:
            raise
        except DamagedCacheError:
            return False

    def _fits(self, manifest: Manifest) -> bool:
        return (
            manifest.store == self._store.identity
            and manifest.dimension == self._dimension
            and manifest.oldest >= self._store.swept()
            and manifest.upto <= self._store.generation()
        )

    def _is_behind(self, generation: Generation) -> bool:
        """Whether the manifest on disk is another than that of the generation."""
        try:
            manifest = read_manifest(self._folder)
        except DamagedCacheError:
            return False
        return manifest is not None and self._fits(manifest) and manifest != generation.manifest


def set_segments_aside(folder: Path, aside: Path) -> None:
    """Move a cache's manifest and segments away, whole."""
    aside.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (folder / "manifest.json", folder / SEGMENTS):
        if path.exists():
            shutil.move(path, aside / path.name)
