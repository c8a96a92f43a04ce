"""Beside another process that keeps the same index: waiting until it has done what is asked for.

Invariant: nothing is written here, and nobody waits for an owner that does nothing.
"""

import time
from pathlib import Path
from typing import Final

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.index.errors import IndexingError
from codeintel_ls.index.index import Index
from codeintel_ls.index.reconcile import IndexPlan
from codeintel_ls.index.schema import KnownFile, KnownSkip, storable_mtime
from codeintel_ls.index.source import ReadLimits, SkippedFileError, read_source

_PATIENCE_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.05


def follower_notice(index: Index) -> str:
    """Tells a person who keeps the index."""
    return f"Another process (pid {index.owner() or 'unknown'}) keeps this index; it is followed."


def refusal(index: Index) -> IndexingError:
    """What is said to who would rebuild an index that another process keeps."""
    return IndexingError(
        f"Another process (pid {index.owner() or 'unknown'}) keeps this index and alone can "
        "rebuild it: ask there, or close it first."
    )


def await_owner(
    root: Path, index: Index, plan: IndexPlan, limits: ReadLimits, cancellation: Cancellation
) -> bool:
    """Return True when the owner has committed what the plan asks for, False when it is gone.

    Its index is then this process's own. Raises IndexingError when it commits nothing for ten
    seconds, CancelledError.
    """
    awaited = _Awaited(root, index, plan, limits)
    seen, deadline = -1, 0.0
    while not awaited.is_there(cancellation):
        cancellation.raise_if_cancelled()
        if index.try_own():
            return False
        index.refresh()
        number = index.store.generation()
        if number != seen:
            seen, deadline = number, time.monotonic() + _PATIENCE_SECONDS
        elif time.monotonic() > deadline:
            raise IndexingError(
                f"Another process (pid {index.owner() or 'unknown'}) keeps this index and has "
                "not caught up with the disk yet; ask again later."
            )
        time.sleep(_PAUSE_SECONDS)
    index.refresh()
    return True


class _Awaited:
    """What the owner has yet to commit; each file is read once at the most."""

    def __init__(self, root: Path, index: Index, plan: IndexPlan, limits: ReadLimits) -> None:
        self._root = root
        self._index = index
        self._limits = limits
        self._gone = set(plan.gone)
        self._stale = {file.path for file in plan.stale}
        self._digests: dict[str, bytes | None] = {}

    def is_there(self, cancellation: Cancellation) -> bool:
        """Whether all of it is committed by now."""
        store = self._index.store
        self._gone.intersection_update(store.files_at(self._gone))
        known, skips = store.files_at(self._stale), store.skips_at(self._stale)
        for path in sorted(self._stale):
            cancellation.raise_if_cancelled()
            if self._holds(path, known.get(path), skips.get(path)):
                self._stale.remove(path)
        return not self._gone and not self._stale

    def _holds(self, path: str, known: KnownFile | None, skip: KnownSkip | None) -> bool:
        if known is not None:
            return self._digest(path) in {known.digest, None}
        try:
            state = (self._root / path).lstat()
        except OSError:
            return True
        return skip is not None and (skip.size, skip.mtime_ns) == (
            state.st_size,
            storable_mtime(state),
        )

    def _digest(self, path: str) -> bytes | None:
        """The digest of a file as it was when first asked for; None where it is none to index."""
        if path not in self._digests:
            try:
                source = read_source(
                    self._root / path,
                    max_bytes=self._limits.max_file_bytes,
                    max_line_characters=self._limits.max_line_characters,
                )
                self._digests[path] = source.digest
            except SkippedFileError:
                self._digests[path] = None
        return self._digests[path]
