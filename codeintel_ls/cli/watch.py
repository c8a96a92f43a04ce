"""`index --watch`: stay, and keep the index true to the disk until Ctrl-C.

Invariant: it ends as soon as nobody can read what it tells.
"""

import select
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Final, cast

from attrs import evolve, frozen

from codeintel_ls.cli import output
from codeintel_ls.cli.folders import tell_notices
from codeintel_ls.index.errors import IndexingError
from codeintel_ls.index.status import IndexState, IndexStatus
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder

_LOOK_SECONDS: Final = 0.5
_HINT_SECONDS: Final = 5.0
_SETTLED: Final = (IndexState.READY, IndexState.FAILED)


@frozen
class Update:
    """How many files were indexed again or went, how long that took, and what there is now."""

    files: int
    seconds: float
    status: IndexStatus


class WatchedFolder(WorkspaceFolder):
    """A folder that says when it hears of changes, and which versions of files it holds."""

    on_hint: Callable[[], None] | None = None

    def changed(self, paths: Sequence[str]) -> None:
        """See `WorkspaceFolder.changed`."""
        if paths and self.on_hint is not None:
            self.on_hint()
        super().changed(paths)

    def versions(self) -> dict[str, int]:
        """The files that can be searched, each with a number that every update changes."""
        return {path: number for number, path, _ in self._index.store.live_paths()}


class Watch:
    """Tells updates apart: each ends when nothing is known that could not be searched."""

    def __init__(self, folder: WatchedFolder, news: Event) -> None:
        """`news` is set whenever the status of the folder has changed."""
        self._folder = folder
        self._news = news
        self._generation = folder.index_status().generation
        self._versions = folder.versions()
        self._heard: float | None = None
        folder.on_hint = self._note_hint

    def wait(self) -> tuple[IndexStatus, Update | None]:
        """Wait for news, but not for long. Raises IndexingError."""
        self._news.wait(_LOOK_SECONDS)
        self._news.clear()
        status = self._folder.index_status()
        if status.pending or status.state not in _SETTLED:
            self._note_hint()
            return status, None
        heard = time.monotonic() if self._heard is None else self._heard
        seconds = time.monotonic() - heard
        if status.generation == self._generation:
            # What was heard of just now may be about to be looked at; the rest was nothing new.
            if seconds > _HINT_SECONDS:
                self._heard = None
            return status, None
        before, self._versions = self._versions, self._folder.versions()
        self._generation, self._heard = status.generation, None
        changed = before.items() ^ self._versions.items()
        files = len({path for path, _ in changed})
        return status, Update(files, seconds, status) if files else None

    def _note_hint(self) -> None:
        self._heard = self._heard or time.monotonic()


@contextmanager
def watchable(root: Path, settings: Settings) -> Generator[tuple[WatchedFolder, Event]]:
    """The folder, watched as soon as it is started, and what is set when its status changes."""
    # Who asks for watching wants it, whatever the settings say of editors.
    watching = evolve(settings, index=evolve(settings.index, watch=True))
    news = Event()
    folder = WatchedFolder.open(root, watching, watch=True, on_status=lambda _: news.set())
    try:
        # `open` makes one of the class that it is asked of.
        yield cast("WatchedFolder", folder), news
    finally:
        folder.close()


def follow(folder: WatchedFolder, news: Event, tell: Callable[[Update], None]) -> None:
    """Tell of each update until Ctrl-C or a signal to end, or until nobody reads any more."""
    told = set(folder.index_status().notices)
    trouble: str | None = None
    try:
        watch = Watch(folder, news)
        folder.start()
        output.tell(f"Watching {folder.name} for changes; Ctrl-C ends it.")
        while not _nobody_reads():
            before = trouble
            try:
                status, update = watch.wait()
            except IndexingError as error:
                trouble = str(error)
            else:
                trouble = status.last_error
                fresh = tuple(notice for notice in status.notices if notice not in told)
                tell_notices(evolve(status, notices=fresh))
                told.update(fresh)
                if update is not None:
                    tell(update)
            if trouble not in {None, before}:
                output.tell(f"{trouble} Watching goes on.", "warning")
    except (KeyboardInterrupt, SystemExit):
        return


def _nobody_reads() -> bool:
    """Whether a pipe or terminal that is written to was closed at its other end."""
    if not hasattr(select, "poll"):
        return False
    waiting = select.poll()
    for stream in (sys.stdout, sys.stderr):
        waiting.register(stream.fileno(), 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in waiting.poll(0))
