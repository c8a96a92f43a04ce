"""Who may write a cache: one process at a time, the others read along.

The lock is the operating system's (it falls with its owner, however that ends); the note beside
it only tells people who holds it.
"""

import os
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout


class CacheLock:
    """Exclusive ownership of one cache folder."""

    def __init__(self, folder: Path) -> None:
        """The lock of the cache in `folder`; not yet taken."""
        self._acquiring = Lock()
        self._lock = FileLock(folder / "owner.lock", mode=0o600, thread_local=False)
        self._note = folder / "owner.pid"

    @property
    def owned(self) -> bool:
        """Whether this process holds it."""
        return self._lock.is_locked

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it. Raises OSError where the folder is unusable."""
        # filelock counts: two threads that took it at once would have to release it twice.
        with self._acquiring:
            if self.owned:
                return True
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                return False
        self._note.touch(mode=0o600)
        self._note.write_text(f"{os.getpid()}\n", encoding="ascii")
        return True

    def is_current(self) -> bool:
        """Whether what this process holds is still the lock of the folder."""
        return self.owned and Path(self._lock.lock_file).exists()

    def owner(self) -> int | None:
        """The process id its holder wrote down, for messages alone."""
        try:
            return int(self._note.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def release(self) -> None:
        """Give it up; does nothing when not held."""
        self._lock.release()
