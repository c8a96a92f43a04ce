"""What must be done so that the index says what the disk says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen

from codeintel_ls.index.schema import KnownFile, KnownSkip
from codeintel_ls.index.screening import SkipReason
from codeintel_ls.index.tasks import FileToIndex

_CLOCK_GRAIN_NS: Final = 2_000_000_000


@frozen
class FoundFile:
    """A file that belongs into the index, as the directory lists it."""

    path: str
    size: int
    mtime_ns: int


@frozen
class IndexPlan:
    """`stale` files must be read, `gone` paths are to be taken out."""

    stale: tuple[FileToIndex, ...]
    gone: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.stale or self.gone)


Planner = Callable[
    [Sequence[FoundFile], Mapping[str, KnownFile], Mapping[str, KnownSkip]], IndexPlan
]
"""Says what to do from what the folder holds and what the store knew before it was listed."""


def plan_all(
    found: Iterable[FoundFile],
    known: Mapping[str, KnownFile],
    skips: Mapping[str, KnownSkip],
    *,
    read_all: bool = False,
    has_room: bool = True,
) -> IndexPlan:
    """Compare a whole listing with the store as it was before the listing.

    `read_all`: other limits than before decide what is indexed, so every file is looked at.
    `has_room`: files that a cap left out may come in now.
    A file is read when its size or mtime differ from what the store saw, or when it was written
    so shortly before it was seen that a later write could carry the same mtime (git calls such
    entries racy, see its racy-git.txt); its digest then tells whether anything changed.
    """
    stale: list[FileToIndex] = []
    present: set[str] = set()
    for file in found:
        present.add(file.path)
        before = known.get(file.path)
        if before is not None:
            racy = before.mtime_ns > before.seen_ns - _CLOCK_GRAIN_NS
            same = before.size == file.size and before.mtime_ns == file.mtime_ns
            if not same or racy or read_all:
                stale.append(FileToIndex(file.path, before.digest))
            continue
        skip = skips.get(file.path)
        # Permission comes back without a new mtime.
        if (
            read_all
            or skip is None
            or skip.reason == SkipReason.UNREADABLE
            or (has_room and skip.reason == SkipReason.OVER_CAP)
            or (skip.size, skip.mtime_ns) != (file.size, file.mtime_ns)
        ):
            stale.append(FileToIndex(file.path, None))
    gone = [path for path in (*known, *skips) if path not in present]
    return IndexPlan(tuple(stale), tuple(gone))


def plan_rebuild(
    found: Iterable[FoundFile], known: Mapping[str, KnownFile], skips: Mapping[str, KnownSkip]
) -> IndexPlan:
    """Read everything again, whatever the store believes."""
    stale = tuple(FileToIndex(file.path, None) for file in found)
    present = {file.path for file in stale}
    return IndexPlan(stale, tuple(path for path in (*known, *skips) if path not in present))
