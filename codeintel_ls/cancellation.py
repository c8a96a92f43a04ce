"""Cancelling work that runs in threads and child processes.

A `Cancellation` is handed down through the layers; whoever starts something that can be stopped
(a child process, a batch) registers how to stop it. Invariant: after `cancel()` returns, every
registered stop has been called exactly once, from the thread that cancelled.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock

from codeintel_ls.errors import CodeIntelError


class CancelledError(CodeIntelError):
    """The work was stopped because nobody waits for it any more."""

    def __init__(self) -> None:
        super().__init__("The request was cancelled.")


class Cancellation:
    """A one-way switch shared by the one who asks and the one who works."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cancelled = False
        self._stops: dict[int, Callable[[], None]] = {}
        self._next_key = 0

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Stop the work: call every registered stop once. Later calls do nothing."""
        with self._lock:
            if self._cancelled:
                return
            self._cancelled = True
            stops = list(self._stops.values())
            self._stops.clear()
        for stop in stops:
            stop()

    def raise_if_cancelled(self) -> None:
        """Raise `CancelledError` after `cancel` was called."""
        if self._cancelled:
            raise CancelledError

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Generator[None]:
        """Call `stop` if the work is cancelled while the block runs (at once if it already is)."""
        with self._lock:
            already = self._cancelled
            key = self._next_key
            self._next_key += 1
            if not already:
                self._stops[key] = stop
        if already:
            stop()
        try:
            yield
        finally:
            with self._lock:
                self._stops.pop(key, None)
