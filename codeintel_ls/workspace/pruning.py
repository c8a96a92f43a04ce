"""Making room among all caches.

    removing-<number>/    what is being deleted, or was when a removal was cut short

Invariants: a workspace is removed only by whoever holds its lock, and leaves its place in one
step; a store is removed only while it is known that no workspace refers to it (whoever opens a
store has written so before); no link is followed, and nothing outside the caches is touched.
"""

import os
import re
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

from attrs import frozen

from codeintel_ls.index.lock import CacheLock
from codeintel_ls.workspace.caches import (
    DESCRIPTION,
    WORKSPACES,
    CacheEntry,
    StoreEntry,
    described_by,
    disk_bytes,
    folders_in,
    list_caches,
    list_stores,
    state_of,
)

_DAY: Final = 24 * 60 * 60.0
ORPHANED_SECONDS: Final = 30 * _DAY
"""A folder that is gone may come back: a drive that is not plugged in, a network that is down."""

SUPERSEDED_SECONDS: Final = 14 * _DAY
"""A model may come back: an endpoint that is away, settings that are tried out."""

_REMOVING: Final = "removing-"
_SECOND_INDEX: Final = re.compile(r"(.+)-[0-9a-f]{12}")
"""How the index of an endpoint's model is named after its folder's first, see `RefinedIndex`."""


class Reason(StrEnum):
    """Why something was removed."""

    UNFINISHED = "unfinished"
    ORPHANED = "orphaned"
    SUPERSEDED = "superseded"
    UNREFERENCED = "unreferenced"
    LEAST_RECENTLY_USED = "least-recently-used"


@frozen(kw_only=True)
class Removed:
    """Something that was removed (or would be), and what the disk got back.

    `root` and `last_used` are those of a workspace, where they are known.
    """

    name: str
    reason: Reason
    disk_bytes: int
    root: Path | None = None
    last_used: float | None = None


@frozen(kw_only=True)
class Pruned:
    """What a pruning came to; `problems` are sentences about what could not be removed."""

    removed: tuple[Removed, ...]
    problems: tuple[str, ...]
    remaining_bytes: int


def prune(
    directory: Path,
    *,
    cap_bytes: int,
    keep: Collection[Path] = (),
    orphaned_after: float = ORPHANED_SECONDS,
    dry_run: bool = False,
) -> Pruned:
    """Remove what nobody needs, then what was not used for the longest, down to `cap_bytes`.

    Unneeded are removals that were cut short, workspaces whose folder is gone and that were not
    used for `orphaned_after` seconds, indexes of models without which a folder was used for long,
    and stores that no workspace refers to. What is in use and the cache folders in `keep` (as
    `index_folder` names them) stay, whatever they take. With `dry_run` nothing is removed, and the
    answer is what would be.
    """
    pruning = _Pruning(directory, keep, dry_run=dry_run)
    pruning.finish_removals()
    pruning.remove_orphans(time.time() - orphaned_after)
    pruning.remove_superseded()
    pruning.remove_unreferenced_stores()
    pruning.evict(cap_bytes)
    return Pruned(
        removed=tuple(pruning.removed),
        problems=tuple(pruning.problems),
        remaining_bytes=pruning.total,
    )


