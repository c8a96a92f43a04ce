"""What waits to be written to one side, and the thread that writes it.

Invariants: frames are written whole and in order; `put` never waits, so that whoever answers
holds nobody up; a reader that fills an outlet asks `wait_for_room` before it reads on, which is
how a slow side makes the other wait.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from codeintel_ls.daemon.connect_frames import frame

ROOM: Final = 4 * 1024 * 1024
"""Bytes that may wait before those who bring more have to wait."""
_WRITE_AT_ONCE: Final = 64 * 1024


class Outlet:
    """Writes to one side from a thread. `on_broken` hears, once, that nobody reads any more."""

    def __init__(
        self, name: str, write: Callable[[memoryview], int], on_broken: Callable[[], object]
    ) -> None:
        self._write = write
        self._on_broken = on_broken
        self._changed = threading.Condition()
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._closed = False
        threading.Thread(target=self._run, name=f"codeintel-to-{name}", daemon=True).start()

    def put(self, body: bytes) -> None:
        """Write `body` as a frame, after what came before."""
        data = frame(body)
        with self._changed:
            if not self._closed:
                self._frames.append(data)
                self._bytes += len(data)
                self._changed.notify_all()

    def wait_for_room(self, room: int = ROOM) -> None:
        """Return when fewer than `room` bytes wait, or nothing is written any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._bytes < room)

    def drain(self, timeout_seconds: float) -> None:
        """Return when all is written, for which there is so much time."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._bytes, timeout_seconds)

    def close(self) -> None:
        """Write nothing more; what waits is dropped."""
        with self._changed:
            self._closed = True
            self._frames.clear()
            self._bytes = 0
            self._changed.notify_all()

    def _run(self) -> None:
        while data := self._next():
            view = memoryview(data)
            try:
                while view:
                    view = view[self._write(view) :]
            except OSError:
                self.close()
                self._on_broken()
                return
            with self._changed:
                self._bytes = max(0, self._bytes - len(data))
                self._changed.notify_all()

    def _next(self) -> bytes:
        """What is to be written next: many small frames cost no more than one."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._frames)
            if self._closed:
                return b""
            taken = [self._frames.popleft()]
            length = len(taken[0])
            while self._frames and length + len(self._frames[0]) <= _WRITE_AT_ONCE:
                taken.append(self._frames.popleft())
                length += len(taken[-1])
        return taken[0] if len(taken) == 1 else b"".join(taken)
