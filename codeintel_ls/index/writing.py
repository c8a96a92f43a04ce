"""The right to write an index: one thread at a time, and only while the cache is this process's.

Invariant: whoever is inside was the owner when it came in, however long ago its work began.
"""

from collections.abc import Callable
from threading import Lock
from types import TracebackType

from codeintel_ls.index.errors import OwnershipLostError


class Writing:
    """Held for each commit. Entering it raises OwnershipLostError where the cache was lost.

    `regardless` is the lock in it, for who must keep writers out and owns nothing.
    """

    def __init__(self, may_write: Callable[[], bool]) -> None:
        """`may_write` tells whether the cache is still this process's; it costs next to nothing."""
        self.regardless = Lock()
        self._may_write = may_write

    def __enter__(self) -> None:
        self.regardless.acquire()
        try:
            self.require()
        # `__exit__` is not called after this, whatever it is: an interrupt, too.
        except BaseException:
            self.regardless.release()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.regardless.release()

    def require(self) -> None:
        """Raise OwnershipLostError unless this process may write still."""
        if not self._may_write():
            raise OwnershipLostError(
                "Another process has taken over the index of this folder; it goes on there."
            )
