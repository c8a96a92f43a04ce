"""How the index of one folder is, and when what failed is tried again.

Invariant: each failure makes the pause before the next try longer, up to a minute; a success ends
that.
"""

import time
from collections.abc import Callable
from math import inf
from typing import Final

from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.status import IndexState

_LONGEST_RETRY: Final = 60.0


class IndexHealth:
    """The state of an index and its last error; tells of each change."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """Nothing was looked at yet."""
        self.state = IndexState.SCANNING
        self.last_error: str | None = None
        self._changed = changed
        self._failures = 0
        self._retry_at = inf

    def enter(self, state: IndexState) -> None:
        """Work of this sort has begun."""
        self.state = state
        self._changed()

    def finish(self, error: str | None = None) -> None:
        """The work has ended, with this error if any."""
        self.last_error = error
        self.state = IndexState.FAILED if error else IndexState.READY
        self._changed()

    def succeed(self) -> None:
        """The work has ended well: nothing need be tried again."""
        self._failures, self._retry_at = 0, inf
        self.finish()

    def fail(self, error: Exception) -> None:
        """The work has failed, and is to be tried again."""
        self._failures += 1
        self._retry_at = time.monotonic() + min(2.0**self._failures, _LONGEST_RETRY)
        known = isinstance(error, CodeIntelError)
        self.finish(str(error) if known else f"Indexing failed with {type(error).__name__}.")

    @property
    def is_ready(self) -> bool:
        """Whether nothing is being done, and the last work has ended well."""
        return self.state is IndexState.READY

    @property
    def wants_retry(self) -> bool:
        """Whether it is time to try again."""
        return time.monotonic() >= self._retry_at

    def retry(self) -> None:
        """It is tried again now."""
        self._retry_at = inf
