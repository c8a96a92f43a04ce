"""Starting the process of a daemon. Standard library only; untried on Windows.

Invariants: the daemon outlives whoever starts it, and holds none of its files open; it says through
its standard output that it listens, or why it does not, and nobody waits for that for ever.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from threading import Thread
from typing import Final

from codeintel_ls.daemon.greeting import LONGEST_LINE
from codeintel_ls.daemon.place import Place
from codeintel_ls.daemon.starting import DaemonUnavailableError

READY: Final = "ready"
_START_SECONDS: Final = 30.0
_COMMAND: Final = [sys.executable, "-P", "-m", "codeintel_ls", "daemon", "run", "--"]


def start(place: Place, environ: Mapping[str, str]) -> None:
    """Start it, and return when it listens. Raises DaemonUnavailableError."""
    told, tell = os.pipe()
    try:
        process = subprocess.Popen(
            [*_COMMAND, place.folder],
            stdin=subprocess.DEVNULL,
            stdout=tell,
            stderr=subprocess.DEVNULL,
            cwd=place.directory,
            env=dict(environ),
            start_new_session=True,
            creationflags=_flags(),
        )
    except OSError as error:
        os.close(told)
        raise _could_not(f"{error.strerror}.") from error
    finally:
        os.close(tell)
    said = _heard(told)
    if said != READY:
        process.kill()
    if sys.platform != "win32":
        # It is the child of a child that has ended: nobody is left with a zombie of it.
        process.wait()
    if said is None:
        raise _could_not("it took too long. Look at `codeintel-ls daemon logs`.")
    if said != READY:
        raise _could_not(f"{said or 'it ended'}. Look at `codeintel-ls daemon logs`.")


def _flags() -> int:
    if sys.platform == "win32":
        # Not DETACHED_PROCESS: without a console to share, each git that it runs would open one.
        return subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
    return 0


def _could_not(reason: str) -> DaemonUnavailableError:
    return DaemonUnavailableError(
        f"The background process of CodeIntel LS could not be started: {reason}"
    )


def _heard(descriptor: int) -> str | None:
    """What it says before it closes the pipe or has said a line; None when that takes too long.

    A thread hears it, for not every system can wait for a pipe with a deadline.
    """
    said = bytearray()

    def hear() -> None:
        with contextlib.suppress(OSError):
            while not said.endswith(b"\n") and (more := os.read(descriptor, LONGEST_LINE)):
                said.extend(more)
        os.close(descriptor)

    hearing = Thread(target=hear, name="codeintel-daemon-start", daemon=True)
    hearing.start()
    hearing.join(_START_SECONDS)
    return None if hearing.is_alive() else said.decode("utf-8", "replace").strip()
