"""A connection with the daemon of a folder, which is started where there is none.

Standard library only: this is part of what every window of every editor waits for. Invariant: of
any number of clients that want a daemon at once, one starts it, with the lock held; the others
find it.
"""

import contextlib
import os
import select
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
from codeintel_ls.errors import CodeIntelError

_START_SECONDS: Final = 30.0
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
            place.clean()
            _start(place, environ)
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


def dial(place: Place) -> socket.socket:
    """A connection on which nothing has been said yet. Raises OSError where nobody listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(place.socket)
    # See above.
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def locked(place: Place) -> Generator[None]:
    """Alone among all who start or end a daemon there. Raises DaemonUnavailableError."""
    import fcntl

    descriptor = os.open(place.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        until = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise DaemonUnavailableError(
                        "Another program has been starting the background process for too long. "
                        "Try again, or end it with `codeintel-ls daemon stop --all`."
                    ) from None
                time.sleep(_TURN)
        yield
    finally:
        os.close(descriptor)


def _start(place: Place, environ: Mapping[str, str]) -> None:
    """Start it, and return when it listens. Raises DaemonUnavailableError."""
    import subprocess

    told, tell = os.pipe()
    command = [sys.executable, "-P", "-m", "codeintel_ls", "daemon", "run"]
    try:
        try:
            process = subprocess.Popen(
                [*command, f"--ready={tell}", "--", place.folder],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=place.directory,
                env=dict(environ),
                pass_fds=(tell,),
                start_new_session=True,
            )
        finally:
            os.close(tell)
        said = _heard(told, time.monotonic() + _START_SECONDS)
        # It is the child of a child that has ended: nobody is left with a zombie of it.
        process.wait(_START_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else "it does not let go"
        raise DaemonUnavailableError(
            f"The background process of CodeIntel LS could not be started: {reason}."
        ) from error
    finally:
        os.close(told)
    if said == "ready":
        return
    reason = said or "it ended, or took too long"
    raise DaemonUnavailableError(
        f"The background process of CodeIntel LS could not be started: {reason}. Look at "
        "`codeintel-ls daemon logs`."
    )


def _heard(descriptor: int, until: float) -> str:
    """What it says before it closes the pipe or has said a line."""
    said = b""
    while not said.endswith(b"\n"):
        left = until - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            break
        more = os.read(descriptor, LONGEST_LINE)
        if not more:
            break
        said += more
    return said.decode("utf-8", "replace").strip()
