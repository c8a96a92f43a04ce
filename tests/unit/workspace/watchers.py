"""A watcher that runs, and everything it tells: for tests of watching."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from codeintel_ls.workspace.watching import Changes, FolderWatcher

PATIENCE = 20.0
linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux")


class Told:
    """A running watcher and everything it has told so far."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.batches: list[Changes] = []
        self._queue: Queue[Changes] = Queue()
        self._marks = count()
        self.watcher = FolderWatcher(root, self._queue.put, **options)
        self.watcher.start()

    @property
    def paths(self) -> set[str]:
        return {path for batch in self.batches for path in batch.paths}

    def is_silent(self) -> bool:
        return self._queue.empty()

    def until(self, enough: Callable[[], bool]) -> None:
        """Gather until enough was told; fail where that does not come."""
        while not enough():
            try:
                self.batches.append(self._queue.get(timeout=PATIENCE))
            except Empty:
                pytest.fail(f"not told in time; so far: {self.batches}")

    def until_path(self, path: str) -> None:
        self.until(lambda: path in self.paths)

    def until_rescan(self) -> None:
        self.until(lambda: any(batch.rescan for batch in self.batches))

    def insist(self, change: Callable[[], object], told: Callable[[Changes], bool]) -> None:
        """Make a change again and again until it is told by itself.

        What changes just when watching begins anew is told by a rescan alone.
        """
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            change()
            with suppress(Empty):
                self.batches.append(self._queue.get(timeout=0.2))
                if told(self.batches[-1]):
                    return
        pytest.fail(f"not told in time; so far: {self.batches}")

    def forget(self, root: Path) -> None:
        """Start anew, behind everything that was under way."""
        mark = f"mark{next(self._marks)}"
        (root / mark).touch()
        self.until_path(mark)
        self.batches.clear()


@contextmanager
def watching(root: Path, **options: Any) -> Iterator[Told]:
    """A watcher for the length of a block."""
    told = Told(root, **options)
    try:
        yield told
    finally:
        told.watcher.stop()


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@contextmanager
def mounted(place: Path, *arguments: str) -> Iterator[Path]:
    """An empty file system in memory at this place; skips where mounting is not allowed."""
    place.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", *arguments, "tmpfs", str(place)]
    try:
        done = subprocess.run(command, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
