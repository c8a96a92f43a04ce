"""How the process begins and ends, seen from raw pipes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import SECONDS, SERVER
from tests.e2e.project import make_project
from tests.e2e.slow_git import is_running


class Pipe:
    """A server process and its raw streams."""

    def __init__(
        self,
        environment: dict[str, str],
        command: list[str] = SERVER,
        folder: Path | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def write(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def send(self, **fields: object) -> None:
        self.write(json.dumps({"jsonrpc": "2.0", **fields}).encode())

    def read(self) -> dict:
        """The next message; anything else on standard output fails the test."""
        assert self.process.stdout is not None
        header = self.process.stdout.readline()
        assert header.startswith(b"Content-Length: "), header
        assert self.process.stdout.readline() == b"\r\n"
        return json.loads(self.process.stdout.read(int(header.split()[1])))

    def answer(self, msg_id: object) -> dict:
        while True:
            message = self.read()
            if message.get("id") == msg_id and "method" not in message:
                return message

    def initialize(self, folder: Path | None = None, process_id: int | None = None) -> None:
        self.send(
            id=0,
            method="initialize",
            params={
                "processId": process_id,
                "rootUri": uri_from_path(folder) if folder else None,
                "capabilities": {},
            },
        )
        self.answer(0)
        self.send(method="initialized", params={})

    def ended(self) -> int:
        return self.process.wait(SECONDS)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None and not stream.closed:
                stream.close()


@pytest.fixture
def server(environment):
    pipe = Pipe(environment)
    yield pipe
    pipe.close()


def descendants(pid: int) -> set[int]:
    found, waiting = set(), [pid]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            children = {int(child) for child in task.read_text().split()}
            waiting += children - found
            found |= children
    return found


def all_gone(pids: set[int]) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if not any(map(is_running, pids)):
            return True
        time.sleep(0.02)
    return False


def test_shutdown_and_exit_end_everything(server, tmp_path):
    make_project(tmp_path / "project")
    server.initialize(tmp_path / "project")
    server.send(id=1, method="codeintel/updateIndex")
    assert "result" in server.answer(1)
    children = descendants(server.process.pid)
    server.send(id=2, method="shutdown")
    assert server.answer(2)["result"] is None
    server.send(id=3, method="codeintel/indexStatus")
    assert server.answer(3)["error"]["code"] == -32600
    server.send(method="exit")
    assert server.ended() == 0
    assert all_gone(children)


def test_exit_without_shutdown_is_an_error(server):
    server.initialize()
    server.send(method="exit")
    assert server.ended() == 1


def test_the_end_of_standard_input_is_the_end(server):
    server.initialize()
    server.process.communicate(timeout=SECONDS)
    assert server.ended() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_in_order(environment, number):
    server = Pipe(environment)
    server.initialize()
    server.process.send_signal(number)
    assert server.ended() == 1
    assert b"Traceback" not in server.process.communicate()[1]


def test_what_is_no_frame_is_answered_and_ends_the_session(server):
    server.initialize()
    server.process.stdin.write(b"GET / HTTP/1.1\r\n\r\n")
    server.process.stdin.flush()
    assert server.answer(None)["error"]["code"] == -32600
    assert server.ended() == 1


def test_malformed_messages_are_answered_and_the_session_goes_on(server):
    server.initialize()
    for body in (b"{", b"[]", b'{"jsonrpc":"2.0","id":1.5,"method":"x"}', b"\xff"):
        server.write(body)
        assert server.answer(None)["error"]["code"] in {-32700, -32600}
    hover = {"textDocument": 7}
    server.send(id=1, method="textDocument/hover", params=hover)
    assert server.answer(1)["error"]["code"] == -32602
    for params in (None, [], {"command": 7}, {"command": "x"}, {"arguments": [{}]}):
        server.send(id=2, method="workspace/executeCommand", params=params)
        assert server.answer(2)["error"]["code"] == -32602
    for arguments in ([{}, {}], [7], [[]], "x", {"query": "x"}, [None]):
        params = {"command": "codeintel.semanticSearch", "arguments": arguments}
        server.send(id=3, method="workspace/executeCommand", params=params)
        error = server.answer(3)["error"]
        assert error["code"] == -32602
        assert "data" not in error
    server.send(id=4, method="codeintel/indexStatus", params={"workDoneToken": True})
    assert "workDoneToken" in server.answer(4)["error"]["message"]
    server.send(id=5, method="codeintel/indexStatus")
    assert server.answer(5)["result"] == {"folders": []}


NOISE = """
import os, subprocess, sys
from codeintel_ls.server import serve_stdio, index_operations
original = index_operations.index_status
async def noisy(session, params):
    print("noise of Python")
    os.write(1, b"noise of native code\\n")
    subprocess.run([sys.executable, "-c", "print('noise of a child')"])
    return await original(session, params)
