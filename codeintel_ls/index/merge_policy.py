"""When what came since the last merge is written to disk, and how much is merged with it.

Segments on disk grow like the levels of a log-structured merge tree (O'Neil et al. 1996): a new
one takes those before it along that are not much larger, so that there are few and each chunk is
rewritten seldom. Invariant: between two merges lies a multiple of what one costs.
"""

import time
from typing import Final

from attrs import define, field, frozen

from codeintel_ls.index.generation import Generation
from codeintel_ls.index.ladder import Ladder, PrimaryKind

_FOLD_AT: Final = 2_000
_WORTH_A_FILE: Final = 256
_ABSORB: Final = 2
_SHARE: Final = 0.25
_LEAST: Final = 4_000
_GROWTH: Final = 0.5
_MOST_SEGMENTS: Final = 12
_PAUSE_SHARE: Final = 10.0


@frozen
class Step:
    """A segment to be built: of all that was born after generation `since`, as this kind."""

    since: int
    kind: PrimaryKind


@define(eq=False)
class MergePolicy:
    """Decides by sizes alone, and by what the last step cost."""

    ladder: Ladder
    _not_before: float = field(default=0.0, init=False)

    def took(self, seconds: float) -> None:
        """A step was carried out, or failed, in this time: others wait a multiple of it."""
        self._not_before = time.monotonic() + seconds * _PAUSE_SHARE

    def while_indexing(self, generation: Generation, unpublished: int) -> Step | None:
        """What to write in the middle of a large update: the more there is, the more seldom."""
        due = max(_FOLD_AT, int(generation.chunks * _GROWTH))
        if unpublished + generation.in_memory < due:
            return None
        return self._fold(generation, unpublished, quick=True)

    def at_rest(self, generation: Generation, unpublished: int, *, at_once: bool) -> Step | None:
        """What to write when nothing is being indexed; None where all is well as it is.

        `at_once`: however much the last step has cost.
        """
        if unpublished:
            return self._fold(generation, unpublished, quick=False)
        if self.resting and not at_once:
            return None
        if self._wants_merge(generation):
            return self.merge(generation)
        if generation.in_memory > (_WORTH_A_FILE if at_once else _FOLD_AT):
            return self._fold(generation, 0, quick=False)
        return None

    @property
    def resting(self) -> bool:
        """Whether the last step was so dear, or failed so lately, that others wait."""
        return time.monotonic() < self._not_before

    def is_merged(self, generation: Generation) -> bool:
        """Whether everything is in one primary of the right kind."""
        primary = generation.primary
        return (
            primary is not None
            and len(generation.segments) == 1
            and not generation.dead
            and primary.dense.kind is self.ladder.choose(len(primary))
        )

    def merge(self, generation: Generation) -> Step:
        """Everything into one primary."""
        return Step(0, self.ladder.choose(generation.chunks))

    def _wants_merge(self, generation: Generation) -> bool:
        primary = generation.primary
        if primary is None:
            return generation.chunks > 0
        limit = max(_LEAST, len(primary) * _SHARE)
        return (
            generation.secondary > limit
            or generation.dead > limit
            or len(generation.manifest.segments) > _MOST_SEGMENTS
            or primary.dense.kind is not self.ladder.choose(len(primary))
        )

    def _fold(self, generation: Generation, unpublished: int, *, quick: bool) -> Step:
        entries = list(generation.manifest.segments)
        size = unpublished + generation.in_memory
        while entries and entries[-1].chunks < _ABSORB * size:
            size += entries.pop().chunks
        if entries:
            return Step(entries[-1].upto, PrimaryKind.FLAT)
        return Step(0, self._quick_kind(size) if quick else self.ladder.choose(size))

    def _quick_kind(self, size: int) -> PrimaryKind:
        """A kind that needs no long training: it will be merged away soon."""
        exact = size <= self.ladder.flat_up_to
        return PrimaryKind.FLAT if exact else PrimaryKind.SQ8
