"""Notices what changes in a folder and its repository outside the editor.

Events are gathered until the file system is quiet for a moment and git has ended what it does, so
that a checkout is one `Changes`. Invariant: a change is never lost silently. Where events were
dropped, a directory moved away, or a part of the folder cannot be watched, a rescan is asked for;
as long as watching is not complete it is asked for again and again, and `notice` says why.
"""

import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock, Thread, current_thread
from typing import Final

from codeintel_ls.workspace.event_sources import EventSource, ObserverSource, WatchedTree
from codeintel_ls.workspace.file_systems import FileSystem, file_system_of
from codeintel_ls.workspace.gathering import GONE, STOPPED, Changes, Gathered, Pace
from codeintel_ls.workspace.git_directory import IndexLock, head_tree
from codeintel_ls.workspace.polling_source import PollingSource

__all__ = ["Changes", "FolderWatcher"]

_logger = logging.getLogger(__name__)

_SETTLE: Final = 0.3
_READ_ONLY_FACTOR: Final = 10
"""How much more seldom a folder is looked through that can change only at another's hands."""
_SHARE_OF_SCANNING: Final = 0.1
"""Looking through a folder takes at most this part of the time, however slow it is."""


class FolderWatcher:
    """Watches one folder from `start` to `stop`.

    `on_changes` is called from the watcher's own thread, one call at a time; an exception in it
    is logged and followed by a rescan, `retry_after` if nothing changes before. `skip_directory`
    says of a folder-relative directory that nothing in it matters: no watch is spent on it.
    `git_directories` are the repository's git and common directory, wherever they lie, the work
    tree's own first.

    Times are in seconds. Changes are told after `debounce` without a further one, at the latest
    after `longest_wait`; those that git makes, when it has ended, at the latest after
    `longest_hold`. Whether the folder is still the same is looked at `look_every`; what is not
    watched is rescanned `reconcile_every`, and where `file_system` (None: what the folder lies
    on) tells of no changes, `poll_every`.
    """

    def __init__(
        self,
        root: Path,
        on_changes: Callable[[Changes], None],
        *,
        skip_directory: Callable[[str], bool] = lambda _path: False,
        git_directories: Sequence[Path] = (),
        debounce: float = 0.05,
        longest_wait: float = 1.0,
        longest_hold: float = 30.0,
        look_every: float = 2.0,
        reconcile_every: float = 60.0,
        poll_every: float = 30.0,
        retry_after: float = 5.0,
        file_system: FileSystem | None = None,
        use_inotify: bool = sys.platform == "linux",
    ) -> None:
        self._root = os.path.realpath(root)
        self._on_changes = on_changes
        self._skip_directory = skip_directory
        self._git_directories = tuple({os.path.realpath(path): None for path in git_directories})
        self._look_every = look_every
        self._reconcile_every = reconcile_every
        self._poll_every = poll_every
        self._retry_after = retry_after
        self._longest_scan = 0.0
        self._file_system = file_system
        self._use_inotify = use_inotify
        pace = Pace(
            debounce=debounce,
            longest_wait=longest_wait,
            settle=_SETTLE,
            longest_hold=longest_hold,
        )
        self._gathered = Gathered(self._root, self._git_directories, pace)
        self._locks = [
            IndexLock(directory, longest_hold) for directory in self._git_directories[:1]
        ]
        self._replacing = Lock()
        self._source = self._new_source()
        self._there: dict[str, int] = {}
        self._next_look = self._next_check = 0.0
        self._thread = Thread(target=self._run, name="folder-watcher", daemon=True)

    @property
    def trouble(self) -> str | None:
        """Why watching is not complete, for a person; None when it is."""
        return self._gathered.trouble

    @property
    def remark(self) -> str | None:
        """How the folder is looked through instead of being watched; None where it is watched."""
        return self._gathered.remark

    @property
    def notice(self) -> str | None:
        """Why not every change is told at once, for a person; None where each is."""
        return self._gathered.notice

    def start(self) -> None:
        """Begin to watch. What changed before this returned may not be told: scan once after."""
        self._there = self._roots_there()
        self._next_look = time.monotonic() + self._look_every
        self._next_check = time.monotonic() + self._reconcile_every
        self._start_source()
        self._thread.start()

    def stop(self) -> None:
        """End. No further changes are told when this returns (unless called by `on_changes`)."""
        self._gathered.close()
        with self._replacing:
            self._source.stop()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join()

    def renew(self, skip_directory: Callable[[str], bool]) -> None:
        """Watch by other rules (an ignore file changed). Scan once after, as with `start`."""
        self._skip_directory = skip_directory
        with self._replacing:
            if self._source.is_alive():
                self._gathered.trouble = None
                self._source.renew()

    def scanned(self, seconds: float) -> None:
        """Say how long a look through the folder took, so that polling leaves time between two."""
        self._longest_scan = seconds

    def _run(self) -> None:
        while not self._gathered.closed:
            self._look()
            if not self._gathered.wait(min(self._next_look, self._next_check)):
                continue
            if not (self._git_is_at_work() and self._gathered.postpone()):
                self._tell(self._gathered.take())

    def _tell(self, changes: Changes) -> None:
        try:
            self._on_changes(changes)
        except Exception:
            _logger.exception("Handling changes of a folder failed")
            self._gathered.owe_rescan(self._retry_after)

    def _git_is_at_work(self) -> bool:
        return any(lock.is_held() for lock in self._locks)

    # -- what is to be looked after from time to time ------------------------------------------

    def _look(self) -> None:
        now = time.monotonic()
        gone = self._gathered.take_gone()
        if gone or now >= self._next_look:
            self._next_look = now + self._look_every
            self._follow_roots(gone)
        if now >= self._next_check:
            self._next_check = now + self._reconcile_every
            self._make_up_for_gaps()

    def _follow_roots(self, gone: set[str]) -> None:
        """Watch anew where a directory is not the one that is watched, or is there again."""
        there = self._roots_there()
        if there != self._there or gone & there.keys():
            self._there = there
            self._replace_source()
            self._gathered.note(rescan=True, head_changed=True)
        if self._root not in there and self._gathered.trouble is None:
            self._gathered.trouble = GONE

    def _make_up_for_gaps(self) -> None:
        """While watching is not complete, let what may have been missed be looked for."""
        if self._gathered.trouble is None and not self._source.is_alive():
            self._gathered.trouble = STOPPED
        if self._gathered.trouble is not None:
            self._gathered.lost()

    def _roots_there(self) -> dict[str, int]:
        """The watched directories that exist, and the device of each: another is mounted over."""
        there: dict[str, int] = {}
        for root in (self._root, *self._git_directories):
            try:
                there[root] = os.stat(root).st_dev  # noqa: PTH116 (no path of ours is a Path here)
            except OSError:
                continue
        return there

    # -- the source ----------------------------------------------------------------------------

    def _new_source(self) -> EventSource:
        system = self._file_system or file_system_of(Path(self._root))
        if system.is_shared or system.read_only:
            return self._polling_source(system)
        self._gathered.remark = None
        folder = WatchedTree(root=self._root, skips=self._skips)
        trees = (folder, *map(head_tree, self._git_directories))
        if not self._use_inotify:
            return ObserverSource(trees, self._gathered)
        # Only Linux can import it.
        from codeintel_ls.workspace.inotify_source import InotifySource

        return InotifySource(trees, self._gathered)

    def _polling_source(self, system: FileSystem) -> EventSource:
        seconds = self._poll_every * (_READ_ONLY_FACTOR if system.read_only else 1)
        place = f"a {'read-only ' if system.read_only else ''}file system ({system.kind})"
        silence = " that does not tell of every change" if system.is_shared else ""
        self._gathered.remark = (
            f"This folder lies on {place}{silence}: it is looked through about every {seconds:g} "
            "seconds, less often where that takes long."
        )
        return PollingSource(
            self._git_directories,
            self._gathered,
            every=lambda: max(seconds, self._longest_scan / _SHARE_OF_SCANNING),
            git_every=self._look_every,
        )

    def _start_source(self) -> None:
        try:
            self._source.start()
        except OSError as error:
            self._gathered.uncovered(error)

    def _replace_source(self) -> None:
        with self._replacing:
            if not self._gathered.closed:
                self._source.stop()
                self._gathered.trouble = None
                self._source = self._new_source()
                self._start_source()

    def _skips(self, path: str) -> bool:
        relative = path[len(self._root) + 1 :].replace(os.sep, "/")
        return relative.rpartition("/")[2] == ".git" or self._skip_directory(relative)
