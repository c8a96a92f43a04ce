"""When a request is sent again, and after how long.

Invariant: only what may be answered the next time is repeated (429, 502, 503, 504, connections
that were refused or dropped); a refusal never is, and no wait goes beyond the deadline.
"""

import logging
import random
import time
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Final

import httpx

from codeintel_ls.embedding.errors import EndpointBusyError

ATTEMPTS: Final = 5
_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0
_DROPPED: Final = (
    httpx.RemoteProtocolError,
    httpx.ConnectError,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
)

# A retry is no news; what comes of all of them is told as an error.
logging.getLogger("stamina").setLevel(logging.ERROR)


class Pacing:
    """How long to wait before each next try of one request."""

    def __init__(self, seconds: float) -> None:
        """The whole of it ends within so many seconds."""
        self._deadline = time.monotonic() + seconds
        self._tries = 0

    @property
    def remaining(self) -> float:
        """Seconds until the deadline."""
        return self._deadline - time.monotonic()

    def wait_before_retry(self, error: Exception) -> float | bool:
        """Seconds to wait, or False where it is not to be tried again (a hook for `stamina`)."""
        if isinstance(error, EndpointBusyError):
            asked = error.retry_after
        elif isinstance(error, _DROPPED) and not is_distrust(error):
            asked = None
        else:
            return False
        self._tries += 1
        wait = min(_FIRST_WAIT * 2**self._tries, _LONGEST_WAIT)
        # Full jitter, so that many who were refused together do not come back together; but
        # never earlier than was asked for.
        wait = random.uniform(0, wait) if asked is None else asked + random.uniform(0, wait)  # noqa: S311 (no secret)
        return wait if wait < self.remaining else False


def is_distrust(error: Exception) -> bool:
    """Whether a connection was given up because the server's certificate cannot be verified."""
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def retry_after(value: str | None) -> float | None:
    """Seconds in a Retry-After header, which names them or a date; None without a sound one."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return max(seconds, 0.0) if isfinite(seconds) else None
