"""A circuit breaker: an endpoint that is down is not asked again by everybody, all the time.

Invariant: while it is open nobody waits for the network; one question at a time finds out whether
the endpoint is back.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from codeintel_ls.embedding.errors import EndpointDownError

_FAILURES: Final = 3
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 15.0
_LONGEST_TRIAL: Final = 120.0


class CircuitBreaker:
    """Opens after three failures in a row. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Closed: everything is tried."""
        self._clock = clock
        self._lock = Lock()
        self._failures = 0
        self._open_until = 0.0
        self._trial_until = 0.0
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why nothing is asked; empty while it is closed."""
        with self._lock:
            return self._reason if self._failures >= _FAILURES else ""

    def admit(self) -> None:
        """Return where a request may be sent. Raises EndpointDownError at once otherwise."""
        with self._lock:
            if self._failures < _FAILURES:
                return
            now = self._clock()
            wait = max(self._open_until, self._trial_until) - now
            if wait > 0:
                raise EndpointDownError(self._reason, wait)
            # Whoever comes first tries; a trial that never ends must not keep it open.
            self._trial_until = now + _LONGEST_TRIAL

    def succeeded(self) -> bool:
        """Close it; whether it had been open."""
        with self._lock:
            was_open = self._failures >= _FAILURES
            self._failures, self._open_until, self._trial_until, self._reason = 0, 0.0, 0.0, ""
            return was_open

    def failed(self, error: EndpointDownError) -> None:
        """Count a failure, and pause the longer the more there were."""
        with self._lock:
            self._failures += 1
            self._trial_until = 0.0
            self._reason = str(error)
            exponent = min(max(self._failures - _FAILURES, 0), 10)
            pause = min(_FIRST_PAUSE * 2**exponent, _LONGEST_PAUSE)
            if error.retry_after is not None:
                pause = max(pause, min(error.retry_after, _LONGEST_PAUSE))
            self._open_until = self._clock() + pause

    def abandoned(self) -> None:
        """Nobody waits for the trial's answer any more: the next one may try."""
        with self._lock:
            self._trial_until = 0.0