class _Pruning:
    def __init__(self, directory: Path, keep: Collection[Path], *, dry_run: bool) -> None:
        self.removed: list[Removed] = []
        self.problems: list[str] = []
        self._directory = directory
        self._keep = keep
        self._dry_run = dry_run
        self._workspaces = list_caches(directory)
        self._stores = list_stores(directory, self._workspaces)

    @property
    def total(self) -> int:
        """Bytes of what is there still."""
        return sum(entry.disk_bytes for entry in (*self._workspaces, *self._stores))

    def finish_removals(self) -> None:
        """Delete what an earlier removal left behind."""
        # Only the folder of all caches may be a link: a person put it onto another disk.
        for folder in folders_in(self._directory.resolve()):
            if folder.name.startswith(_REMOVING):
                size = disk_bytes(folder)
                if self._dry_run or self._delete(folder, "An unfinished removal"):
                    self._record(folder.name, Reason.UNFINISHED, size)

    def remove_orphans(self, used_before: float) -> None:
        """Remove the workspaces whose folder is gone."""
        for entry in tuple(self._workspaces):
            if entry.orphaned and entry.last_used <= used_before:
                self._remove_workspace(entry, Reason.ORPHANED)

    def remove_superseded(self) -> None:
        """Remove the indexes of models without which their folders have long been used."""
        used = {(entry.name, entry.root): entry.last_used for entry in self._workspaces}
        for entry in tuple(self._workspaces):
            named = _SECOND_INDEX.fullmatch(entry.name)
            first_used = used.get((named[1], entry.root), 0.0) if named else 0.0
            if entry.last_used < first_used - SUPERSEDED_SECONDS:
                self._remove_workspace(entry, Reason.SUPERSEDED)

    def remove_unreferenced_stores(self) -> None:
        """Remove the stores that no workspace refers to, if that is known of every workspace."""
        if all(entry.repository_known for entry in self._workspaces):
            referred_to = {entry.repository for entry in self._workspaces}
            for store in tuple(self._stores):
                if store.name not in referred_to:
                    self._remove_store(store)

    def evict(self, cap_bytes: int) -> None:
        """Remove what was not used for the longest time; before it, whose folder is gone."""
        for entry in sorted(
            self._workspaces, key=lambda entry: (not entry.orphaned, entry.last_used)
        ):
            if self.total <= cap_bytes:
                return
            if self._remove_workspace(entry, Reason.LEAST_RECENTLY_USED):
                self.remove_unreferenced_stores()

    def _remove_workspace(self, entry: CacheEntry, reason: Reason) -> bool:
        if entry.in_use or entry.folder in self._keep:
            return False
        if not self._dry_run:
            what = f"The cache {entry.name}"
            try:
                aside = self._take_away(entry)
            except OSError as error:
                self._tell(f"{what} could not be removed: {error.strerror}.")
                return False
            if aside is None:
                if state_of(entry.folder) is None:
                    # Somebody else has removed it meanwhile.
                    self._workspaces.remove(entry)
                return False
            self._delete(aside, what)
        self._workspaces.remove(entry)
        self.removed.append(
            Removed(
                name=entry.name,
                reason=reason,
                disk_bytes=entry.disk_bytes,
                root=entry.root,
                last_used=entry.last_used,
            )
        )
        return True

    def _take_away(self, entry: CacheEntry) -> Path | None:
        """Move the cache out of everybody's way; None where somebody uses it after all."""
        lock = CacheLock(entry.folder)
        # Taking the lock would make the folder anew.
        if state_of(entry.folder) is None or not lock.try_acquire():
            return None
        try:
            described = state_of(entry.folder / DESCRIPTION)
            if described is not None and described.st_mtime > entry.last_used:
                return None
            if os.name == "nt":
                # A folder with an open file cannot be moved there; that guards it as well.
                lock.release()
            return self._move_aside(entry.folder)
        finally:
            lock.release()

    def _remove_store(self, store: StoreEntry) -> None:
        if not self._dry_run:
            what = f"The store {store.name}"
            try:
                aside = self._move_aside(store.folder)
            except OSError as error:
                self._tell(f"{what} could not be removed: {error.strerror}.")
                return
            # A workspace that was opened meanwhile has said so before it opened its store.
            if self._is_referred_to(store.name):
                with suppress(OSError):
                    aside.rename(store.folder)
                    return
            self._delete(aside, what)
        self._stores.remove(store)
        self._record(store.name, Reason.UNREFERENCED, store.disk_bytes)

    def _is_referred_to(self, store: str) -> bool:
        folders = folders_in(self._directory / WORKSPACES)
        described = [described_by(folder) for folder in folders]
        return any(found is not None and found[1] == store for found in described)

    def _move_aside(self, folder: Path) -> Path:
        return folder.rename(self._directory / f"{_REMOVING}{time.time_ns()}-{os.getpid()}")

    def _delete(self, folder: Path, what: str) -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return True
        self._tell(f"{what} could not be deleted as a whole; it is tried again later.")
        return False

    def _tell(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def _record(self, name: str, reason: Reason, size: int) -> None:
        self.removed.append(Removed(name=name, reason=reason, disk_bytes=size))
