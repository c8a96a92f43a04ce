"""Frames of the base protocol (LSP 3.17, Base Protocol), read from a blocking stream of bytes.

Invariant: the bounds, and the sentences for what passes them, are those of the server's own
reader, which this room may not import: an editor cannot tell the two apart (a test compares
them).
"""

from collections.abc import Callable
from typing import Final

from codeintel_ls.errors import CodeIntelError

MAX_BODY: Final = 256 * 1024 * 1024
_MAX_HEADER: Final = 8 * 1024
_READ_AT_ONCE: Final = 64 * 1024


class MalformedFrameError(CodeIntelError):
    """The stream holds something that is no frame: nothing after it can be trusted."""


def frame(body: bytes) -> bytes:
    """`body` as it travels."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class FrameReader:
    """Reads one body after the other. `read` gives some bytes, none at the end of the stream."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._buffer = bytearray()

    def next(self) -> bytes | None:
        """The body of the next frame, or None at the end of the stream.

        Raises:
            MalformedFrameError: the stream holds no frame here, or one that is too large.

        """
        length: int | None = None
        while True:
            line = self._header_line()
            if line is None:
                return None
            if not line:
                break
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = _content_length(value.strip())
        if length is None:
            raise MalformedFrameError("A message came without a Content-Length header.")
        return self._take(length) if self._fill(length) else None

    def _header_line(self) -> bytes | None:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > _MAX_HEADER:
                raise MalformedFrameError("A message came with an endless header.")
            if not self._fill(searched + 1):
                return None
        line = self._take(end + 1)
        if len(line) > _MAX_HEADER:
            raise MalformedFrameError("A message came with an endless header.")
        return line.rstrip(b"\r\n")

    def _fill(self, length: int) -> bool:
        """Whether the buffer holds `length` bytes: false where the stream ends before."""
        while len(self._buffer) < length:
            data = self._read(_READ_AT_ONCE)
            if not data:
                return False
            self._buffer += data
        return True

    def _take(self, length: int) -> bytes:
        with memoryview(self._buffer) as view:
            taken = bytes(view[:length])
        del self._buffer[:length]
        return taken


def _content_length(value: bytes) -> int:
    if not value.isdigit() or len(value) > len(str(MAX_BODY)) or int(value) > MAX_BODY:
        raise MalformedFrameError("A message came with an unusable Content-Length header.")
    return int(value)
