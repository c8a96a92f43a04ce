"""Messages over a pair of byte streams: the base protocol of LSP 3.17 (Base Protocol).

Reading and writing happen in threads of their own, so that neither a slow client nor a full
pipe ever holds up the event loop. Invariant: frames are written whole and in order; a reader
that meets something that is no frame ends, because nothing after it can be trusted.
"""

import asyncio
import logging
import os
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from codeintel_ls.daemon.connect_frames import EndlessHeaderError, Header

logger: Final = logging.getLogger(__name__)

_READ_AT_ONCE: Final = 256 * 1024
_BUFFER: Final = 4 * 1024 * 1024


async def read_message(reader: asyncio.StreamReader) -> bytes | None:
    """The body of the next message, or None at the end of the stream.

    Raises:
        MalformedFrameError: the stream holds no frame here, or one that is too large.

    """
    header, length = Header(), None
    try:
        while length is None:
            length = header.take(await reader.readuntil(b"\n"))
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise EndlessHeaderError from None


class _Gate(asyncio.ReadTransport):
    """Lets a StreamReader hold up the thread that feeds it when its buffer is full."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.open.set()

    def pause_reading(self) -> None:
        self.open.clear()

    def resume_reading(self) -> None:
        self.open.set()


def reader_of(descriptor: int) -> asyncio.StreamReader:
    """What can be read from a file descriptor, fed by a thread until its end."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_BUFFER, loop=loop)
    gate = _Gate()
    reader.set_transport(gate)

    def feed() -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody waits for more
            while data := _read_some(descriptor, gate):
                loop.call_soon_threadsafe(reader.feed_data, data)
            loop.call_soon_threadsafe(reader.feed_eof)

    threading.Thread(target=feed, name="codeintel-reader", daemon=True).start()
    return reader


def _read_some(descriptor: int, gate: _Gate) -> bytes:
    gate.open.wait()
    try:
        return os.read(descriptor, _READ_AT_ONCE)
    except OSError:
        return b""


class Writer:
    """Writes to a file descriptor from a thread, in order. `on_broken` hears when nobody reads."""

    def __init__(self, descriptor: int, on_broken: Callable[[], object]) -> None:
        self._descriptor = descriptor
        self._on_broken = on_broken
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._drain, name="codeintel-writer", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Write `data` as soon as what came before is through."""
        self._queue.put(data)

    def close(self, timeout: float = 1.0) -> None:
        """Write what is waiting, for at most `timeout` seconds, and write nothing more."""
        self._queue.put(None)
        self._thread.join(timeout)

    def _drain(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._write_all(memoryview(data))
            except OSError:
                logger.info("The client does not read any more.")
                self._on_broken()
                return

    def _write_all(self, data: memoryview) -> None:
        while data:
            data = data[os.write(self._descriptor, data) :]
