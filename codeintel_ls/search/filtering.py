"""A filter becomes a mask over the chunks of a generation.

Filtering happens before candidates are taken, so a narrow filter never costs recall.
"""

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.index.generation import Generation
from codeintel_ls.index.globs import GlobSet
from codeintel_ls.index.store import Store
from codeintel_ls.search.values import SearchFilter


@frozen(eq=False)
class Mask:
    """Which positions of a segment may be found: `allowed` bool (n,), and the same as `bits`.

    `count` are allowed; in `bits` (uint8) a byte's lowest bit comes first.
    """

    allowed: NDArray[np.bool_]
    bits: NDArray[np.uint8]
    count: int

    @classmethod
    def of(cls, allowed: NDArray[np.bool_]) -> "Mask":
        """The mask of these positions."""
        bits = np.packbits(allowed, bitorder="little")
        return cls(allowed, bits, int(np.count_nonzero(allowed)))


Masks = tuple[Mask | None, ...]
"""One for each segment; None: all of its positions may be found."""

_REMEMBERED: Final = 16


class FilterMasks:
    """Masks of recent filters over the generation last asked about. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._of: weakref.ref[Generation] | None = None
        self._masks: OrderedDict[SearchFilter, Masks] = OrderedDict()

    def masks(self, generation: Generation, store: Store, wanted: SearchFilter) -> Masks:
        """Live chunks of files that pass the filter. Raises InvalidGlobError."""
        with self._lock:
            # A merge keeps the number and changes every position.
            if self._of is None or self._of() is not generation:
                self._of, self._masks = weakref.ref(generation), OrderedDict()
            remembered = self._masks
            if wanted in remembered:
                remembered.move_to_end(wanted)
                return remembered[wanted]
        masks = _masks(generation, store, wanted)
        with self._lock:
            remembered[wanted] = masks
            while len(remembered) > _REMEMBERED:
                remembered.popitem(last=False)
        return masks


def _masks(generation: Generation, store: Store, wanted: SearchFilter) -> Masks:
    pairs = zip(generation.segments, generation.tombstones, strict=True)
    if wanted == SearchFilter():
        return tuple(Mask.of(~marks.dead) if marks.count else None for _, marks in pairs)
    files = np.array(matching_files(store, wanted), dtype=np.int64)
    return tuple(
        Mask.of(segment.of_files(np.isin(segment.files, files)) & ~marks.dead)
        for segment, marks in pairs
    )


def matching_files(store: Store, wanted: SearchFilter) -> list[int]:
    """Ids of the files that pass the filter, of those that died lately, too."""
    globs = GlobSet.compile(wanted.globs)
    under = tuple(prefix.strip("/") for prefix in wanted.under)
    return [
        file_id
        for file_id, path, language in store.all_paths()
        if (not wanted.languages or language in wanted.languages)
        and (not under or any(_is_under(path, prefix) for prefix in under))
        and (not wanted.globs or globs.matches(path))
    ]


def matching_paths(store: Store, *, under: str, contains: str, globs: Sequence[str]) -> list[str]:
    """Live paths below a folder that hold `contains` in any case, in order. InvalidGlobError."""
    patterns = GlobSet.compile(globs)
    prefix, part = f"{under.strip('/')}/" if under.strip("/") else "", contains.lower()
    return sorted(
        path
        for _, path, _ in store.live_paths()
        if path.startswith(prefix)
        and part in path.lower()
        and (not globs or patterns.matches(path))
    )


def _is_under(path: str, prefix: str) -> bool:
    return not prefix or path == prefix or path.startswith(f"{prefix}/")
