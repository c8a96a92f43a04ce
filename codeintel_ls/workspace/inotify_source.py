"""File events on Linux: one inotify watch for each directory that matters.

watchdog's recursive observer is not used here: it spends watches on every directory
(`node_modules`, `.git/objects`), swallows the error when the kernel has no more to give, and
keeps it to itself when the kernel dropped events. watchdog's inotify reader, on which that
observer stands, tells all three; this is the tree of watches over it. See inotify(7).
Invariant: a directory that could not be watched, and events that were dropped, reach the sink.
"""

import errno
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count
from threading import RLock

from attrs import frozen
from watchdog.observers.inotify_c import (
    CallbackId,
    InotifyConstants,
    InotifyEvent,
    InotifyFD,
    Mask,
    WatchDescriptor,
)

from codeintel_ls.workspace.event_sources import EventSink, WatchedTree, is_git_entry

# Without opening and reading, of which an indexer does much; IN_CLOSE_WRITE is for mapped files.
_MASK = Mask(
    InotifyConstants.IN_CREATE
    | InotifyConstants.IN_MODIFY
    | InotifyConstants.IN_CLOSE_WRITE
    | InotifyConstants.IN_DELETE
    | InotifyConstants.IN_MOVE
    | InotifyConstants.IN_DELETE_SELF
    | InotifyConstants.IN_MOVE_SELF
    | InotifyConstants.IN_ONLYDIR
    | InotifyConstants.IN_DONT_FOLLOW
    | InotifyConstants.IN_EXCL_UNLINK
)


@frozen
class _Watch:
    """A watched directory, the tree it belongs to, and its name in watchdog's reader."""

    path: str
    tree: WatchedTree
    id: CallbackId


class InotifySource:
    """inotify through watchdog's reader, one watch for each directory that is not skipped."""

    def __init__(self, trees: Sequence[WatchedTree], sink: EventSink) -> None:
        self._trees = trees
        self._sink = sink
        self._lock = RLock()
        self._reader: InotifyFD | None = None
        self._ids = count()
        self._watches: dict[WatchDescriptor, _Watch] = {}

    def start(self) -> None:
        self._reader = InotifyFD()
        self._reader.start()
        with self._lock:
            self._watch_all()

    def stop(self) -> None:
        if self._reader is not None:
            self._reader.stop()
            self._reader.join()

    def renew(self) -> None:
        with self._lock:
            self._forget("")
            self._watch_all()

    def is_alive(self) -> bool:
        return self._reader is not None and self._reader.is_alive()

    def on_event(self, event: InotifyEvent) -> None:
        """Called by watchdog's reader for each event."""
        with self._lock:
            watch = self._watches.get(event.wd)
            if watch is None:
                return
            if event.is_delete_self or event.is_move_self:
                if watch.path == watch.tree.root:
                    self._sink.gone(watch.path)
                return
            path = os.path.join(watch.path, os.fsdecode(event.name))  # noqa: PTH118 (hot)
            if not event.is_directory or is_git_entry(path):
                self._sink.changed(path)
            elif not watch.tree.skips(path):
                self._directory_changed(path, watch.tree, event)

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Called by watchdog's reader when a watched directory is gone."""
        with self._lock:
            self._watches.pop(wd, None)

    def on_queue_overflow(self) -> None:
        """Called by watchdog's reader when the kernel dropped events."""
        self.renew()
        self._sink.lost()

    def _directory_changed(self, path: str, tree: WatchedTree, event: InotifyEvent) -> None:
        if event.is_moved_from:
            self._forget(path)
            self._sink.lost()
        elif event.is_create or event.is_moved_to:
            for file in self._watch(path, tree):
                self._sink.changed(file)

    def _watch_all(self) -> None:
        for tree in self._trees:
            deque(self._watch(tree.root, tree), maxlen=0)

    def _watch(self, top: str, tree: WatchedTree) -> Iterator[str]:
        """Watch a directory and those below it; yield the files that lie there already."""
        directories = [top]
        while directories:
            directory = directories.pop()
            # First the watch, then the listing: a file is seen by one of them or by both.
            if not self._add(directory, tree):
                return
            with suppress(OSError), os.scandir(directory) as entries:
                for entry in entries:
                    if not entry.is_dir(follow_symlinks=False):
                        yield entry.path
                    elif not tree.skips(entry.path):
                        directories.append(entry.path)

    def _add(self, directory: str, tree: WatchedTree) -> bool:
        """Watch one directory; False when the system has no more watches to give."""
        assert self._reader is not None  # noqa: S101 (only called between start and stop)
        name = CallbackId(next(self._ids))
        try:
            wd = self._reader.add_callback(os.fsencode(directory), _MASK, self, name)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR}:
                # A directory that is gone again is no gap in what is watched.
                if directory == tree.root:
                    self._sink.gone(directory)
                return True
            self._sink.uncovered(error)
            return False
        known = self._watches.get(wd)
        self._watches[wd] = _Watch(directory, tree, name)
        if known is not None:
            # Found by a listing and by its event: one callback must not hear everything twice.
            self._reader.remove_callbacks([(wd, known.id)])
        return True

    def _forget(self, path: str) -> None:
        """Drop the watches of a directory and of all below it; of everything for ``""``."""
        assert self._reader is not None  # noqa: S101 (only called between start and stop)
        below = path + os.sep if path else ""
        gone = {
            wd: watch
            for wd, watch in self._watches.items()
            if watch.path == path or watch.path.startswith(below)
        }
        for wd in gone:
            del self._watches[wd]
        self._reader.remove_callbacks([(wd, watch.id) for wd, watch in gone.items()])
