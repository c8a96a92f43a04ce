"""`serve --stdio`: one client over standard input and output, from its first byte to its last.

Invariants: nothing but the protocol reaches standard output; when the client asks, goes or dies,
everything ends within `GRACE_SECONDS`, child processes included.
"""

import asyncio
import gc
import logging
import signal
import sys
from contextlib import suppress
from threading import Thread
from typing import Final

from codeintel_ls.daemon.connect_frames import MalformedFrameError
from codeintel_ls.daemon.process_life import (
    GRACE_SECONDS,
    exit_hard_after,
    reserve_stdin,
    reserve_stdout,
)
from codeintel_ls.server.connection import Writer, read_message, reader_of
from codeintel_ls.server.routes import routes
from codeintel_ls.server.session import Session
from codeintel_ls.server.shared import Shared
from codeintel_ls.workspace import load_ahead

logger: Final = logging.getLogger(__name__)

_CLOSING_SECONDS: Final = 2.0
_SWITCH_SECONDS: Final = 0.0005
_COLLECT_AFTER: Final = (50_000, 20, 100)


def serve_stdio() -> int:
    """Serve one client until it ends. The result is the exit status that LSP asks for."""
    descriptor_in, descriptor_out = reserve_stdin(), reserve_stdout()
    _log_to_stderr()
    favour_requests()
    Thread(target=load_ahead, name="codeintel-loading", daemon=True).start()
    return asyncio.run(_serve(descriptor_in, descriptor_out))


def favour_requests() -> None:
    """Have the interpreter's own work seldom stand in the way of a short request."""
    # A request of a millisecond must not wait five for each turn of a thread that lists a folder.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Looking for cycles among all that a large folder keeps takes longer than an answer may.
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    # pygls logs whole messages, source code included.
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)


class _End:
    """The first reason to end, with its exit status."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._code: asyncio.Future[int] = self._loop.create_future()

    def come(self, code: int) -> None:
        """End with `code`, unless an end has come already. May be called from any thread."""
        with suppress(RuntimeError):  # the loop has ended already
            self._loop.call_soon_threadsafe(self._set, code)

    def _set(self, code: int) -> None:
        if not self._code.done():
            self._code.set_result(code)

    async def wait(self) -> int:
        return await self._code


async def _serve(descriptor_in: int, descriptor_out: int) -> int:
    end = _End()
    shared = Shared()
    session = Session(shared)
    writer = Writer(descriptor_out, on_broken=lambda: end.come(1))
    session.protocol.connect(writer.write)
    session.protocol.routes = routes(session)
    session.protocol.on_exit = end.come
    session.on_client_gone = lambda: _client_gone(end)
    _end_on_signals(end)
    reading = asyncio.create_task(_read_all(descriptor_in, session, end))
    code = await end.wait()
    exit_hard_after(GRACE_SECONDS, code)
    reading.cancel()
    session.protocol.cancel_everything()
    with suppress(TimeoutError):
        await asyncio.wait_for(_close(session, shared), _CLOSING_SECONDS)
    shared.pools.close()
    writer.close()
    return code


async def _close(session: Session, shared: Shared) -> None:
    await session.close()
    await shared.close()


def _client_gone(end: _End) -> None:
    # The event loop may be the very thing that hangs: the clock runs without it.
    exit_hard_after(GRACE_SECONDS, 1)
    end.come(1)


def _end_on_signals(end: _End) -> None:
    loop = asyncio.get_running_loop()
    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None:
            with suppress(NotImplementedError):  # Windows
                loop.add_signal_handler(number, end.come, 1)


async def _read_all(descriptor: int, session: Session, end: _End) -> None:
    reader = reader_of(descriptor)
    try:
        while (body := await read_message(reader)) is not None:
            session.protocol.receive(body)
            # Each handler takes what it needs of the session before the next message changes it.
            await asyncio.sleep(0)
    except MalformedFrameError as error:
        session.protocol.refuse(error)
        logger.error("%s The session ends.", error)
        end.come(1)
    else:
        end.come(0 if session.protocol.shut_down else 1)
