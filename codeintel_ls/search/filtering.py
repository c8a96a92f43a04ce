"""A filter becomes a mask over the chunks of a generation.

Filtering happens before candidates are taken, so a narrow filter never costs recall.
"""

from collections import OrderedDict
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from codeintel_ls.index.generation import Generation
from codeintel_ls.index.globs import GlobSet
from codeintel_ls.index.store import Store
from codeintel_ls.search.values import SearchFilter

Masks = tuple[NDArray[np.bool_] | None, ...]
"""For each segment which positions may be found, bool (n,); None: all."""

_REMEMBERED: Final = 16


class FilterMasks:
    """Masks of recent filters, remembered per generation. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._masks: OrderedDict[tuple[int, SearchFilter], Masks] = OrderedDict()

    def masks(self, generation: Generation, store: Store, wanted: SearchFilter) -> Masks:
        """Live chunks of files that pass the filter. Raises InvalidGlobError."""
        key = (generation.number, wanted)
        with self._lock:
            if key in self._masks and len(self._masks[key]) == len(generation.segments):
                self._masks.move_to_end(key)
                return self._masks[key]
        masks = _masks(generation, store, wanted)
        with self._lock:
            self._masks[key] = masks
            while len(self._masks) > _REMEMBERED:
                self._masks.popitem(last=False)
        return masks


def _masks(generation: Generation, store: Store, wanted: SearchFilter) -> Masks:
    if wanted == SearchFilter():
        return tuple(~dead if dead.any() else None for dead in generation.tombstones)
    files = np.array(matching_files(store, wanted), dtype=np.int64)
    return tuple(
        np.isin(segment.file_ids, files) & ~dead
        for segment, dead in zip(generation.segments, generation.tombstones, strict=True)
    )


def matching_files(store: Store, wanted: SearchFilter) -> list[int]:
    """Ids of the live files that pass the filter."""
    globs = GlobSet.compile(wanted.globs)
    under = tuple(prefix.strip("/") for prefix in wanted.under)
    return [
        file_id
        for file_id, path, language in store.live_paths()
        if (not wanted.languages or language in wanted.languages)
        and (not under or any(_is_under(path, prefix) for prefix in under))
        and (not wanted.globs or globs.matches(path))
    ]


def _is_under(path: str, prefix: str) -> bool:
    return not prefix or path == prefix or path.startswith(f"{prefix}/")
