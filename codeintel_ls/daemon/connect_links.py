"""The two ways to a server: the workspace's daemon, or a process of this editor's own.

Invariant: whatever goes wrong with daemons, an editor is served.
"""

import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from codeintel_ls.daemon.starting import connect_or_start
from codeintel_ls.errors import CodeIntelError

_END_SECONDS: Final = 5.0
# The editor's folder is the current one: without `-P` Python would import what lies there.
_OWN_SERVER: Final = [sys.executable, "-P", "-m", "codeintel_ls", "serve", "--stdio"]


class Link(Protocol):
    """A stream of bytes to a server and back. `read` gives nothing when the server is gone."""

    def read(self, size: int) -> bytes:
        """Some bytes, as soon as there are some."""
        ...

    def write(self, data: memoryview) -> int:
        """How many of the bytes went through. Raises OSError when the server is gone."""
        ...

    def close(self) -> None:
        """Let go of the server, and end a `read` or a `write` that waits."""
        ...


class DaemonLink:
    """The connection with a daemon that has accepted this client."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(None)

    def read(self, size: int) -> bytes:
        """Some bytes, as soon as there are some."""
        try:
            return self._socket.recv(size)
        except OSError:
            return b""

    def write(self, data: memoryview) -> int:
        """How many of the bytes went through."""
        return self._socket.send(data)

    def close(self) -> None:
        """Let go of the daemon."""
        # Closing alone would not wake a thread that waits in `recv`.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class OwnServerLink:
    """`serve --stdio` in a process that ends with this one."""

    def __init__(self) -> None:
        import subprocess

        own_read, server_write = os.pipe()
        server_read, own_write = os.pipe()
        self._output = open(own_read, "rb", buffering=0)  # noqa: PTH123, SIM115 (descriptors, that live on)
        self._input = open(own_write, "wb", buffering=0)  # noqa: PTH123, SIM115
        try:
            self._process = subprocess.Popen(_OWN_SERVER, stdin=server_read, stdout=server_write)
        except OSError:
            self._close_streams()
            raise
        finally:
            os.close(server_read)
            os.close(server_write)

    def read(self, size: int) -> bytes:
        """Some bytes, as soon as there are some."""
        try:
            return self._output.read(size)
        except (OSError, ValueError):  # closed in the meantime
            return b""

    def write(self, data: memoryview) -> int:
        """How many of the bytes went through."""
        try:
            return self._input.write(data)
        except ValueError as error:
            raise OSError("The stream is closed.") from error

    def close(self) -> None:
        """End the process and wait for it."""
        import subprocess

        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_streams()

    def _close_streams(self) -> None:
        self._output.close()
        self._input.close()


def reach(folder: str, tell: Callable[[str], object]) -> Link:
    """A link to the daemon of a folder, which is started where there is none.

    Where no daemon can be had, a server of this editor's own, and `tell` hears why.

    Raises:
        OSError: not even that could be started.

    """
    try:
        return DaemonLink(connect_or_start(folder, kind="editor"))
    except CodeIntelError as error:
        reason = str(error)
    except OSError as error:
        reason = f"The system refused: {error.strerror}."
    tell(
        f"{reason} CodeIntel LS therefore serves this editor in a process of its own, which it "
        "shares with nobody."
    )
    return OwnServerLink()
