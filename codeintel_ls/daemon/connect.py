"""`codeintel-ls connect`: what editors start, from its first byte to its last.

It relays an editor's session to the daemon of its workspace. Invariants: only the standard
library and this room are imported, because every window of every editor waits for it; standard
output carries the protocol and nothing else; when the editor asks, goes or dies, this process
ends, and the session at the daemon with it.
"""

import os
import signal
import sys
import threading
import time
from typing import Any, Final, NoReturn

from codeintel_ls.daemon import connect_messages as messages
from codeintel_ls.daemon.connect_frames import FrameReader, MalformedFrameError
from codeintel_ls.daemon.connect_links import Link, reach
from codeintel_ls.daemon.connect_messages import field
from codeintel_ls.daemon.connect_outlet import Outlet
from codeintel_ls.daemon.connect_restarts import MOST, Restarts
from codeintel_ls.daemon.connect_uris import workspace_of
from codeintel_ls.daemon.forwarder import BrokenDaemonError, Forwarder
from codeintel_ls.daemon.process_life import reserve_stdin, reserve_stdout, watch_process

_DRAIN_SECONDS: Final = 1.0
_MOST_UNREAD: Final = 64 * 1024 * 1024
"""Bytes for an editor that writes and does not read: then it is not read from either."""
_SWITCH_SECONDS: Final = 0.0005
_STARTED_AGAIN: Final = "The background process of CodeIntel LS ended. It is started again."
_GIVEN_UP: Final = (
    f"CodeIntel LS stopped {MOST + 1} times within a minute, and rests now. Look at "
    "`codeintel-ls daemon logs` for the reason, then use it again in a minute or restart it in "
    "your editor."
)


def connect() -> NoReturn:
    """Serve the editor at standard input and output, and end the process."""
    # The system ends us at once: a handler would wait for a read to return that may never do so.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.excepthook = _end_on_failure
    # Four threads share the interpreter, and each message passes through three of them.
    sys.setswitchinterval(_SWITCH_SECONDS)
    descriptor_in, descriptor_out = reserve_stdin(), reserve_stdout()
    editor = Outlet("editor", lambda data: os.write(descriptor_out, data), lambda: _end(1))
    supervisor = _Supervisor(editor)
    code = _read_all(descriptor_in, editor, supervisor.forwarder)
    if (daemon := supervisor.forwarder.daemon) is not None:
        # What the editor said last, `exit` say, is still on its way.
        daemon.drain(_DRAIN_SECONDS)
    editor.drain(_DRAIN_SECONDS)
    _end(code)


def _end_on_failure(failure: threading.ExceptHookArgs) -> None:
    # Editors start again what has ended, and wait for ever for what only hangs.
    where = failure.thread.name if failure.thread is not None else "a thread"
    sys.stderr.write(f"Something unexpected went wrong in {where}: {failure.exc_type.__name__}.\n")
    _end(1)


def _end(code: int) -> NoReturn:
    # The other threads wait for bytes that will not come; sockets and children close with us.
    sys.stderr.flush()
    os._exit(code)


def _read_all(descriptor: int, editor: Outlet, forwarder: Forwarder) -> int:
    """Take in all that the editor says. The result is the exit status that LSP asks for."""

    def read(size: int) -> bytes:
        try:
            return os.read(descriptor, size)
        except OSError:
            return b""

    reader = FrameReader(read)
    try:
        while (body := reader.next()) is not None:
            forwarder.from_editor(body)
            if forwarder.exit_code is not None:
                return forwarder.exit_code
            if (daemon := forwarder.daemon) is not None:
                daemon.wait_for_room()
            editor.wait_for_room(_MOST_UNREAD)
    except MalformedFrameError as error:
        editor.put(messages.error(None, messages.INVALID_REQUEST, str(error)))
        sys.stderr.write(f"{error} The session ends.\n")
        return 1
    return 0 if forwarder.shut_down else 1


class _Supervisor:
    """Sees to it that the session has a daemon, one after the other."""

    def __init__(self, editor: Outlet) -> None:
        self.forwarder = Forwarder(editor, self._begin)
        self._editor = editor
        self._folder = ""
        self._restarts = Restarts()
        self._thread: threading.Thread | None = None

    def _begin(self, params: object) -> None:
        if self._thread is not None:
            return
        self._folder = workspace_of(params)
        process_id: Any = field(params, "processId")
        # Where the editor does not say who it is, whoever started this process stands for it.
        watched = process_id if type(process_id) is int else os.getppid()
        watch_process(watched, lambda: _end(1))
        self._thread = threading.Thread(target=self._run, name="codeintel-from-daemon", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            said = _STARTED_AGAIN
            try:
                self._serve(reach(self._folder, self._log))
            except OSError as error:
                said = f"CodeIntel LS could not be started: {error.strerror}. It is tried again."
            if not self.forwarder.lost():
                return
            self._log(said)
            self._rest()

    def _serve(self, link: Link) -> None:
        """Relay what the daemon says, until it is gone."""
        outlet = Outlet("daemon", link.write, link.close)
        reader = FrameReader(link.read)
        served = self.forwarder.connected(outlet)
        try:
            while served and (body := reader.next()) is not None:
                self.forwarder.from_daemon(body)
                self._editor.wait_for_room()
        except (MalformedFrameError, BrokenDaemonError):
            self._log("The background process of CodeIntel LS said something unreadable.")
        finally:
            outlet.close()
            link.close()

    def _rest(self) -> None:
        """Wait until another daemon may be started."""
        pause = self._restarts.pause(time.monotonic())
        while pause is None:
            self.forwarder.give_up(_GIVEN_UP)
            time.sleep(self._restarts.until_room(time.monotonic()))
            self.forwarder.asked_again.wait()
            pause = self._restarts.pause(time.monotonic())
        time.sleep(pause)

    def _log(self, message: str) -> None:
        self._editor.put(messages.logged(message))
