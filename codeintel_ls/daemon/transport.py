"""How a place is listened at and dialled: nothing else knows of sockets and ports.

A Unix socket, which no other user can open and whose peer's user is asked for; or, where there are
none or a person wants none, a port of this machine with a token (`loopback`). Standard library
only. Invariant: what goes through here and was let in is a process of this user. The loopback is
tried on Linux, where it can be asked for, and untried on Windows, which has nothing else; what
macOS says of a peer is tried by its reading alone.
"""

import os
import socket
import sys
from typing import TYPE_CHECKING, Final

from codeintel_ls.daemon.place import Place

if TYPE_CHECKING:
    import asyncio

_SOL_LOCAL: Final = 0
"""See unix(4) of macOS and FreeBSD; Python has no name for it."""
_XUCRED_BYTES: Final = 76


class Listener:
    """The host's side. `socket` listens; who comes has to be let in."""

    def __init__(self, listening: socket.socket, token: bytes | None) -> None:
        self.socket = listening
        self._token = token

    async def lets_in(self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter") -> bool:
        """Whether a client is this user's. Raises ConnectionError, IncompleteReadError."""
        if self._token is None:
            return _is_ours(writer.get_extra_info("socket"))
        from codeintel_ls.daemon.loopback import proves

        return await proves(self._token, reader, writer)


def listen(place: Place) -> Listener:
    """Listen there, where nobody does. Raises OSError."""
    if place.is_loopback:
        from codeintel_ls.daemon import loopback

        return Listener(*loopback.listen(place))
    listening = _unix_socket()
    before = os.umask(0o177)
    try:
        listening.bind(place.door)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(before)
    return Listener(listening, None)


def dial(place: Place) -> socket.socket:
    """A connection with the host there, to which nothing has been said yet.

    Raises:
        OSError: nobody listens, or somebody who is not this user's.

    """
    if place.is_loopback:
        from codeintel_ls.daemon import loopback

        return loopback.dial(place)
    connection = _unix_socket()
    try:
        connection.connect(place.door)
    # An interrupt, too, must not leave it open: the daemon would wait for its other end.
    except BaseException:
        connection.close()
        raise
    return connection


def address_of(place: Place) -> str | tuple[str, int]:
    """What the system calls the end of the host there. Raises OSError where there is none."""
    if place.is_loopback:
        from codeintel_ls.daemon import loopback

        return loopback.HOST, loopback.read(place).port
    return place.door


def _unix_socket() -> socket.socket:
    if sys.platform == "win32":
        raise OSError("There are no Unix sockets on this system.")
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


def _is_ours(connection: socket.socket) -> bool:
    """Whether the peer is a process of this user; by the socket's mode alone where none is told."""
    if sys.platform == "win32":
        return False
    user = _peers_user(connection)
    return user is None or user == os.getuid()


def _peers_user(connection: socket.socket) -> int | None:
    if sys.platform == "linux":
        import struct  # only a host needs it

        # See unix(7): struct ucred.
        said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("iII"))
        return int(struct.unpack("iII", said)[1])
    option: int | None = getattr(socket, "LOCAL_PEERCRED", None)
    if option is None:
        return None
    return _user_of_xucred(connection.getsockopt(_SOL_LOCAL, option, _XUCRED_BYTES))


def _user_of_xucred(said: bytes) -> int | None:
    """The user in a `struct xucred` (sys/ucred.h: version, user, groups); None where it is none."""
    version, user = (int.from_bytes(said[at : at + 4], sys.byteorder) for at in (0, 4))
    return user if len(said) >= 8 and version == 0 else None
