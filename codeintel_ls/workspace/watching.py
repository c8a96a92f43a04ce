"""Notices what changes in a folder and its repository outside the editor.

Events are gathered until the file system is quiet for a moment, so that a checkout is one
`Changes`. Invariant: a change is never lost silently. Where events were dropped, a directory
moved away, or a part of the folder cannot be watched, a rescan is asked for; as long as watching
is not complete it is asked for again and again, and `notice` says why.
"""

import errno
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from math import inf
from pathlib import Path
from threading import Condition, Thread, current_thread

from attrs import frozen

from codeintel_ls.workspace.event_sources import (
    EventSink,
    EventSource,
    ObserverSource,
    WatchedTree,
)

_logger = logging.getLogger(__name__)

_MOST_PATHS = 20_000
_HEAD_FILES = frozenset({"HEAD", "index", "packed-refs"})
_REF_DIRECTORIES = ("refs", "reftable")

_STOPPED = (
    "Watching this folder has stopped. Changes outside the editor are found about once a minute; "
    "restart the server to watch again."
)
_LIMIT = (
    "Only a part of this folder is watched: the system's limit of watched directories is reached. "
    "Raise it (`sysctl fs.inotify.max_user_watches=524288`) and restart the server; until then "
    "changes outside the editor are found about once a minute."
)
_INSTANCES = (
    "This folder is not watched: the system allows no further watcher or open file. Raise the "
    "limit (`sysctl fs.inotify.max_user_instances=512`, `ulimit -n`) and restart the server; until "
    "then changes outside the editor are found about once a minute."
)


@frozen(kw_only=True)
class Changes:
    """What happened since the last time.

    `paths` are relative to the folder with `/`; they came, went or were written (or were only
    touched). `rescan`: more may have changed than `paths` says. `head_changed`: HEAD, a ref or
    the index of the repository changed (a commit, a checkout, a staged file).
    """

    paths: frozenset[str] = frozenset()
    rescan: bool = False
    head_changed: bool = False
    notice: str | None = None


