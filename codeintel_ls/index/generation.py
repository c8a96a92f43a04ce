"""A generation: the immutable snapshot that searches read.

Made of the segments that a manifest lists (mapped from disk, the first of them the primary) and
of small ones in memory for what came since. Invariant: publishing a generation is handing over a
reference; nobody ever waits for it and nothing in it changes afterwards.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.manifest import Manifest
from codeintel_ls.index.rows import ChunkRows, joined, read_rows
from codeintel_ls.index.schema import FileToView, StoredChanges
from codeintel_ls.index.segment import Segment

_MOST_IN_MEMORY: Final = 8


@frozen(eq=False)
class Tombstones:
    """Which chunks of a segment are dead, bool (n,)."""

    dead: NDArray[np.bool_]
    count: int

    @classmethod
    def none(cls, size: int) -> "Tombstones":
        """Every chunk lives."""
        return cls(np.zeros(size, dtype=np.bool_), 0)

    def and_dead(self, spans: Sequence[tuple[int, int]]) -> "Tombstones":
        """With more positions dead, given as (first, end)."""
        if not spans:
            return self
        dead = self.dead.copy()
        for first, end in spans:
            dead[first:end] = True
        return Tombstones(dead, int(np.count_nonzero(dead)))


@frozen(eq=False)
class Generation:
    """Segments with their tombstones: first those of `manifest`, then those in memory.

    All that the store held in generation `covered` is in it; `number` is the last one of which
    something is. `replaced` are ids of files that died after `covered` and are dead here already.
    """

    manifest: Manifest
    covered: int = 0
    number: int = 0
    segments: tuple[Segment, ...] = ()
    tombstones: tuple[Tombstones, ...] = ()
    replaced: frozenset[int] = field(factory=frozenset[int])

    @property
    def dimension(self) -> int:
        """The length of the vectors."""
        return self.manifest.dimension

    @cached_property
    def chunks(self) -> int:
        """Live chunks."""
        return sum(map(len, self.segments)) - self.dead

    @cached_property
    def dead(self) -> int:
        """Tombstones."""
        return sum(marks.count for marks in self.tombstones)

    @property
    def primary(self) -> Segment | None:
        """The large segment; None where everything is in memory still."""
        return self.segments[0] if self.manifest.segments else None

    @property
    def secondary(self) -> int:
        """Vectors outside the primary."""
        first = 1 if self.primary is not None else 0
        return sum(len(segment) for segment in self.segments[first:])

    @property
    def in_memory(self) -> int:
        """Vectors of segments that are on no disk yet."""
        return sum(len(segment) for segment in self.segments if segment.rows is not None)

    @property
    def nbytes(self) -> int:
        """Bytes of all segments, in memory or mapped."""
        return sum(segment.nbytes for segment in self.segments) + sum(
            marks.dead.nbytes for marks in self.tombstones
        )

    def with_changes(
        self, changes: StoredChanges, contents: ContentStore, *, whole: bool
    ) -> tuple["Generation", list[FileToView]]:
        """Brought up to what the store has committed since, and the files of which parts are lost.

        `whole`: the changes are all that there were since `covered`, not those of some paths.
        """
        held = self.held_in_memory()
        fresh = [file for file in changes.born if file.id not in held]
        generation = self.with_dead(changes.died)
        lost: list[FileToView] = []
        if fresh:
            rows, lost = read_rows(contents, fresh, self.dimension)
            generation = generation.with_rows(rows)
        number = max(self.number, changes.generation)
        if whole:
            return evolve(
                generation, covered=changes.generation, number=number, replaced=frozenset()
            ), lost
        replaced = self.replaced.union(changes.died)
        return evolve(generation, number=number, replaced=replaced), lost

    def with_dead(self, file_ids: Sequence[int]) -> "Generation":
        """With the chunks of more files dead."""
        if not file_ids:
            return self
        gone = np.unique(np.asarray(file_ids, dtype=np.int64))
        marked = tuple(
            marks.and_dead(segment.spans(gone))
            for segment, marks in zip(self.segments, self.tombstones, strict=True)
        )
        return evolve(self, tombstones=marked)

    def with_rows(self, rows: ChunkRows) -> "Generation":
        """With one more segment in memory; several small ones are made one."""
        if not len(rows):
            return self
        kept = len(self.manifest.segments)
        parts = self._live_rows() if len(self.segments) - kept >= _MOST_IN_MEMORY else None
        if parts is not None:
            return self._with_memory([Segment.of(joined([*parts, rows]))])
        return evolve(
            self,
            segments=(*self.segments, Segment.of(rows)),
            tombstones=(*self.tombstones, Tombstones.none(len(rows))),
        )

    def rebased(
        self,
        manifest: Manifest,
        segments: Sequence[Segment],
        last_file: int,
        died_since: Sequence[int],
    ) -> "Generation":
        """The same over other segments on disk, which hold the files up to the id `last_file`.

        `died_since` are the files that died after the manifest's generation and up to `covered`.
        """
        newer: list[ChunkRows] = []
        for rows in self._live_rows():
            counts = rows.counts
            old = np.repeat(rows.files <= last_file, counts)
            later = rows.without(old)
            if len(later.files) and int(later.files[-1]) > last_file:
                newer.append(later)
        covered = max(self.covered, manifest.upto)
        based = evolve(
            self,
            manifest=manifest,
            covered=covered,
            number=max(self.number, covered),
            segments=tuple(segments),
            tombstones=tuple(Tombstones.none(len(segment)) for segment in segments),
        )
        memory = [Segment.of(joined(newer))] if newer else []
        return based._with_memory(memory).with_dead([*died_since, *self.replaced])

    def _with_memory(self, memory: Sequence[Segment]) -> "Generation":
        kept = len(self.manifest.segments)
        return evolve(
            self,
            segments=(*self.segments[:kept], *memory),
            tombstones=(
                *self.tombstones[:kept],
                *(Tombstones.none(len(segment)) for segment in memory),
            ),
        )

    def holding(self, file_ids: Sequence[int]) -> set[int]:
        """Those of the files of which chunks live here."""
        wanted = np.unique(np.asarray(file_ids, dtype=np.int64))
        held: set[int] = set()
        for segment, marks in zip(self.segments, self.tombstones, strict=True):
            here = segment.places_of(wanted)
            here = here[segment.starts[here] < segment.starts[here + 1]]
            held.update(segment.files[here[~marks.dead[segment.starts[here]]]].tolist())
        return held

    def _live_rows(self) -> list[ChunkRows]:
        """The rows in memory, without what is dead."""
        found: list[ChunkRows] = []
        for segment, marks in zip(self.segments, self.tombstones, strict=True):
            if segment.rows is not None:
                found.append(segment.rows.without(marks.dead))
        return found

    def held_in_memory(self) -> set[int]:
        """Ids of the files whose chunks are in memory."""
        return {
            number
            for segment in self.segments
            if segment.rows is not None
            for number in segment.files.tolist()
        }
