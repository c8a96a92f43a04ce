"""A connection with the daemon of a folder, which is started where there is none.

Standard library only: this is part of what every window of every editor waits for. Invariant: of
any number of clients that want a daemon at once, one starts it, with the lock held; the others
find it. The locks of Windows are untried.
"""

import contextlib
import os
import socket
import sys
import time
from collections.abc import Generator, Mapping
from typing import Final

from codeintel_ls.daemon.greeting import (
    LONGEST_LINE,
    SECONDS,
    Kind,
    RefusedError,
    hello,
    read_answer,
)
from codeintel_ls.daemon.place import Place, place_of
from codeintel_ls.daemon.transport import dial
from codeintel_ls.errors import CodeIntelError

_LOCK_SECONDS: Final = 40.0
_TURN: Final = 0.005
_TRIES: Final = 3


class DaemonUnavailableError(CodeIntelError):
    """There is no daemon, and none could be started."""


def connect_or_start(
    folder: str, kind: Kind, environ: Mapping[str, str] = os.environ
) -> socket.socket:
    """A socket on which the daemon of `folder` has agreed to speak LSP.

    Raises:
        PlaceError: there is nowhere to look for one.
        DaemonUnavailableError: it could not be started; says why.

    """
    place = place_of(folder, environ)
    place.make()
    for _ in range(_TRIES):
        with contextlib.suppress(OSError, RefusedError):
            return _dial(place, kind)
        with locked(place):
            # Somebody else may have started it while this one waited for the lock.
            try:
                return _dial(place, kind)
            except RefusedError as error:
                # One of another version, or one that ends: it keeps its clients, not its name.
                if error.reason == "busy":
                    raise DaemonUnavailableError(
                        "The background process of CodeIntel LS has as many clients as it can "
                        "serve. Close some."
                    ) from error
            except OSError:
                pass  # Nobody listens: this one starts it.
            from codeintel_ls.daemon.spawning import start

            place.clean()
            start(place, environ)
        with contextlib.suppress(OSError, RefusedError):
            return _dial(place, kind)
    raise DaemonUnavailableError(
        "The background process of CodeIntel LS ends as soon as it has started. Look at "
        "`codeintel-ls daemon logs`."
    )


def connect_to_running(
    folder: str, kind: Kind, environ: Mapping[str, str] = os.environ
) -> socket.socket | None:
    """The same where a daemon of this version runs already; None where there is none.

    Raises PlaceError.
    """
    with contextlib.suppress(OSError, RefusedError):
        return _dial(place_of(folder, environ), kind)
    return None


def ask_to_end(place: Place) -> bool:
    """Whether the daemon there, of whatever version, has agreed to end with all its sessions."""
    with contextlib.suppress(OSError, RefusedError):
        _dial(place, "stop").close()
        return True
    return False


def _dial(place: Place, kind: Kind) -> socket.socket:
    """Raises OSError where nobody listens, RefusedError."""
    connection = dial(place)
    try:
        connection.settimeout(SECONDS)
        connection.sendall(hello(kind, os.getpid()))
        line = bytearray()
        # Byte by byte: what follows the line belongs to the protocol.
        while not line.endswith(b"\n"):
            more = connection.recv(1)
            if not more or len(line) > LONGEST_LINE:
                raise ConnectionResetError("It closed the connection.")
            line += more
        read_answer(bytes(line))
    # An interrupt, too, must not leave it open: the daemon would wait for its other end.
    except BaseException:
        connection.close()
        raise
    connection.settimeout(None)
    return connection


@contextlib.contextmanager
def locked(place: Place) -> Generator[None]:
    """Alone among all who start or end a daemon there. Raises DaemonUnavailableError."""
    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = time.monotonic() + _LOCK_SECONDS
        while not _has_locked(descriptor):
            if time.monotonic() > until:
                raise DaemonUnavailableError(
                    "Another program has been starting the background process for too long. "
                    "Try again, or end it with `codeintel-ls daemon stop --all`."
                )
            time.sleep(_TURN)
        yield
    finally:
        os.close(descriptor)


def _has_locked(descriptor: int) -> bool:
    """Whether nobody else has it, so that it is this one's until it closes the file."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    # What flock(2) says of one that is held, and what Windows does.
    except (BlockingIOError, PermissionError):
        return False
    return True
