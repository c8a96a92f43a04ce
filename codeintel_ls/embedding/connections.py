"""The connections of a client that may be closed while somebody waits for an answer.

Closing a socket wakes nobody who reads from it; shutting it down does. Thread-safe.
"""

import socket
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Final, cast
from weakref import WeakSet

if TYPE_CHECKING:
    from httpcore import NetworkStream

_MADE: Final = (".connect_tcp.complete", ".start_tls.complete")


class Connections:
    """Those that live; told of new ones by the HTTP library (its extension "trace")."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: WeakSet[NetworkStream] = WeakSet()
        self._closed = False

    def trace(self, event: str, about: Mapping[str, object]) -> None:
        """Take note of a connection that was made."""
        if not event.endswith(_MADE):
            return
        stream = cast("NetworkStream", about["return_value"])
        with self._lock:
            self._streams.add(stream)
            closed = self._closed
        if closed:
            _shut_down(stream)

    def close(self) -> None:
        """Have everybody who waits fail now, and whoever comes later."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
        for stream in streams:
            _shut_down(stream)


def _shut_down(stream: "NetworkStream") -> None:
    # It may have been closed, or wrapped for TLS, meanwhile.
    with suppress(OSError):
        connected: object = stream.get_extra_info("socket")
        if isinstance(connected, socket.socket):
            connected.shutdown(socket.SHUT_RDWR)