index_operations.index_status = noisy
sys.exit(serve_stdio())
"""


def test_standard_output_carries_the_protocol_alone(environment):
    server = Pipe(environment, [sys.executable, "-c", NOISE])
    server.initialize()
    server.send(id=1, method="codeintel/indexStatus")
    assert server.answer(1)["result"] == {"folders": []}
    server.send(id=2, method="shutdown")
    assert server.answer(2)["result"] is None
    server.send(method="exit")
    out, errors = server.process.communicate(timeout=SECONDS)
    assert out == b""
    for words in (b"noise of Python", b"noise of native code", b"noise of a child"):
        assert words in errors


def test_source_text_never_reaches_the_log(environment, tmp_path):
    make_project(tmp_path / "project")
    config = tmp_path / "config" / "codeintel-ls" / "config.toml"
    config.write_text('[log]\nlevel = "debug"\n')
    server = Pipe(environment)
    server.initialize(tmp_path / "project")
    uri = uri_from_path(tmp_path / "project/src/cache.py")
    document = {"uri": uri, "languageId": "python", "version": 1, "text": "the_secret = 1\n"}
    server.send(method="textDocument/didOpen", params={"textDocument": document})
    for msg_id, (method, params) in enumerate(
        [
            ("codeintel/semanticSearch", {"query": "the_secret"}),
            ("codeintel/blameRange", {"uri": uri, "startLine": 0, "endLine": 0}),
            ("codeintel/blameRange", {"uri": "the_secret", "startLine": 0, "endLine": 0}),
            ("codeintel/the_secret_method", {}),
            ("codeintel/semanticSearch", {"query": ["the_secret"]}),
            ("textDocument/hover", {"the_secret": 1}),
        ],
        start=1,
    ):
        server.send(id=msg_id, method=method, params=params)
        server.answer(msg_id)
    _, errors = server.process.communicate(timeout=SECONDS)
    assert b"secret" not in errors


PARENT = """
import os, subprocess, sys, time
server = subprocess.Popen(sys.argv[1:], stdin=0, stdout=1)
print(server.pid, file=sys.stderr, flush=True)
time.sleep(600)
"""


def test_a_parent_that_is_killed_takes_everything_with_it(environment, tmp_path):
    make_project(tmp_path / "project")
    # This test holds the other ends of the pipes: the server must notice the parent itself.
    parent = Pipe(environment, [sys.executable, "-c", PARENT, *SERVER])
    assert parent.process.stderr is not None
    pid = int(parent.process.stderr.readline())
    parent.initialize(tmp_path / "project", process_id=parent.process.pid)
    parent.send(id=1, method="codeintel/rebuildIndex")
    parent.answer(1)
    family = {pid, *descendants(pid)}
    parent.process.kill()
    assert all_gone(family)
    parent.close()


def test_a_server_that_is_killed_leaves_no_child(environment, tmp_path):
    make_project(tmp_path / "project")
    server = Pipe(environment)
    server.initialize(tmp_path / "project")
    server.send(id=1, method="codeintel/rebuildIndex")
    server.answer(1)
    children = descendants(server.process.pid)
    os.kill(server.process.pid, signal.SIGKILL)
    assert all_gone(children)
    server.close()
