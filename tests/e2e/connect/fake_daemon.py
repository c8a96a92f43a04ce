"""A daemon whose every word a test writes, at a real socket, and a forwarder that finds it.

What a forwarder must do when a daemon dies half-way through a word cannot be asked of a real one.
"""

import json
import queue
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from tests.e2e.test_lifecycle import Pipe

SECONDS = 30.0
FAKE_CONNECT = """
import socket, sys, types
path, problem = sys.argv[1:]
from codeintel_ls.errors import CodeIntelError
def connect_or_start(folder, **how):
    if problem:
        raise CodeIntelError(problem)
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.sendall(folder.encode() + b"\\n")
    return connection
found = types.ModuleType("codeintel_ls.daemon.starting")
found.connect_or_start = connect_or_start
sys.modules[found.__name__] = found
from codeintel_ls.daemon.connect import connect
connect()
"""


def forwarder(
    environment: dict[str, str],
    path: Path | str = "",
    problem: str = "",
    folder: Path | None = None,
) -> Pipe:
    """A real `connect` process in `folder`, whose daemons are at `path`, or which can have none."""
    command = [sys.executable, "-P", "-c", FAKE_CONNECT, str(path), problem]
    return Pipe(environment, command, folder)


class FakeSession:
    """One connection, from the daemon's side."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.connection.settimeout(SECONDS)
        self.stream = connection.makefile("rb")
        self.folder = self.stream.readline().decode().rstrip("\n")

    def read(self) -> bytes | None:
        header = self.stream.readline()
        if not header:
            return None
        assert header.startswith(b"Content-Length: "), header
        assert self.stream.readline() == b"\r\n"
        return self.stream.read(int(header.split()[1]))

    def receive(self) -> dict[str, Any]:
        body = self.read()
        assert body is not None
        return json.loads(body)

    def receive_method(self, method: str) -> dict[str, Any]:
        """The next message, which must be of this method."""
        message = self.receive()
        assert message.get("method") == method, message
        return message

    def write(self, body: bytes) -> None:
        self.connection.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def send(self, **fields: object) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", **fields}, separators=(",", ":")).encode())

    def initialize(self, encoding: str = "utf-16") -> dict[str, Any]:
        """Answer `initialize`; the message."""
        message = self.receive_method("initialize")
        self.send(id=message["id"], result={"capabilities": {"positionEncoding": encoding}})
        return message

    def die(self) -> None:
        self.stream.close()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.connection.close()


class FakeDaemon:
    """Accepts connections; each is a session."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fake.sock"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._sessions: queue.Queue[FakeSession] = queue.Queue()
        self._open: list[FakeSession] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            session = FakeSession(connection)
            self._open.append(session)
            self._sessions.put(session)

    def session(self) -> FakeSession:
        """The next session that a forwarder begins."""
        return self._sessions.get(timeout=SECONDS)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for session in self._open:
            session.stream.close()
            session.connection.close()


def begin(editor: Pipe, daemon: FakeDaemon, **params: object) -> FakeSession:
    """A session in which both sides have said their first words."""
    given = {"processId": None, "capabilities": {}, **params}
    editor.send(id=0, method="initialize", params=given)
    session = daemon.session()
    session.initialize()
    editor.answer(0)
    editor.send(method="initialized", params={})
    session.receive_method("initialized")
    return session
