"""The daemon's sessions: each connection is one client of the language server, all of them share.

Invariants: a session ends with its connection, and nothing of it is left; when the process is
told to end, everything ends within `GRACE_SECONDS`, child processes included.
"""

import asyncio
import logging
import os
import signal
from contextlib import suppress
from functools import partial
from itertools import count
from logging.handlers import RotatingFileHandler
from pathlib import Path
from threading import Thread
from typing import Final

from codeintel_ls.daemon.connect_frames import MalformedFrameError
from codeintel_ls.daemon.greeting import Greeting
from codeintel_ls.daemon.host import Host
from codeintel_ls.daemon.place import Place
from codeintel_ls.daemon.process_life import GRACE_SECONDS, exit_hard_after
from codeintel_ls.daemon.spawning import READY
from codeintel_ls.server.connection import read_message
from codeintel_ls.server.pools import asking_client
from codeintel_ls.server.routes import routes
from codeintel_ls.server.session import Session
from codeintel_ls.server.shared import Shared
from codeintel_ls.server.stdio import favour_requests
from codeintel_ls.workspace import load_ahead

logger: Final = logging.getLogger(__name__)

_CLOSING_SECONDS: Final = 2.0
_LOG_BYTES: Final = 1_000_000
_LOG_FILES: Final = 3
_HIGH_WATER: Final = 1 << 20
_MOST_UNREAD: Final = 256 << 20
"""Bytes that wait for a client that does not read, before its session ends."""


def run_daemon(place: Place, log_file: Path, idle_seconds: float, ready: int) -> int:
    """Serve at `place` until it is over; the exit status. `ready` hears when it listens."""
    log_to(log_file)
    favour_requests()
    Thread(target=load_ahead, name="codeintel-loading", daemon=True).start()
    return asyncio.run(_run(place, idle_seconds, ready))


def log_to(log_file: Path) -> None:
    """Log to this file, which is this user's alone and of a bounded size."""
    log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    before = os.umask(0o177)
    try:
        handler = RotatingFileHandler(
            log_file, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES - 1, encoding="utf-8"
        )
    finally:
        os.umask(before)
    logging.basicConfig(
        handlers=[handler],
        format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    # pygls logs whole messages, source code included.
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)


async def _run(place: Place, idle_seconds: float, ready: int) -> int:
    shared = Shared(linger_seconds=idle_seconds)
    host = Host(place, _Sessions(shared).serve, idle_seconds)
    host.on_stop = partial(_end_soon, host)
    _end_on_signals(host)

    def listening() -> None:
        # Who started this may have gone: then it ends when it has been idle.
        say(ready, READY)
        logger.warning("Serving %s.", Path(place.folder).name)

    await host.run(listening)
    exit_hard_after(GRACE_SECONDS, 0)
    with suppress(TimeoutError):
        await asyncio.wait_for(shared.close(), _CLOSING_SECONDS)
    shared.pools.close()
    logger.warning("Ended.")
    return 0


def _end_on_signals(host: Host) -> None:
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        loop.call_soon_threadsafe(_end_soon, host)

    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, _end_soon, host)
        except NotImplementedError:  # Windows
            signal.signal(number, end)


def _end_soon(host: Host) -> None:
    # The event loop may be the very thing that hangs: the clock runs without it.
    exit_hard_after(2 * GRACE_SECONDS, 1)
    host.end()


class _Sessions:
    """Serves connections."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._numbers = count(1)

    async def serve(
        self, greeting: Greeting, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One client, until it has said `exit` or is gone."""
        session = Session(self._shared)
        # Every task of this connection, and all that it begins, is this client's.
        asking_client.set(next(self._numbers))
        ended = asyncio.Event()
        transport = writer.transport

        def send(frame: bytes) -> None:
            if transport.get_write_buffer_size() > _MOST_UNREAD:
                logger.warning("A client (%s) reads nothing: its session ends.", greeting.kind)
                transport.abort()
            elif not transport.is_closing():
                writer.write(frame)

        transport.set_write_buffer_limits(_HIGH_WATER)
        session.protocol.connect(send)
        session.protocol.routes = routes(session)
        session.protocol.on_exit = lambda _code: ended.set()
        reading = asyncio.create_task(_read_all(session, reader, writer))
        ending = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            ending.cancel()
            # Whoever is connected still is to hear that the daemon is gone, not that it has itself
            # given its requests up.
            session.protocol.connect(lambda _frame: None)
            session.protocol.cancel_everything()
            with suppress(TimeoutError):
                await asyncio.wait_for(session.close(), _CLOSING_SECONDS)


async def _read_all(
    session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while (body := await read_message(reader)) is not None:
            session.protocol.receive(body)
            # A client that does not read its answers is not read from either; and each handler
            # takes what it needs of the session before the next message changes it.
            await writer.drain()
            await asyncio.sleep(0)
    except MalformedFrameError as error:
        session.protocol.refuse(error)
        logger.warning("%s The session ends.", error)
    except ConnectionError:
        pass


def say(ready: int, line: str) -> None:
    """Tell who started this process that it listens, or why it does not; once."""
    with suppress(OSError):
        os.write(ready, line.replace("\n", " ").encode() + b"\n")
    with suppress(OSError):
        os.close(ready)
