"""Blames of whole files ahead of questions: one after the other, the newest wish first.

Invariant: never more than one git at a time, in the background; a wish that many newer ones have
overtaken is forgotten, and closing ends whatever runs.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from threading import Condition, Thread
from typing import Final

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.git.errors import GitError
from codeintel_ls.git.values import BlameOptions

logger: Final = logging.getLogger(__name__)

_MOST_WISHES: Final = 8
_IDLE_SECONDS: Final = 10.0

Wish = tuple[str, BlameOptions]


class BlameAhead:
    """Does one repository's wishes in a thread that ends when there are none. Thread-safe."""

    def __init__(self, blame: Callable[[str, BlameOptions, Cancellation], None]) -> None:
        """`blame` blames all of a path."""
        self._blame = blame
        self._changed = Condition()
        self._wishes: OrderedDict[Wish, None] = OrderedDict()
        self._running: Cancellation | None = None
        self._thread: Thread | None = None
        self._closed = False

    def add(self, path: str, options: BlameOptions) -> None:
        """Wish for the blame of all of `path`; returns at once."""
        with self._changed:
            if self._closed:
                return
            self._wishes[path, options] = None
            self._wishes.move_to_end((path, options))
            while len(self._wishes) > _MOST_WISHES:
                self._wishes.popitem(last=False)
            if self._thread is None:
                self._thread = Thread(target=self._work, name="git-ahead", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """End what runs, and wait until it has ended."""
        with self._changed:
            self._closed = True
            self._wishes.clear()
            running, thread = self._running, self._thread
            self._changed.notify()
        if running is not None:
            running.cancel()
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while (taken := self._take()) is not None:
            (path, options), cancellation = taken
            try:
                self._blame(path, options, cancellation)
            except (GitError, CancelledError) as error:
                # Whoever asks for these lines will be told.
                logger.info("Not blamed ahead: %s", error)

    def _take(self) -> tuple[Wish, Cancellation] | None:
        with self._changed:
            self._running = None
            self._changed.wait_for(lambda: self._wishes or self._closed, _IDLE_SECONDS)
            if self._closed or not self._wishes:
                self._thread = None
                return None
            wish, _ = self._wishes.popitem()
            self._running = Cancellation()
            return wish, self._running
