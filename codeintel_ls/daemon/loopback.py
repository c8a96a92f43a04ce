"""A port of this machine in the place of a socket, for those alone who can read a file.

The host listens at 127.0.0.1, at a port of the system's choice, and leaves port and token in a file
of its place. Whoever connects and the host prove to each other that they know the token, each with
a nonce of the other's, before anything else is said. Invariants: nothing listens anywhere but on
this machine; the token is in that file and nowhere else, on no wire, in no log and in no error; a
file of a host that has ended, whose port may be somebody else's by now, holds nobody up.
"""

import contextlib
import hmac
import json
import os
import socket
import sys
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from codeintel_ls.daemon.place import Place
from codeintel_ls.daemon.process_life import is_alive

if TYPE_CHECKING:
    import asyncio

HOST: Final = "127.0.0.1"
_HIGHEST_PORT: Final = 65_535
_BYTES: Final = 32
"""Of a token, of a nonce (of the system's own randomness) and of a proof."""
_SECONDS: Final = 5.0
"""For a host to prove itself. One that does not is none."""


class Address(NamedTuple):
    """Where a host listens, and what it asks for. Not to be shown to anybody."""

    port: int
    token: bytes
    pid: int


def listen(place: Place) -> tuple[socket.socket, bytes]:
    """A socket that listens, and its token; both are left in the place. Raises OSError."""
    import secrets  # only a host needs what it costs

    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Windows lets a second program listen at a port that is not asked for in this way.
        if sys.platform == "win32":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        listening.bind((HOST, 0))
        # Who reads the file may connect at once.
        listening.listen()
        token = secrets.token_bytes(_BYTES)
        _write(place, Address(listening.getsockname()[1], token, os.getpid()))
    # An interrupt, too, must not leave it listening.
    except BaseException:
        listening.close()
        raise
    return listening, token


def dial(place: Place, seconds: float = _SECONDS) -> socket.socket:
    """A connection whose two sides know the token. Raises OSError where there is no such host."""
    address = read(place)
    if not is_alive(address.pid):
        raise ConnectionRefusedError("The process that listened has ended.")
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        until = time.monotonic() + seconds
        connection.settimeout(seconds)
        connection.connect((HOST, address.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        nonce = os.urandom(_BYTES)
        connection.sendall(nonce)
        said = _received(connection, 2 * _BYTES, until)
        nonces = nonce + said[:_BYTES]
        if not hmac.compare_digest(said[_BYTES:], _proof(address.token, b"host", nonces)):
            raise ConnectionAbortedError("Somebody else listens there.")
        connection.sendall(_proof(address.token, b"client", nonces))
    # An interrupt, too, must not leave it open.
    except BaseException:
        connection.close()
        raise
    return connection


async def proves(
    token: bytes, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter"
) -> bool:
    """Whether the client knows the token. Raises ConnectionError, IncompleteReadError."""
    nonce = os.urandom(_BYTES)
    nonces = await reader.readexactly(_BYTES) + nonce
    writer.write(nonce + _proof(token, b"host", nonces))
    await writer.drain()
    said = await reader.readexactly(_BYTES)
    return hmac.compare_digest(said, _proof(token, b"client", nonces))


def _proof(token: bytes, side: bytes, nonces: bytes) -> bytes:
    # Each side's is another, so that none can be sent back to where it came from.
    return hmac.digest(token, side + nonces, "sha256")


def _received(connection: socket.socket, size: int, until: float) -> bytes:
    said = b""
    while len(said) < size:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("Whoever listens there says too little.")
        connection.settimeout(left)
        more = connection.recv(size - len(said))
        if not more:
            raise ConnectionResetError("It closed the connection.")
        said += more
    return said


def read(place: Place) -> Address:
    """What the last host of a place has left. Raises OSError where it is nothing, or nonsense."""
    try:
        with open(place.door, encoding="ascii") as file:  # noqa: PTH123 (no pathlib at the start)
            told: Any = json.load(file)
        port, token, pid = int(told["port"]), bytes.fromhex(told["token"]), int(told["pid"])
        if not 0 < port <= _HIGHEST_PORT or len(token) != _BYTES:
            raise ValueError
    # Not its words: they might hold a part of the token.
    except (ValueError, KeyError, TypeError):
        raise ConnectionRefusedError("Nothing says where somebody listens.") from None
    return Address(port, token, pid)


def _write(place: Place, address: Address) -> None:
    """In one step, and for this user alone. Raises OSError."""
    staged = f"{place.door}.{address.pid}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(staged)  # noqa: PTH108 (as above)
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:  # noqa: PTH123 (a descriptor)
        json.dump({**address._asdict(), "token": address.token.hex()}, file)
    os.replace(staged, place.door)  # noqa: PTH105 (as above)
