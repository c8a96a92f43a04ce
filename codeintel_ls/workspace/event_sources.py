"""Where file events come from, and whom they are told to.

watchdog's own observer serves where the platform watches whole trees; see `inotify_source` for
Linux, and `polling_source` for where nothing tells of changes. Invariant: a source tells its sink
when events were lost, when it cannot see a part of what it watches, and when a tree is gone.
"""

import os
from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import frozen
from watchdog.events import (
    DirModifiedEvent,
    FileClosedEvent,
    FileClosedNoWriteEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer


@frozen(kw_only=True)
class WatchedTree:
    """A directory and all below it, except what `skips` (asked with absolute paths) leaves out."""

    root: str
    skips: Callable[[str], bool]


class EventSink(Protocol):
    """Is told what happens, from the source's own thread, with absolute paths."""

    def changed(self, path: str) -> None:
        """A file came, went or was written."""

    def lost(self) -> None:
        """What changed is not known in full: events were lost or a directory moved away."""

    def gone(self, root: str) -> None:
        """The root of a tree was deleted or moved away, or is not there."""

    def uncovered(self, error: OSError) -> None:
        """From now on a part of the trees is not watched; `error` is what the system said."""


class EventSource(Protocol):
    """Tells a sink about changes in trees, from `start` until `stop`."""

    def start(self) -> None:
        """Watch. Raises OSError where nothing can be watched."""

    def stop(self) -> None:
        """Watch no more; when this returns, the sink hears nothing further."""

    def renew(self) -> None:
        """Ask every tree's `skips` again and watch accordingly."""

    def is_alive(self) -> bool:
        """Whether changes are still told."""
        ...


class ObserverSource(FileSystemEventHandler):
    """watchdog's observer for the platform, whose watches are recursive and without a limit."""

    def __init__(self, trees: Sequence[WatchedTree], sink: EventSink) -> None:
        self._trees = trees
        self._sink = sink
        self._observer = Observer()

    def start(self) -> None:
        self._observer.start()
        for tree in self._trees:
            try:
                self._observer.schedule(self, tree.root, recursive=True)
            except (FileNotFoundError, NotADirectoryError):
                self._sink.gone(tree.root)

    def stop(self) -> None:
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join()

    def renew(self) -> None:
        """Nothing to do: `skips` is asked for every event."""

    def is_alive(self) -> bool:
        return self._observer.is_alive()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called by watchdog for each event."""
        if isinstance(
            event, DirModifiedEvent | FileOpenedEvent | FileClosedEvent | FileClosedNoWriteEvent
        ):
            return
        for path in (os.fsdecode(event.src_path), os.fsdecode(event.dest_path)):
            if path:
                self._tell(path, event)

    def _tell(self, path: str, event: FileSystemEvent) -> None:
        is_gone = event.event_type in {"moved", "deleted"} and path == os.fsdecode(event.src_path)
        if is_gone and any(path == tree.root for tree in self._trees):
            self._sink.gone(path)
        if is_git_entry(path):
            self._sink.changed(path)
        elif not all(_is_skipped(path, tree, event.is_directory) for tree in self._trees):
            if not event.is_directory:
                self._sink.changed(path)
            elif event.event_type in {"moved", "deleted"}:
                self._sink.lost()


def is_git_entry(path: str) -> bool:
    """Whether a path is a `.git`: its coming and going makes a directory a repository or not."""
    return path.endswith(os.sep + ".git")


def _is_skipped(path: str, tree: WatchedTree, is_directory: bool) -> bool:
    if not path.startswith(tree.root + os.sep):
        return True
    whole = path + os.sep if is_directory else path
    end = whole.find(os.sep, len(tree.root) + 1)
    while end != -1:
        if tree.skips(whole[:end]):
            return True
        end = whole.find(os.sep, end + 1)
    return False