class FolderWatcher:
    """Watches one folder from `start` to `stop`.

    `on_changes` is called from the watcher's own thread, one call at a time; an exception in it
    is logged and followed by a rescan. `skip_directory` says of a folder-relative directory that
    nothing in it matters: no watch is spent on it. `git_directories` are the repository's git and
    common directory, wherever they lie. Times are in seconds: changes are told after `debounce`
    without a further one, at the latest after `longest_wait`.
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
        reconcile_every: float = 60.0,
        use_inotify: bool = sys.platform == "linux",
    ) -> None:
        self._root = os.path.realpath(root)
        self._on_changes = on_changes
        self._skip_directory = skip_directory
        self._git_directories = tuple({os.path.realpath(path): None for path in git_directories})
        pace = _Pace(debounce, longest_wait, reconcile_every)
        self._gathered = _Gathered(self._root, self._git_directories, pace)
        folder = WatchedTree(root=self._root, skips=self._skips)
        trees = (folder, *map(_git_tree, self._git_directories))
        self._source = _source(trees, self._gathered, use_inotify)
        self._thread = Thread(target=self._run, name="folder-watcher", daemon=True)

    @property
    def notice(self) -> str | None:
        """Why watching is not complete, for a person; None when it is."""
        return self._gathered.notice

    def start(self) -> None:
        """Begin to watch. What changed before this returned may not be told: scan once after."""
        try:
            self._source.start()
        except OSError as error:
            self._gathered.uncovered(error)
        self._thread.start()

    def stop(self) -> None:
        """End. No further changes are told when this returns (unless called by `on_changes`)."""
        self._gathered.close()
        self._source.stop()
        if self._thread.is_alive() and self._thread is not current_thread():
            self._thread.join()

    def renew(self, skip_directory: Callable[[str], bool]) -> None:
        """Watch by other rules (an ignore file changed). Scan once after, as with `start`."""
        self._skip_directory = skip_directory
        if self._source.is_alive():
            self._gathered.notice = None
            self._source.renew()

    def _skips(self, path: str) -> bool:
        relative = path[len(self._root) + 1 :].replace(os.sep, "/")
        return relative.rpartition("/")[2] == ".git" or self._skip_directory(relative)

    def _run(self) -> None:
        while (changes := self._gathered.wait(self._source.is_alive)) is not None:
            try:
                self._on_changes(changes)
            except Exception:
                _logger.exception("Handling changes of a folder failed")
                self._gathered.owe_rescan()


@frozen
class _Pace:
    debounce: float
    longest_wait: float
    reconcile_every: float


class _Gathered:
    """What the source told and nobody has been told yet. Thread-safe."""

    def __init__(self, root: str, git_directories: Sequence[str], pace: "_Pace") -> None:
        self.notice: str | None = None
        self._root = root + os.sep
        self._git = tuple(directory + os.sep for directory in git_directories)
        self._pace = pace
        self._next_check = time.monotonic() + pace.reconcile_every
        self._condition = Condition()
        self._closed = False
        self._first: float | None = None
        self._last = 0.0
        self._paths: set[str] = set()
        self._rescan = False
        self._head_changed = False

    def changed(self, path: str) -> None:
        """See `EventSink`."""
        for git in self._git:
            if path.startswith(git):
                if _is_head_file(path[len(git) :].replace(os.sep, "/")):
                    self._note(head_changed=True)
                return
        if path.startswith(self._root):
            relative = path[len(self._root) :].replace(os.sep, "/")
            # A `.git` that comes or goes makes other files count.
            self._note(path=relative, rescan=relative.rpartition("/")[2] == ".git")

    def lost(self) -> None:
        """See `EventSink`."""
        self._note(rescan=True)

    def uncovered(self, error: OSError) -> None:
        """See `EventSink`."""
        if error.errno == errno.ENOSPC:
            self.notice = _LIMIT
        else:
            self.notice = _INSTANCES if error.errno in {errno.EMFILE, errno.ENFILE} else _STOPPED
        self._note(rescan=True)

    def close(self) -> None:
        """Let `wait` return None."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def owe_rescan(self) -> None:
        """Let the next changes ask for a rescan."""
        with self._condition:
            self._rescan = True

    def wait(self, is_alive: Callable[[], bool]) -> Changes | None:
        """The next changes, None after `close`."""
        with self._condition:
            while not self._closed:
                now = time.monotonic()
                if now >= self._next_check:
                    self._check(is_alive, now)
                due = self._due()
                if due <= now:
                    return self._take()
                self._condition.wait(min(due, self._next_check) - now)
            return None

    def _check(self, is_alive: Callable[[], bool], now: float) -> None:
        """While watching is not complete, let what may have been missed be looked for."""
        self._next_check = now + self._pace.reconcile_every
        if self.notice is None and not is_alive():
            self.notice = _STOPPED
        if self.notice is not None:
            self._rescan = True
            self._first = self._last = now - self._pace.longest_wait

    def _due(self) -> float:
        if self._first is None:
            return inf
        return min(self._last + self._pace.debounce, self._first + self._pace.longest_wait)

    def _note(
        self, *, path: str | None = None, rescan: bool = False, head_changed: bool = False
    ) -> None:
        with self._condition:
            self._rescan |= rescan
            self._head_changed |= head_changed
            if path is not None and len(self._paths) < _MOST_PATHS:
                self._paths.add(path)
            elif path is not None:
                self._rescan = True
            self._last = time.monotonic()
            if self._first is None:
                self._first = self._last
                self._condition.notify_all()

    def _take(self) -> Changes:
        changes = Changes(
            paths=frozenset(self._paths),
            rescan=self._rescan,
            head_changed=self._head_changed,
            notice=self.notice,
        )
        self._paths = set()
        self._rescan = self._head_changed = False
        self._first = None
        return changes


def _source(trees: Sequence[WatchedTree], sink: EventSink, use_inotify: bool) -> EventSource:
    if not use_inotify:
        return ObserverSource(trees, sink)
    # Only Linux can import it.
    from codeintel_ls.workspace.inotify_source import InotifySource

    return InotifySource(trees, sink)


def _git_tree(directory: str) -> WatchedTree:
    """The parts of a git directory that change when HEAD, a ref or the index does."""

    def skips(path: str) -> bool:
        relative = path[len(directory) + 1 :].replace(os.sep, "/")
        return relative.partition("/")[0] not in _REF_DIRECTORIES

    return WatchedTree(root=directory, skips=skips)


def _is_head_file(relative: str) -> bool:
    if relative.endswith(".lock"):
        return False
    return relative in _HEAD_FILES or relative.startswith(
        tuple(f"{directory}/" for directory in _REF_DIRECTORIES)
    )
