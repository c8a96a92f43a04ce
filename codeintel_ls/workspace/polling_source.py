"""Looks again and again where no system tells of changes.

Looking compares times and sizes of the whole folder, which is left to whoever keeps the index;
where the repository stands is told by a few files, and looked at more often.
"""

import os
import time
from collections.abc import Callable, Sequence
from threading import Event, Thread

from codeintel_ls.workspace.event_sources import EventSink
from codeintel_ls.workspace.git_directory import head_stamp


class PollingSource:
    """An `EventSource` that asks for a rescan at intervals, and when HEAD or the index changes."""

    def __init__(
        self,
        git_directories: Sequence[str],
        sink: EventSink,
        *,
        every: Callable[[], float],
        git_every: float,
    ) -> None:
        """`every` and `git_every` are the seconds between two looks."""
        self._git_directories = git_directories
        self._sink = sink
        self._every = every
        self._git_every = git_every
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="folder-poller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def renew(self) -> None:
        """Nothing to do: by which rules a folder is looked through is not decided here."""

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        stamps = {directory: head_stamp(directory) for directory in self._git_directories}
        looked = time.monotonic()
        while not self._stopped.wait(min(self._git_every, self._every())):
            for directory, before in stamps.items():
                stamps[directory] = head_stamp(directory)
                if stamps[directory] != before:
                    self._sink.changed(os.path.join(directory, "HEAD"))  # noqa: PTH118 (as told)
            if time.monotonic() - looked >= self._every():
                looked = time.monotonic()
                self._sink.lost()
