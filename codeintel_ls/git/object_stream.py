"""A `git cat-file --batch` that stays for the next question: objects for some 20 µs each.

It ends by itself once nobody has asked for a while. Invariant: a question that is cancelled or
takes too long ends the process, and the next one starts another. See git-cat-file(1), "BATCH
OUTPUT".
"""

import os
import select
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Final

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.alarms import ALARMS, Alarm
from codeintel_ls.git.errors import FileTooLargeError
from codeintel_ls.git.runner import GitRunner, Service

_CHUNK: Final = 1 << 16
_IDLE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.1
_LONGEST_HEADER: Final = 10_000
# Few enough for a pipe to take them while git waits for its answers to be read.
_QUESTIONS_AT_ONCE: Final = 100


@frozen
class StoredObject:
    """An object of the repository: its id, its type (`blob`, `commit`, …) and its content."""

    identity: str
    kind: str
    content: bytes


class StreamBrokenError(Exception):
    """The process ended, or said what it never should: ask in another way."""


class ObjectStream:
    """Answers questions for objects one after the other. Thread-safe."""

    def __init__(self, runner: GitRunner, idle_seconds: float = _IDLE_SECONDS) -> None:
        self._runner = runner
        self._idle_seconds = idle_seconds
        self._lock = Lock()
        self._service: Service | None = None
        self._used_at = 0.0
        self._closer: Alarm | None = None

    def read(
        self, name: bytes, cancellation: Cancellation, *, largest: int, shown: str = ""
    ) -> StoredObject | None:
        """As `read_all`, of one object. An error calls it `shown`."""
        return self.read_all((name,), cancellation, largest=largest, shown=shown)[0]

    def read_all(
        self, names: Sequence[bytes], cancellation: Cancellation, *, largest: int, shown: str = ""
    ) -> list[StoredObject | None]:
        """The objects of those names (ids, or `<commit>:<path>`), None where there is none.

        Raises FileTooLargeError where one has more than `largest` bytes, StreamBrokenError,
        CancelledError.
        """
        found: list[StoredObject | None] = []
        with self._turn(cancellation), self._asking(cancellation) as service:
            reader = _Reader(service, time.monotonic() + self._runner.seconds)
            try:
                for first in range(0, len(names), _QUESTIONS_AT_ONCE):
                    lot = names[first : first + _QUESTIONS_AT_ONCE]
                    service.feed(b"".join(name + b"\n" for name in lot))
                    found += [reader.stored(largest, shown) for _ in lot]
            except OSError as error:
                raise StreamBrokenError from error
        return found

    def close(self) -> None:
        """End the process; a later question starts another."""
        with self._lock:
            self._end()

    @contextmanager
    def _turn(self, cancellation: Cancellation) -> Generator[None]:
        while not self._lock.acquire(timeout=_LOOK_SECONDS):
            cancellation.raise_if_cancelled()
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def _asking(self, cancellation: Cancellation) -> Generator[Service]:
        """The process, which is ended with anything but a whole answer."""
        cancellation.raise_if_cancelled()
        if self._service is None or not self._service.alive:
            self._end()
            self._service = self._runner.service("cat-file", "--batch")
        service = self._service
        try:
            with cancellation.stopping(service.kill):
                yield service
        except BaseException:
            # Whatever stopped it, half an answer may still stand in the pipe.
            self._end()
            cancellation.raise_if_cancelled()
            raise
        self._used_at = time.monotonic()
        if self._closer is None:
            self._wait_for_idle(self._idle_seconds)

    def _wait_for_idle(self, seconds: float) -> None:
        self._closer = ALARMS.after(seconds, self._end_if_idle)

    def _end_if_idle(self) -> None:
        # Whoever asks may take long; others wait for this thread.
        if not self._lock.acquire(blocking=False):
            self._closer = ALARMS.after(self._idle_seconds, self._end_if_idle)
            return
        try:
            left = self._used_at + self._idle_seconds - time.monotonic()
            self._closer = None
            if self._service is None:
                return
            if left > 0:
                self._wait_for_idle(left)
            else:
                self._end()
        finally:
            self._lock.release()

    def _end(self) -> None:
        if self._closer is not None:
            self._closer.cancel()
            self._closer = None
        service, self._service = self._service, None
        if service is not None:
            service.end()


class _Reader:
    """Reads an answer of known form before a deadline."""

    def __init__(self, service: Service, deadline: float) -> None:
        self._service = service
        self._deadline = deadline
        self._pending = b""

    def stored(self, largest: int, shown: str) -> StoredObject | None:
        """The next answer."""
        header = self.line().split(b" ")
        if len(header) != 3 or not header[2].isdigit():
            return None
        size = int(header[2])
        if size > largest:
            raise FileTooLargeError(shown, size, largest)
        content = self.exactly(size + 1)[:-1]
        return StoredObject(header[0].decode("ascii"), header[1].decode("ascii"), content)

    def line(self) -> bytes:
        """Up to the next line end, without it."""
        while b"\n" not in self._pending:
            if len(self._pending) > _LONGEST_HEADER:
                raise StreamBrokenError
            self._pending += self._more()
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def exactly(self, size: int) -> bytes:
        """So many bytes."""
        parts = [self._pending[:size]]
        self._pending = self._pending[size:]
        left = size - len(parts[0])
        while left > 0:
            more = self._more()
            parts.append(more[:left])
            self._pending = more[left:]
            left -= len(parts[-1])
        return b"".join(parts)

    def _more(self) -> bytes:
        left = self._deadline - time.monotonic()
        source = self._service.output
        # Pipes cannot be waited for on Windows: there a read just blocks until git is killed.
        if os.name == "posix" and (left <= 0 or not select.select([source], [], [], left)[0]):
            raise StreamBrokenError
        chunk = os.read(source, _CHUNK)
        if not chunk:
            raise StreamBrokenError
        return chunk
