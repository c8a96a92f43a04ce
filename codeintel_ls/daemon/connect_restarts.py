"""How often a daemon is started again, and how fast."""

from collections import deque
from typing import Final

MOST: Final = 5
WITHIN_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 0.25


class Restarts:
    """At most `MOST` in any `WITHIN_SECONDS`, each after a longer pause than the one before."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def pause(self, now: float) -> float | None:
        """Seconds to wait before the restart that is due now; None: there were too many."""
        while self._times and now - self._times[0] >= WITHIN_SECONDS:
            self._times.popleft()
        if len(self._times) >= MOST:
            return None
        self._times.append(now)
        earlier = len(self._times) - 1
        # One daemon that dies is an accident, and nobody should wait for it.
        return _FIRST_PAUSE_SECONDS * 2 ** (earlier - 1) if earlier else 0.0

    def until_room(self, now: float) -> float:
        """Seconds until there may be another."""
        return max(0.0, self._times[0] + WITHIN_SECONDS - now) if self._times else 0.0
