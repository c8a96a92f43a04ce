"""One process per workspace: a door, the sessions on it, and the end when nobody is left.

What a session says is served by whoever made the host; nothing here knows LSP. Invariants: only
processes of this user are let in; what one connection does ends that connection and no other; when
the last has been gone for `idle_seconds`, or when asked to, the process leaves neither door nor
note behind. A daemon that is of another version than a client gives up its name and ends with its
last session.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from codeintel_ls import __version__
from codeintel_ls.daemon.greeting import (
    LONGEST_LINE,
    SECONDS,
    Greeting,
    Reason,
    read_hello,
    refusal,
    welcome,
)
from codeintel_ls.daemon.place import Note, Place
from codeintel_ls.daemon.starting import DaemonUnavailableError, locked
from codeintel_ls.daemon.transport import Listener, listen

_log: Final = logging.getLogger(__name__)

Serve = Callable[[Greeting, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one client until its stream ends, or until it is cancelled."""

_BACKLOG: Final = 128
_STREAM_BUFFER: Final = 4 * 1024 * 1024
_LOOK_SECONDS: Final = 20.0
_MOST_SESSIONS: Final = 500


class Host:
    """Listens at a place. For one event loop."""

    def __init__(self, place: Place, serve: Serve, idle_seconds: float) -> None:
        self.on_stop: Callable[[], None] = self.end
        """Called when a client asks the daemon to end."""
        self._place = place
        self._serve = serve
        self._idle_seconds = idle_seconds
        self._sessions: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._retiring = False
        self._ended = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Listen, say `ready`, serve, and return when it is over. Raises OSError."""
        listener = listen(self._place)
        self._inode = os.stat(self._place.door).st_ino  # noqa: PTH116 (a moment, once)
        self._server = await asyncio.start_server(
            partial(self._accept, listener),
            sock=listener.socket,
            limit=_STREAM_BUFFER,
            backlog=_BACKLOG,
        )
        self._place.write_note(Note(os.getpid(), __version__, self._place.folder, time.time()))
        self._rest()
        ready()
        looking = asyncio.create_task(self._look_after_name())
        await self._ended.wait()
        looking.cancel()
        await self._close()

    def end(self) -> None:
        """Let nobody in any more, end every session, and have `run` return."""
        self._retiring = True
        self._ended.set()

    # Connections

    async def _accept(
        self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._sessions.add(task)
        self._wake()
        try:
            greeting = await self._greeted(listener, reader, writer)
            if greeting is not None and greeting.kind == "stop":
                self.on_stop()
            elif greeting is not None:
                await self._serve(greeting, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            # Gone, or told to end; asyncio's own callback cannot bear a task that was cancelled.
            pass
        # The boundary: what one client brings about ends its connection and no other.
        except Exception as error:  # noqa: BLE001
            _log.error("A session ended with an error: %s", type(error).__qualname__)
        finally:
            self._sessions.discard(task)
            writer.close()
            if not self._sessions:
                self._rest()

    async def _greeted(
        self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Greeting | None:
        """Who it is; None where it is not served."""
        try:
            async with asyncio.timeout(SECONDS):
                if not await listener.lets_in(reader, writer):
                    _log.warning("A process that may be another user's was not let in.")
                    return None
                line = await reader.readuntil(b"\n")
        except (TimeoutError, asyncio.LimitOverrunError):
            return None
        greeting = read_hello(line) if len(line) <= LONGEST_LINE else None
        reason = self._refuses(greeting)
        if reason is not None or greeting is None:
            writer.write(refusal(reason or "malformed"))
            await writer.drain()
            return None
        writer.write(welcome(os.getpid()))
        await writer.drain()
        return greeting

    def _refuses(self, greeting: Greeting | None) -> Reason | None:
        if greeting is None:
            return "malformed"
        if greeting.kind == "stop":
            return None
        if greeting.version != __version__:
            _log.info("A client of version %s came: this one ends.", greeting.version[:40])
            self._retire()
            return "version"
        if self._retiring:
            return "stopping"
        return "busy" if len(self._sessions) > _MOST_SESSIONS else None

    # The end

    def _retire(self) -> None:
        """Serve those who are there, and nobody else."""
        self._retiring = True
        if self._server is not None:
            self._server.close()

    def _wake(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rest(self) -> None:
        self._wake()
        seconds = 0.0 if self._retiring else self._idle_seconds
        self._timer = asyncio.get_running_loop().call_later(seconds, self._idle)

    def _idle(self) -> None:
        if not self._sessions:
            _log.info("Nobody is connected any more.")
            self.end()

    async def _look_after_name(self) -> None:
        """Retire where the door is gone: programs that tidy up remove what they do not know."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if not self._retiring and not self._has_name():
                _log.warning("The way here was removed: new clients will start another process.")
                self._retire()
                if not self._sessions:
                    self._rest()

    def _has_name(self) -> bool:
        try:
            return os.stat(self._place.door).st_ino == self._inode  # noqa: PTH116 (as above)
        except OSError:
            return False

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await asyncio.to_thread(self._leave)
        waiting = set(self._sessions)
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting)

    def _leave(self) -> None:
        """Remove door and note, where they are still this process's own."""
        with contextlib.suppress(DaemonUnavailableError, OSError), locked(self._place):
            note = self._place.note()
            if note is not None and note.pid == os.getpid():
                self._place.clean()
