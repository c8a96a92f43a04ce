"""An index: the store of one folder, and the generation that is published from it.

Any thread may read `published` at any time and keep what it got for as long as it likes. One
process at a time owns an index and writes it; the others follow what it commits. A cache that
cannot be read is set aside, never deleted, and built anew.
"""

import shutil
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

from codeintel_ls.index.database import unavailable
from codeintel_ls.index.errors import (
    CacheUnavailableError,
    DamagedCacheError,
    NewerCacheError,
)
from codeintel_ls.index.generation import Generation, advance_generation, load_generation
from codeintel_ls.index.lock import CacheLock
from codeintel_ls.index.store import Store

_DATABASE: Final = "index.sqlite3"
_KEPT_ASIDE: Final = 2


class Index:
    """Made by `Index.open`. Thread-safe."""

    def __init__(self, folder: Path, recipe: str, dimension: int) -> None:
        """Use `Index.open`. Whoever commits to the store holds `writing`."""
        self.folder = folder
        self.notices: tuple[str, ...] = ()
        self._recipe = recipe
        self._dimension = dimension
        self._lock = CacheLock(folder)
        self._publishing = Lock()
        self.writing = Lock()
        self._store: Store | None = None
        self._absence = "The index was closed."
        self._published = Generation(number=0, dimension=dimension)

    @classmethod
    def open(cls, folder: Path, *, recipe: str, dimension: int) -> "Index":
        """The index kept in `folder` (made if missing, 0700), with its last generation loaded.

        `recipe` names everything that decides what a file's chunks and vectors are; another
        recipe than the stored one empties the index of files but keeps the vectors.
        Raises CacheUnavailableError.
        """
        index = cls(folder, recipe, dimension)
        try:
            index._open()
        except BaseException:
            index.close()
            raise
        return index

    @property
    def store(self) -> Store:
        """The truth. Raises CacheUnavailableError once closed."""
        if self._store is None:
            raise CacheUnavailableError(self._absence)
        return self._store

    @property
    def published(self) -> Generation:
        """The generation that searches read: immutable."""
        return self._published

    @property
    def owned(self) -> bool:
        """Whether this process may write."""
        return self._lock.owned

    def try_own(self) -> bool:
        """Become the owner if there is none (any more). Raises CacheUnavailableError."""
        if self.owned:
            return True
        with self._publishing:
            if not self._acquire():
                return False
            try:
                self._adopt(self.store)
            except BaseException:
                self._lock.release()
                raise
            return True

    def owner(self) -> int | None:
        """The owner's process id, where it is known."""
        return self._lock.owner()

    def recover(self, damaged: Store) -> None:
        """Begin anew after this store raised DamagedCacheError, unless somebody did already.

        Sets it aside where it is ours and still there. Raises CacheUnavailableError.
        """
        with self.writing, self._publishing:
            if self._store is not damaged:
                return
            self._store = None
            self._absence = "The index cache was damaged or removed; ask again in a moment."
            damaged.close()
            if not self._lock.is_current():
                # The folder was removed, and its lock with it.
                self._lock.release()
            self._open(damaged=True)

    def refresh(self) -> Generation:
        """Publish what the store has committed since; returns what is published now."""
        with self._publishing:
            self._published = advance_generation(self._published, self.store)
            return self._published

    def merge(self) -> Generation:
        """Publish the same chunks in one segment, without tombstones.

        Nobody waits for it: what is committed meanwhile is added to the merged segment after.
        """
        before = self._published
        merged = before.merged()
        with self._publishing:
            unchanged = self._published is before
            self._published = merged if unchanged else advance_generation(merged, self.store)
            published = self._published
        if self.owned:
            with self.writing:
                self.store.sweep(merged.number)
        return published

    def disk_bytes(self) -> int:
        """Bytes of the cache folder's files."""
        total = 0
        for path in self.folder.glob("*"):
            # SQLite makes and removes files of its own at any time.
            with suppress(OSError):
                total += path.stat().st_size
        return total

    def close(self) -> None:
        """Let go of the store and of the ownership. Searches under way keep their generation."""
        with self._publishing:
            store, self._store = self._store, None
            self._absence = "The index was closed."
        if store is not None:
            store.close()
        self._lock.release()

    def _open(self, *, damaged: bool = False) -> None:
        """Own the index if nobody does, and load it; sets aside what cannot be read."""
        try:
            _make_private(self.folder)
            self._lock.try_acquire()
            if damaged and self.owned:
                self._set_aside("The index cache is damaged.")
            try:
                self._load()
            except (DamagedCacheError, NewerCacheError) as error:
                if not self.owned:
                    raise CacheUnavailableError(
                        f"{error} Another process keeps it; close that one first."
                    ) from error
                self._set_aside(str(error))
                self._load()
        except OSError as error:
            raise unavailable(error) from error

    def _acquire(self) -> bool:
        try:
            return self._lock.try_acquire()
        except OSError as error:
            raise unavailable(error) from error

    def _load(self) -> None:
        store = Store(self.folder / _DATABASE)
        try:
            self._adopt(store)
        except BaseException:
            store.close()
            raise
        self._store = store

    def _adopt(self, store: Store) -> None:
        """Publish what the store holds, if it was made as this process would make it."""
        made_by = store.meta("recipe")
        if made_by != self._recipe and self.owned:
            if store.generation():
                self.notices = (
                    *self.notices,
                    "The index was made by another version or model and is being rebuilt.",
                )
            store.forget_files()
            store.set_meta("recipe", self._recipe)
        elif made_by not in {self._recipe, None}:
            raise CacheUnavailableError(
                "Another process keeps this index for another version or model; close it first."
            )
        self._published = load_generation(store, self._dimension)

    def _set_aside(self, reason: str) -> None:
        found = list(self.folder.glob(f"{_DATABASE}*"))
        if not found:
            return
        aside = self.folder / f"set-aside-{time.time_ns()}"
        aside.mkdir(mode=0o700)
        for path in found:
            path.rename(aside / path.name)
        self.notices = (*self.notices, f"{reason} It was set aside and is being rebuilt.")
        for old in sorted(self.folder.glob("set-aside-*"))[:-_KEPT_ASIDE]:
            shutil.rmtree(old)


def _make_private(folder: Path) -> None:
    """Make the folder, and the parents that are missing, readable by their owner alone."""
    if not folder.parent.exists():
        _make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
