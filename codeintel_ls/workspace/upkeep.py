"""What keeps an index small and sound while nobody waits for it.

Folds and merges when they are due, checks segments once, collects what nothing refers to, makes
room on the disk, lets go of memory that was not used for long. Invariants: all of it may be cut
short at any time; nothing of it makes an answer wrong; what fails is told, and tried again later.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.index.errors import (
    DamagedCacheError,
    IndexingError,
    SegmentsUnavailableError,
)
from codeintel_ls.index.index import Index
from codeintel_ls.index.indexer import Indexer
from codeintel_ls.index.lexical import LARGEST
from codeintel_ls.index.screening import SkipReason
from codeintel_ls.index.tasks import CollectTask
from codeintel_ls.settings import Settings
from codeintel_ls.workspace.discovery import OVER_LIMIT
from codeintel_ls.workspace.pruning import prune

_log = logging.getLogger(__name__)

_DAY_SECONDS: Final = 86_400
_UNUSED_DAYS: Final = 14
_MEGABYTE: Final = 1_000_000
_COLLECTED: Final = "collected"
_FULL_SHARE: Final = 0.9
_COUNTED_SHARE: Final = 0.5
_MOST_CHUNK_BYTES: Final = 8_000
_MOST_BYTES_OF_A_NUMBER: Final = 8
"""Of a vector, in the contents and in a segment."""

_WHAT_TO_DO: Final = "Raise it, or exclude folders with index.exclude."
_MOST_STEPS: Final = 8
_AT_ONCE: Final = 10_000
_RETRY_SECONDS: Final = 30.0


class Upkeep:
    """The upkeep of one folder's index. Its methods are called one at a time.

    `left_out` counts, by reason, the files that the last listing did not give. `repairing`:
    damaged segments were set aside, and what they held is not all searchable yet.
    """

    def __init__(self, index: Index, indexer: Indexer, settings: Settings) -> None:
        self.settings = settings
        self.trouble = ""
        self.left_out: Mapping[str, int] = {}
        self._index = index
        self._indexer = indexer
        self._checked = False
        self._pruned = False
        self._retry_at = 0.0
        self._small_at = (-1, -1)
        self.found_lost = False
        self.repairing = False

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know: caps that were reached, and what could not be done."""
        over_limit = self._over_limit()
        return (*((over_limit,) if over_limit else ()), *self.index_notices)

    @property
    def index_notices(self) -> tuple[str, ...]:
        """Those of them that are of the index, not of the folder."""
        return tuple(sentence for sentence in (self._over_cap(), self.trouble) if sentence)

    def skipped(self) -> dict[str, int]:
        """Files that are not indexed, by reason."""
        return dict(Counter(self.left_out) + Counter(self._index.store.skip_counts()))

    @property
    def is_due(self) -> bool:
        """Whether there is something to do now; what was let go of is left alone."""
        if not self._index.owned or time.monotonic() < self._retry_at:
            return False
        if self._index.publication.unavailable:
            return True
        if not self._index.publication.counts.loaded:
            return False
        if self._index.store.has_damaged or self._index.publication.has_lost:
            return True
        if not (self._checked and self._pruned):
            return True
        publication = self._index.publication
        # What is committed and not published is to be written, too.
        at = publication.current_number, self._index.store.generation()
        if at == self._small_at and not publication.policy.resting:
            return False
        if publication.next_step(indexing=False) is not None:
            return True
        if not publication.policy.resting:
            self._small_at = at
        return False

    def show_unpublished(self, cancellation: Cancellation) -> None:
        """Have what lost its segments, or came before a crash, searchable before the next walk.

        Raises CancelledError, the indexing process's errors, and SegmentsUnavailableError while
        what is published cannot be read.
        """
        self._index.load_again()
        self._index.forget_lost()
        publication = self._index.publication
        # One that was let go of is published anew by whoever asks for it.
        if publication.counts.loaded and publication.unpublished():
            step = publication.next_step(indexing=False)
            if step is not None:
                self._indexer.carry_out(step, cancellation)

    def found_primary(self, cancellation: Cancellation) -> None:
        """Write the first segment of a folder of modest size at once: the next opening maps it."""
        generation = self._index.published
        if generation.primary is None and 0 < generation.chunks <= _AT_ONCE:
            step = self._index.publication.policy.merge(generation)
            self._indexer.carry_out(step, cancellation)

    def merge(self, cancellation: Cancellation, merging: Callable[[], None]) -> None:
        """Make one segment of everything, unless it is one already.

        Raises CancelledError and the indexing process's errors.
        """
        generation = self._index.published
        policy = self._index.publication.policy
        if policy.is_merged(generation):
            return
        merging()
        self._indexer.carry_out(policy.merge(generation), cancellation)

    def run(
        self,
        cancellation: Cancellation,
        merging: Callable[[], None],
        *,
        at_once: bool = False,
    ) -> None:
        """Do what is due; `merging` is called when a fold or a merge begins.

        Raises CancelledError. What cannot be done is in `trouble` afterwards.
        """
        self.found_lost = False
        try:
            self._index.load_again()
            self._carry_out_due(cancellation, merging, at_once=at_once)
            if not self._check(cancellation):
                self._carry_out_due(cancellation, merging, at_once=True)
            self.repairing = False
            self._collect(cancellation)
            self._make_room()
            self.found_lost = self._index.forget_lost()
            self.trouble = ""
        except (CancelledError, DamagedCacheError):
            raise
        except (IndexingError, OSError) as error:
            # Closing the folder takes its stores away from what is slow to stop.
            cancellation.raise_if_cancelled()
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._put_off(str(reason))
            _log.warning("%s", self.trouble)
        except Exception as error:
            cancellation.raise_if_cancelled()
            self._put_off(f"{type(error).__name__}.")
            raise

    def _carry_out_due(
        self, cancellation: Cancellation, merging: Callable[[], None], *, at_once: bool
    ) -> None:
        # A store that the indexing process sees otherwise than this one must not keep it at it.
        for _ in range(_MOST_STEPS):
            step = self._index.publication.next_step(indexing=False, at_once=at_once)
            if step is None:
                break
            merging()
            self._indexer.carry_out(step, cancellation)

    def _put_off(self, reason: str) -> None:
        self.trouble = f"The upkeep of the index failed and is tried again later: {reason}"
        self._retry_at = time.monotonic() + _RETRY_SECONDS

    def check_again(self) -> None:
        """Have the next run read all segments through."""
        self._checked, self._retry_at = False, 0.0

    def check_space_again(self) -> None:
        """Have the next run make room among all caches, as for a cap that was changed."""
        self._pruned = False

    def limit(self) -> None:
        """Set how much may be indexed, by the caps on chunks and on disk space. Thread-safe."""
        most = min(self.settings.index.max_chunks, LARGEST)
        cap = self.settings.cache.max_workspace_megabytes * _MEGABYTE
        used = self._index.disk_bytes() + self._index.shared_bytes()
        if used > cap * _COUNTED_SHARE:
            # What is in tells what a chunk takes; the rest is for what a merge writes beside it.
            chunks = self._index.store.count_chunks()
            # Much of it may be the contents of other indexes: no chunk takes that much.
            each = _MOST_CHUNK_BYTES + _MOST_BYTES_OF_A_NUMBER * self._index.dimension
            if chunks:
                each = min(each, used / chunks)
            most = min(most, int(cap * _FULL_SHARE / each))
        self._indexer.most_chunks = most

    def collect(self, cancellation: Cancellation, *, unused_days: int = _UNUSED_DAYS) -> int:
        """Delete contents that no workspace of the repository names; returns how many rows."""
        task = CollectTask(
            contents=str(self._index.store.contents.path),
            databases=tuple(map(str, self._index.sharing_databases())),
            unused_days=unused_days,
        )
        return self._indexer.collect(task, cancellation)

    def follow(self) -> bool:
        """Show what the owner has committed, unless nobody looks; whether that was anything."""
        publication = self._index.publication
        if not publication.counts.loaded:
            return False
        used_at = publication.used_at
        try:
            followed = self._index.refresh()
            self.trouble = ""
            return followed
        except SegmentsUnavailableError as error:
            # Searches go on with what was shown before.
            self.trouble = str(error)
            return False
        finally:
            # That the owner is at work is no use of what is shown here.
            publication.used_at = used_at

    def unload_if_idle(self) -> bool:
        """Let go of the memory, and end the indexing process, when unused for long enough."""
        seconds = self.settings.index.unload_after_seconds
        publication = self._index.publication
        if not seconds or not publication.counts.loaded:
            return False
        if time.monotonic() - publication.used_at < seconds:
            return False
        publication.unload()
        self._indexer.unload()
        return True

    def _check(self, cancellation: Cancellation) -> bool:
        """Whether the segments are whole, as far as that was not known already."""
        if self._checked:
            return True

        def verify(folders: Sequence[Path]) -> bool:
            whole = not folders or self._indexer.verify(folders, cancellation)
            # Before they are taken out of what searches see.
            self.repairing = self.repairing or not whole
            return whole

        whole = self._index.check(verify)
        self._checked = True
        return whole

    def _collect(self, cancellation: Cancellation) -> None:
        store, today = self._index.store, int(time.time()) // _DAY_SECONDS
        if store.meta(_COLLECTED) != str(today):
            self.collect(cancellation)
            store.set_meta(_COLLECTED, str(today))

    def _make_room(self) -> None:
        if self._pruned:
            return
        self._pruned = True
        cap = self.settings.cache.max_megabytes * _MEGABYTE
        directory = self._index.folder.parent.parent
        for removed in prune(directory, cap_bytes=cap, keep=[self._index.folder]).removed:
            _log.info("Removed the cache %s: %s.", removed.name, removed.reason)

    def _over_limit(self) -> str:
        files = self.left_out.get(OVER_LIMIT, 0)
        if not files:
            return ""
        return (
            f"At least {files:,} files are left out: the folder holds more than index.maxFiles "
            f"({self.settings.index.max_files:,}). {_WHAT_TO_DO}"
        )

    def _over_cap(self) -> str:
        files = self._index.store.skip_counts().get(SkipReason.OVER_CAP, 0)
        if not files:
            return ""
        wanted, most = self.settings.index.max_chunks, self._indexer.most_chunks
        if most == LARGEST < wanted:
            return (
                f"{files:,} files are left out: an index holds at most {LARGEST:,} chunks. "
                "Exclude folders with index.exclude."
            )
        by_disk = most < wanted
        setting = (
            f"its disk space (cache.maxWorkspaceMegabytes, {self._cap_megabytes:,} MB)"
            if by_disk
            else f"its chunks (index.maxChunks, {wanted:,})"
        )
        return (
            f"{files:,} files are left out: the index has reached the cap on {setting}. "
            f"{_WHAT_TO_DO}"
        )

    @property
    def _cap_megabytes(self) -> int:
        return self.settings.cache.max_workspace_megabytes
