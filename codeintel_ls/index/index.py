"""An index: the stores of one folder, and the generation that is published from them.

One process at a time owns an index and writes it; the others follow what it commits. A cache that
cannot be read is set aside, never deleted, and built anew; one of a newer version is left alone.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Final

from codeintel_ls.index.building import BuildTask, BuiltSegment
from codeintel_ls.index.cache_folder import (
    beside,
    bytes_below,
    describe,
    folders_sharing,
    keep_few_aside,
    make_private,
    new_aside,
    touch,
)
from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.contents_file import open_contents
from codeintel_ls.index.database import unavailable
from codeintel_ls.index.errors import (
    CacheUnavailableError,
    DamagedCacheError,
    NewerCacheError,
    SegmentsUnavailableError,
)
from codeintel_ls.index.generation import Generation
from codeintel_ls.index.ladder import Ladder
from codeintel_ls.index.lock import CacheLock
from codeintel_ls.index.manifest import read_manifest
from codeintel_ls.index.merge_policy import MergePolicy, Step
from codeintel_ls.index.publication import (
    Builder,
    GenerationCounts,
    Publication,
    set_segments_aside,
)
from codeintel_ls.index.segment_files import SEGMENTS
from codeintel_ls.index.store import Store
from codeintel_ls.index.writing import Writing

_DATABASE: Final = "index.sqlite3"
_TOUCH_SECONDS: Final = 60.0


class Index:
    """Made by `Index.open`. Thread-safe."""

    def __init__(
        self, folder: Path, shared: Path, recipe: str, dimension: int, ladder: Ladder
    ) -> None:
        """Use `Index.open`. Whoever commits to the store holds `writing`."""
        self.folder = folder
        self.shared = shared
        self.recipe = recipe
        self.notices: tuple[str, ...] = ()
        self.writing = Writing(self._may_write)
        self.dimension = dimension
        self._policy = MergePolicy(ladder)
        self._lock = CacheLock(folder)
        self._changing = RLock()
        self._publication: Publication | None = None
        self._distrusted = False
        self._store: Store | None = None
        self._closed = False
        self._absence = "The index was closed."
        self._root: Path | None = None
        self._touched_at = time.monotonic()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        shared: Path,
        recipe: str,
        dimension: int,
        ladder: Ladder | None = None,
        root: Path | None = None,
    ) -> "Index":
        """The index kept in `folder` (made if missing, 0700), with its last generation.

        `shared` is the folder of the repository's contents. `recipe` names everything that
        decides what a file's chunks and vectors are; another recipe than the stored one empties
        the index of files but keeps the contents. `root`, the folder that is indexed, is noted
        beside it. A cache that a newer version wrote is left alone, and another is kept beside
        it. Raises CacheUnavailableError.
        """
        index = cls(folder, shared, recipe, dimension, ladder or Ladder())
        try:
            try:
                index._root = root
                index._open()
            except NewerCacheError as error:
                index.close()
                index = cls(beside(folder), beside(shared), recipe, dimension, ladder or Ladder())
                index.notices = (
                    f"{error} It is left alone; this version keeps an index of its own beside it.",
                )
                index._root = root
                index._open()
        except NewerCacheError as error:
            index.close()
            raise CacheUnavailableError(f"{error} Update codeintel-ls.") from error
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
    def publication(self) -> Publication:
        """What is published. Raises CacheUnavailableError once closed."""
        if self._publication is None:
            raise CacheUnavailableError(self._absence)
        return self._publication

    @property
    def published(self) -> Generation:
        """The generation that searches read: immutable. Raises the store's errors."""
        return self.publication.current

    @property
    def counts(self) -> GenerationCounts:
        """The published generation in numbers."""
        return self.publication.counts

    @property
    def owned(self) -> bool:
        """Whether this process may write."""
        return self._lock.owned

    def try_own(self) -> bool:
        """Become the owner if there is none (any more). Raises CacheUnavailableError."""
        if self.owned:
            return True
        with self._changing:
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

    def keep_up(self) -> None:
        """Say now and then that the index is in use, and owned."""
        if self.owned and not self._lock.refresh():
            # The folder is gone or somebody else's: from now on it is followed.
            self._lock.release()
        if time.monotonic() - self._touched_at > _TOUCH_SECONDS:
            self._touched_at = time.monotonic()
            touch(self.folder)

    @property
    def is_lost(self) -> bool:
        """Whether it was damaged or removed, and could not be opened again until now."""
        return self._store is None and not self._closed

    def recover(self, damaged: Store | None) -> None:
        """Begin anew after this store raised DamagedCacheError, unless somebody did already.

        None: try again where that failed. Sets aside what is damaged, where it is ours and still
        there. Raises CacheUnavailableError.
        """
        with self.writing.regardless, self._changing:
            if self._closed or self._store is not damaged:
                return
            self._store = self._publication = None
            self._absence = "The index cache was damaged or removed; ask again in a moment."
            if damaged is not None:
                damaged.close()
                damaged.contents.close()
            if not self._lock.is_current():
                # The folder was removed, and its lock with it.
                self._lock.release()
            self._open(damaged=True)

    def publish(self, paths: Iterable[str] | None = None) -> bool:
        """See `Publication.publish`; for whoever owns the index."""
        return self.publication.publish(paths)

    def refresh(self) -> bool:
        """Show what another process has committed; whether that was anything."""
        return self.publication.follow()

    def carry_out(self, step: Step, build: Builder) -> Generation:
        """Write a segment and publish it, see `Publication`; then forget what died before.

        Raises OwnershipLostError too; nothing is published then.
        """
        self.writing.require()

        def build_as_owner(task: BuildTask) -> BuiltSegment:
            built = build(task)
            self.writing.require()
            return built

        try:
            generation = self.publication.carry_out(step, build_as_owner)
        except OSError as error:
            raise unavailable(error) from error
        with self.writing:
            self.store.sweep(generation.manifest.oldest)
        return generation

    def configure(self, ladder: Ladder) -> None:
        """Choose kinds by another ladder from now on."""
        self._policy.ladder = ladder

    def load_again(self) -> None:
        """Read what was not possible to read before. Raises SegmentsUnavailableError."""
        if self.publication.unavailable:
            with self._changing:
                self._load_published(self.publication)

    def forget_lost(self) -> bool:
        """Take files out of which parts were lost, so that they are indexed again."""
        if not self.owned:
            return False
        damaged = [*self.publication.take_lost(), *self.store.take_damaged()]
        missing = self.store.unstored()
        if not damaged and not missing:
            return False
        with self.writing:
            self.store.contents.forget(
                {key for file in damaged for key in (file.content, file.path_content)}
            )
            lost = {file.path: file.id for file in (*damaged, *missing)}
            known = self.store.files_at(lost)
            live = {path for path, file in known.items() if file.id == lost[path]}
            self.store.commit(removed=sorted(live))
        return True

    def check(self, verify: Callable[[Sequence[Path]], bool]) -> bool:
        """Whether the segments on disk are whole, as `verify` finds out by reading them all.

        Damaged ones are set aside and count as not there from then on.
        """
        manifest = self.publication.current.manifest
        folders = [self.folder / SEGMENTS / entry.name for entry in manifest.segments]
        if verify(folders) or self.publication.current.manifest is not manifest:
            return True
        with self.writing, self._changing:
            self._set_segments_aside("A segment of the index is damaged.")
            publication = Publication(self.folder, self.store, self.dimension, self._policy)
            publication.load()
            self._publication = publication
        return False

    def disk_bytes(self) -> int:
        """Bytes of the cache folder's files; the contents, which others share, not counted."""
        return bytes_below(self.folder)

    def sharing_databases(self) -> list[Path]:
        """The databases of all workspaces that share the repository's contents."""
        folders = [self.folder, *folders_sharing(self.folder.parent, self.shared.name)]
        return list(dict.fromkeys(folder / _DATABASE for folder in folders))

    def shared_bytes(self) -> int:
        """Bytes of the repository's contents."""
        return bytes_below(self.shared)

    def close(self) -> None:
        """Let go of the stores and of the ownership. Searches under way keep their generation."""
        with self._changing:
            store, self._store, self._publication = self._store, None, None
            self._closed, self._absence = True, "The index was closed."
        if store is not None:
            store.close()
            store.contents.close()
        self._lock.release()

    def _may_write(self) -> bool:
        store = self._store
        # A store that is gone says so itself, and is made anew for it.
        if self._lock.is_current() or store is None or not store.is_there():
            return True
        # One whose file was deleted is taken anew, unless somebody else has it by now.
        self._lock.release()
        return self._acquire()

    def _open(self, *, damaged: bool = False) -> None:
        """Own the index if nobody does, and load it; sets aside what cannot be read."""
        try:
            make_private(self.folder)
            make_private(self.shared)
            if self._root is not None:
                describe(self.folder, self._root, self.shared.name)
            self._acquire()
            contents, notice = open_contents(self.shared, damaged=damaged)
            self.notices = (*self.notices, *notice)
            try:
                if damaged and self.owned:
                    self._set_aside("The index cache is damaged.")
                try:
                    self._load(contents)
                except DamagedCacheError as error:
                    if not self.owned:
                        raise CacheUnavailableError(
                            f"{error} Another process keeps it; close that one first."
                        ) from error
                    self._set_aside(str(error))
                    self._load(contents)
            except BaseException:
                contents.close()
                raise
        except OSError as error:
            raise unavailable(error) from error

    def _acquire(self) -> bool:
        """Take the lock if it is free, and see whether its last owner died with it in hand."""
        died = not self.owned and self._lock.owner() is not None
        try:
            acquired = self._lock.try_acquire()
        except OSError as error:
            raise unavailable(error) from error
        self._distrusted = acquired and died
        return acquired

    def _load(self, contents: ContentStore) -> None:
        store = Store(self.folder / _DATABASE, contents)
        try:
            self._adopt(store)
        except BaseException:
            store.close()
            raise
        self._store = store

    def _adopt(self, store: Store) -> None:
        """Publish what the store holds, if it was made as this process would make it."""
        # Before anything is changed: a newer version's manifest stops it all.
        with suppress(DamagedCacheError):
            read_manifest(self.folder)
        made_by = store.meta("recipe")
        if made_by != self.recipe and self.owned:
            if store.generation():
                self.notices = (
                    *self.notices,
                    "The index was made by another version or model and is being rebuilt.",
                )
            store.forget_files()
            store.set_meta("recipe", self.recipe)
        elif made_by not in {self.recipe, None}:
            raise CacheUnavailableError(
                "Another process keeps this index for another version or model; close it first."
            )
        # Damaged bytes may have been what it died of: whoever maps them next would die, too.
        publication = Publication(
            self.folder, store, self.dimension, self._policy, distrusted=self._distrusted
        )
        # What cannot be read at the moment stays as it is; whoever asks for it next tries again.
        with suppress(SegmentsUnavailableError):
            self._load_published(publication)
        self._publication = publication

    def _load_published(self, publication: Publication) -> None:
        publication.load(own=self.owned)
        if self.owned:
            if publication.damage:
                self._set_segments_aside(publication.damage)
                publication.damage = ""
            publication.clean()

    def _set_segments_aside(self, reason: str) -> None:
        set_segments_aside(self.folder, new_aside(self.folder))
        keep_few_aside(self.folder)
        self.notices = (*self.notices, f"{reason} It was set aside and is being built anew.")

    def _set_aside(self, reason: str) -> None:
        found = list(self.folder.glob(f"{_DATABASE}*"))
        if not found:
            return
        aside = new_aside(self.folder)
        for path in found:
            path.rename(aside / path.name)
        # They hold ids of files that no other database knows.
        set_segments_aside(self.folder, aside)
        keep_few_aside(self.folder)
        self.notices = (*self.notices, f"{reason} It was set aside and is being rebuilt.")
