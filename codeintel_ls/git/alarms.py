"""Calls at a later time, by one thread for all of them.

A timer of the standard library is a thread of its own, and every process of git has a time limit.
The thread ends when nothing has been due or waiting for a while. Thread-safe.
"""

import heapq
import logging
import time
from collections.abc import Callable
from itertools import count
from threading import Condition, Thread
from typing import Final, NamedTuple

_log = logging.getLogger(__name__)

_IDLE_SECONDS: Final = 10.0


class Alarm:
    """One call to come. Whoever wants it no more cancels it."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call: Callable[[], None] | None = call

    @property
    def cancelled(self) -> bool:
        """Whether it will not come any more."""
        return self._call is None

    def cancel(self) -> None:
        """Let it not come. One that is coming at this moment comes."""
        self._call = None

    def ring(self) -> None:
        """Make the call, unless it was cancelled."""
        call, self._call = self._call, None
        if call is not None:
            call()


class _Due(NamedTuple):
    at: float
    number: int
    alarm: Alarm


class Alarms:
    """Alarms by their time. A call must be short: the others wait for it."""

    def __init__(self, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._changed = Condition()
        self._due: list[_Due] = []
        self._numbers = count()
        self._thread: Thread | None = None

    def after(self, seconds: float, call: Callable[[], None]) -> Alarm:
        """Have `call` called, by another thread, when so many seconds have passed."""
        alarm = Alarm(call)
        with self._changed:
            first = self._due[0] if self._due else None
            due = _Due(time.monotonic() + seconds, next(self._numbers), alarm)
            heapq.heappush(self._due, due)
            if self._thread is None:
                thread = Thread(target=self._run, name="git-alarms", daemon=True)
                thread.start()
                self._thread = thread
            elif first is None or due.at < first.at:
                self._changed.notify()
        return alarm

    def _run(self) -> None:
        while (alarm := self._next()) is not None:
            try:
                alarm.ring()
            # Whatever becomes of one: all others come by the same thread.
            except Exception:  # noqa: BLE001 (as told)
                _log.exception("What was to be done at a time has failed")

    def _next(self) -> Alarm | None:
        """The next that is due, waited for; None when nothing has come for a while."""
        with self._changed:
            until = time.monotonic() + self._idle_seconds
            while True:
                now = time.monotonic()
                while self._due and (self._due[0].alarm.cancelled or self._due[0].at <= now):
                    due = heapq.heappop(self._due)
                    if not due.alarm.cancelled:
                        return due.alarm
                if not self._due and now >= until:
                    self._thread = None
                    return None
                at = self._due[0].at if self._due else until
                self._changed.wait(max(0.0, at - now))


ALARMS: Final = Alarms()
"""Those of this process."""
