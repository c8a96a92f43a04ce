"""A client of the daemon for terminals and agents: LSP's base protocol and little else.

One background thread reads; requests may come from any thread, or from an event loop. Invariant: a
request ends with its answer, with an error of the server's, or, when the daemon is gone or talks
nonsense, with `DaemonLostError`; cancelling one cancels it at the daemon. What comes is read
whatever is being sent: a daemon whose answers nobody takes does not read, either.
"""

import logging
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final, cast

import orjson

from codeintel_ls.daemon.connect_frames import FrameReader, MalformedFrameError, frame
from codeintel_ls.daemon.greeting import Kind
from codeintel_ls.daemon.starting import connect_or_start, connect_to_running
from codeintel_ls.errors import CodeIntelError

_log: Final = logging.getLogger(__name__)

Report = Callable[[float, float | None, str], None]
"""Told how much of how much is done (percent of 100), and of what. In the reading thread."""


class DaemonLostError(CodeIntelError):
    """The daemon ended before it answered."""

    def __init__(self) -> None:
        super().__init__("The background process ended before it answered. Ask again.")


class AnsweredError(CodeIntelError):
    """The daemon answered with an error; `code` is that of JSON-RPC or LSP."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class DaemonClient:
    """One session with a daemon. Close it."""

    def __init__(self, connection: socket.socket) -> None:
        """`connection` is one that the daemon has accepted (`connect_or_start`)."""
        self._socket = connection
        self._lock = Lock()
        self._sending = Lock()
        self._ids = count(1)
        self._answers: dict[int, Future[Any]] = {}
        self._reports: dict[str, Report] = {}
        self._lost = False
        Thread(target=self._read_all, name="codeintel-daemon", daemon=True).start()

    @classmethod
    def open(
        cls,
        folders: Sequence[Path],
        kind: Kind,
        *,
        start: bool = True,
        options: Mapping[str, Any] | None = None,
    ) -> "DaemonClient | None":
        """A session with these folders open, at the daemon of the first of them.

        Without `start`, None where no daemon runs. `options` are settings, as editors send them.
        Raises PlaceError, DaemonUnavailableError, DaemonLostError, AnsweredError.
        """
        folder = str(folders[0])
        connection = connect_or_start(folder, kind) if start else connect_to_running(folder, kind)
        if connection is None:
            return None
        client = cls(connection)
        try:
            client._initialize(folders, options)
        # An interrupt, too, must leave neither socket nor thread behind.
        except BaseException:
            client.close()
            raise
        return client

    def _initialize(self, folders: Sequence[Path], options: Mapping[str, Any] | None) -> None:
        named = [{"uri": folder.as_uri(), "name": folder.name} for folder in folders]
        self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": named[0]["uri"],
                "workspaceFolders": named,
                "capabilities": {"general": {"positionEncodings": ["utf-16"]}},
                "initializationOptions": options or {},
            },
        )
        self.notify("initialized", {})

    def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Tell the daemon something. Raises DaemonLostError."""
        self._send({"method": method, "params": params})

    def operation(self, name: str, params: Mapping[str, Any], report: Report | None = None) -> Any:
        """The result of `codeintel/<name>`; Ctrl-C cancels it there. Raises as `begin`."""
        msg_id, answer = self.begin(name, params, report)
        try:
            return answer.result()
        # An interrupt, above all, is what has to stop the work.
        except BaseException:
            self.cancel(msg_id)
            raise

    async def ask(self, name: str, params: Mapping[str, Any], report: Report | None = None) -> Any:
        """The same for an event loop: cancelling this cancels it there."""
        import asyncio  # a command line has no need of it

        msg_id, answer = self.begin(name, params, report)
        try:
            return await asyncio.wrap_future(answer)
        except asyncio.CancelledError:
            self.cancel(msg_id)
            raise

    def begin(
        self, name: str, params: Mapping[str, Any], report: Report | None = None
    ) -> tuple[int, "Future[Any]"]:
        """Send `codeintel/<name>`; its id, and the future of its result.

        The future raises AnsweredError, DaemonLostError.
        """
        msg_id = next(self._ids)
        given = dict(params)
        if report is not None:
            token = f"report-{msg_id}"
            self._reports[token] = report
            given["workDoneToken"] = token
        return msg_id, self._begin(msg_id, f"codeintel/{name}", given)

    def request(self, method: str, params: Mapping[str, Any] | None) -> Any:
        """The result of any request. Raises AnsweredError, DaemonLostError."""
        return self._begin(next(self._ids), method, params).result()

    def cancel(self, msg_id: int) -> None:
        """Have the daemon stop working on a request."""
        with suppress(DaemonLostError):
            self._send({"method": "$/cancelRequest", "params": {"id": msg_id}})

    def close(self) -> None:
        """End the session; what is under way is given up."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _begin(self, msg_id: int, method: str, params: Any) -> "Future[Any]":
        answer: Future[Any] = Future()
        with self._lock:
            if self._lost:
                raise DaemonLostError
            self._answers[msg_id] = answer
        try:
            self._send({"id": msg_id, "method": method, "params": params})
        except DaemonLostError:
            with self._lock:
                self._answers.pop(msg_id, None)
            raise
        return answer

    def _send(self, message: Mapping[str, Any]) -> None:
        body = orjson.dumps({"jsonrpc": "2.0", **message})
        try:
            with self._sending:
                self._socket.sendall(frame(body))
        except OSError as error:
            raise DaemonLostError from error

    # The reading thread

    def _read_all(self) -> None:
        reader = FrameReader(self._read)
        try:
            while (body := reader.next()) is not None:
                self._receive(orjson.loads(body))
        except (MalformedFrameError, ValueError):
            _log.warning("The background process said something unreadable.")
        finally:
            self._give_up()

    def _give_up(self) -> None:
        # Whoever is sending hears of it, too.
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._lost = True
            answers = list(self._answers.values())
            self._answers.clear()
        for answer in answers:
            # One that somebody has cancelled is done already.
            if answer.set_running_or_notify_cancel():
                answer.set_exception(DaemonLostError())

    def _read(self, size: int) -> bytes:
        try:
            return self._socket.recv(size)
        except OSError:
            return b""

    def _receive(self, message: object) -> None:
        """Raises ValueError."""
        if not isinstance(message, dict):
            raise ValueError("No message of JSON-RPC is of that kind.")
        said = cast("dict[str, Any]", message)
        if "method" not in said:
            self._answered(said)
        elif "id" in said:
            # Whatever it asks of a client: this one has nothing to say. A thread of its own says
            # it, for the daemon may wait until it is read.
            Thread(target=self._say_nothing, args=(said["id"],), daemon=True).start()
        elif said["method"] == "$/progress":
            self._reported(said.get("params"))

    def _say_nothing(self, msg_id: object) -> None:
        with suppress(DaemonLostError):
            self._send({"id": msg_id, "result": None})

    def _answered(self, message: Mapping[str, Any]) -> None:
        """Raises ValueError."""
        msg_id = message.get("id")
        if type(msg_id) is not int:
            raise ValueError("No request had such an id.")
        failed = _error_of(message)
        with self._lock:
            answer = self._answers.pop(msg_id, None)
        self._reports.pop(f"report-{msg_id}", None)
        if answer is None or not answer.set_running_or_notify_cancel():
            return
        if failed is None:
            answer.set_result(message.get("result"))
        else:
            answer.set_exception(failed)

    def _reported(self, params: object) -> None:
        given = cast("dict[str, Any]", params) if isinstance(params, dict) else {}
        token = str(given.get("token"))
        report, value = self._reports.get(token), given.get("value")
        if report is None or not isinstance(value, dict):
            return
        told = cast("dict[str, Any]", value)
        if told.get("kind") == "end":
            return
        percentage: Any = told.get("percentage")
        text = str(told.get("message") or told.get("title") or "")
        try:
            report(float(percentage or 0), None if percentage is None else 100.0, text)
        # The boundary: this thread reads for everybody, also for those who report nothing.
        except Exception as error:  # noqa: BLE001
            self._reports.pop(token, None)
            _log.warning("Progress is told no more: %s", type(error).__qualname__)


def _error_of(message: Mapping[str, Any]) -> AnsweredError | None:
    """The error that an answer is; None for a result. Raises ValueError."""
    error: object = message.get("error")
    if error is None:
        return None
    fields = cast("dict[str, Any]", error) if isinstance(error, dict) else {}
    code = fields.get("code")
    if type(code) is not int:
        raise ValueError("No error of JSON-RPC has such a code.")
    return AnsweredError(str(fields.get("message", "")), code)
