"""Frames of the base protocol (LSP 3.17, Base Protocol), and a reader of blocking streams of them.

Invariant: the bounds, and the sentences for what passes them, stand here alone: an editor cannot
tell the forwarder's reader from the server's (a test compares them).
"""

from collections.abc import Callable
from typing import Final

from codeintel_ls.daemon.connect_messages import MalformedMessageError

MAX_BODY: Final = 256 * 1024 * 1024
_MAX_LINE: Final = 8 * 1024
_READ_AT_ONCE: Final = 64 * 1024


class MalformedFrameError(MalformedMessageError):
    """The stream holds something that is no frame: nothing after it can be trusted."""


class EndlessHeaderError(MalformedFrameError):
    """A line of a header is too long."""

    def __init__(self) -> None:
        super().__init__("A message came with an endless header.")


def frame(body: bytes) -> bytes:
    """`body` as it travels."""
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Header:
    """What the header of one frame says, told line by line."""

    def __init__(self) -> None:
        self._length: int | None = None

    def take(self, line: bytes) -> int | None:
        """The length of the body, once `line` is the empty one that ends the header.

        Raises:
            MalformedFrameError: it is no line of a header, or one that is too long, or no length
                was told, or one beyond `MAX_BODY`.

        """
        if len(line) > _MAX_LINE:
            raise EndlessHeaderError
        line = line.rstrip(b"\r\n")
        if not line:
            if self._length is None:
                raise MalformedFrameError("A message came without a Content-Length header.")
            return self._length
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            self._length = _content_length(value.strip())
        return None


def _content_length(value: bytes) -> int:
    if not value.isdigit() or len(value) > len(str(MAX_BODY)) or int(value) > MAX_BODY:
        raise MalformedFrameError("A message came with an unusable Content-Length header.")
    return int(value)


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
        header, length = Header(), None
        while length is None:
            line = self._line()
            if line is None:
                return None
            length = header.take(line)
        return self._take(length) if self._fill(length) else None

    def _line(self) -> bytes | None:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > _MAX_LINE:
                raise EndlessHeaderError
            if not self._fill(searched + 1):
                return None
        return self._take(end + 1)

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
