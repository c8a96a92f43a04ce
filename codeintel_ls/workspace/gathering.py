"""Gathers single events into what is told at once, and says when that is due.

Invariant: what was noted is in the next `Changes` that is taken, by name or as a rescan.
"""

import errno
import os
import time
from collections.abc import Sequence
from math import inf
from threading import Condition
from typing import Final

from attrs import frozen

from codeintel_ls.workspace.git_directory import is_head_file

_MOST_PATHS: Final = 20_000

STOPPED: Final = (
    "Watching this folder has stopped. Changes outside the editor are found about once a minute; "
    "restart the server to watch again."
)
GONE: Final = (
    "This folder is not there any more. It is watched and indexed again as soon as it is back."
)
_LIMIT: Final = (
    "Only a part of this folder is watched: the system's limit of watched directories is reached. "
    "Raise it (`sysctl fs.inotify.max_user_watches=524288`) and restart the server; until then "
    "changes outside the editor are found about once a minute."
)
_INSTANCES: Final = (
    "This folder is not watched: the system allows no further watcher or open file. Raise the "
    "limit (`sysctl fs.inotify.max_user_instances=512`, `ulimit -n`) and restart the server; until "
    "then changes outside the editor are found about once a minute."
)


@frozen(kw_only=True)
class Changes:
    """What happened since the last time.

    `paths` are relative to the folder with `/`; they came, went or were written (or were only
    touched). `rescan`: more may have changed than `paths` says. `head_changed`: HEAD, a ref or
    the index of the repository changed (a commit, a checkout, a staged file). `notice`: why not
    every change is told, for a person.
    """

    paths: frozenset[str] = frozenset()
    rescan: bool = False
    head_changed: bool = False
    notice: str | None = None


@frozen(kw_only=True)
class Pace:
    """When changes are told, in seconds.

    After `debounce` without a further one, at the latest after `longest_wait`. While git is at
    work on the folder, not before it has ended and `settle` has passed without a further one, but
    at the latest after `longest_hold`.
    """

    debounce: float
    longest_wait: float
    settle: float
    longest_hold: float


class Gathered:
    """What a source told and nobody has been told yet. Thread-safe; an `EventSink`."""

    def __init__(self, root: str, git_directories: Sequence[str], pace: Pace) -> None:
        self.trouble: str | None = None
        """Why watching is not complete."""
        self.remark: str | None = None
        """What else a person should know of how the folder is looked after."""
        self._root = root
        self._git = tuple(git_directories)
        self._pace = pace
        self._condition = Condition()
        self._closed = False
        self._first: float | None = None
        self._last = 0.0
        self._owed = inf
        self._held_since: float | None = None
        self._paths: set[str] = set()
        self._rescan = False
        self._head_changed = False
        self._gone: set[str] = set()

    @property
    def notice(self) -> str | None:
        """What a person should know."""
        return self.trouble or self.remark

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def changed(self, path: str) -> None:
        """See `EventSink`."""
        for git in self._git:
            if path.startswith(git + os.sep):
                if is_head_file(path[len(git) + 1 :].replace(os.sep, "/")):
                    self.note(head_changed=True)
                return
        if path.startswith(self._root + os.sep):
            relative = path[len(self._root) + 1 :].replace(os.sep, "/")
            # A `.git` that comes or goes makes other files count.
            self.note(path=relative, rescan=relative.rpartition("/")[2] == ".git")

    def lost(self) -> None:
        """See `EventSink`."""
        self.note(rescan=True)

    def gone(self, root: str) -> None:
        """See `EventSink`."""
        if root == self._root:
            self.trouble = GONE
        with self._condition:
            self._gone.add(root)
        self.note(rescan=True, head_changed=root in self._git)

    def uncovered(self, error: OSError) -> None:
        """See `EventSink`."""
        if error.errno == errno.ENOSPC:
            self.trouble = _LIMIT
        else:
            self.trouble = _INSTANCES if error.errno in {errno.EMFILE, errno.ENFILE} else STOPPED
        self.note(rescan=True)

    def close(self) -> None:
        """Let `wait` return."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def owe_rescan(self, seconds: float) -> None:
        """Ask for a rescan with the next changes, or by itself after so many seconds."""
        with self._condition:
            self._rescan = True
            self._owed = time.monotonic() + seconds
            self._condition.notify_all()

    def note(
        self, *, path: str | None = None, rescan: bool = False, head_changed: bool = False
    ) -> None:
        """Have this told when it is due."""
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

    def take_gone(self) -> set[str]:
        """The roots that went away since this was last asked."""
        with self._condition:
            gone, self._gone = self._gone, set()
            return gone

    def wait(self, until: float) -> bool:
        """Wait until something is due to be told; False at the time `until`, or when closed."""
        with self._condition:
            while not self._closed:
                now, due = time.monotonic(), self._due()
                if due <= now:
                    return True
                if until <= now:
                    return False
                self._condition.wait(min(due, until) - now)
            return False

    def postpone(self) -> bool:
        """Gather on, as though everything had come only now.

        False where that went on for too long already.
        """
        with self._condition:
            now = time.monotonic()
            if self._held_since is None:
                self._held_since = now
            if now - self._held_since >= self._pace.longest_hold:
                return False
            self._first = self._last = now
            self._owed = inf
            return True

    def take(self) -> Changes:
        """What was gathered; from now on anew."""
        with self._condition:
            changes = Changes(
                paths=frozenset(self._paths),
                rescan=self._rescan,
                head_changed=self._head_changed,
                notice=self.notice,
            )
            self._paths = set()
            self._rescan = self._head_changed = False
            self._first = self._held_since = None
            self._owed = inf
            return changes

    def _due(self) -> float:
        if self._first is None:
            return self._owed
        pace = self._pace
        # Between the index and HEAD, and between the steps of a rebase, no lock is held.
        held = self._held_since is not None
        pause = max(pace.debounce, pace.settle) if held else pace.debounce
        return min(self._last + pause, self._first + pace.longest_wait, self._owed)
