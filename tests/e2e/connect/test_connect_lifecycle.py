"""How a forwarder begins and ends: with its editor, whatever its daemon does."""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.connect.fake_daemon import FAKE_CONNECT, begin, forwarder
from tests.e2e.project import make_project
from tests.e2e.slow_git import is_running
from tests.e2e.test_lifecycle import PARENT, Pipe, all_gone, descendants

NO_DAEMON = "There is no place for a socket."


def session_is_over(session) -> bool:
    """Whether the daemon sees the end of the connection, after what was said before."""
    while session.read() is not None:
        pass
    return True


def test_shutdown_and_exit_reach_the_daemon(editor, daemon):
    session = begin(editor, daemon)
    editor.send(id=1, method="shutdown")
    session.send(id=session.receive_method("shutdown")["id"], result=None)
    assert "result" in editor.answer(1)
    editor.send(method="exit")
    session.receive_method("exit")
    assert session_is_over(session)
    assert editor.ended() == 0


def test_exit_without_shutdown_is_an_error(editor, daemon):
    session = begin(editor, daemon)
    editor.send(method="exit")
    session.receive_method("exit")
    assert editor.ended() == 1


def test_a_shutdown_that_kills_the_daemon_is_a_shutdown(editor, daemon):
    session = begin(editor, daemon)
    editor.send(id=1, method="shutdown")
    session.receive_method("shutdown")
    session.die()
    assert editor.answer(1)["result"] is None
    editor.send(id=2, method="textDocument/hover", params={})
    assert editor.answer(2)["error"]["code"] == -32600
    editor.process.stdin.close()
    assert editor.ended() == 0


def test_the_end_of_standard_input_is_the_end(editor, daemon):
    session = begin(editor, daemon)
    editor.process.stdin.close()
    assert editor.ended() == 1
    assert session_is_over(session)


def test_an_editor_that_does_not_read_any_more_is_gone(editor, daemon):
    session = begin(editor, daemon)
    editor.process.stdout.close()
    session.send(method="codeintel/status", params={})
    assert editor.ended() == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("begun", [False, True])
def test_signals_end_it_at_once(editor, daemon, number, begun):
    if begun:
        begin(editor, daemon)
    else:
        editor.send(id=0, method="unknown")
        editor.answer(0)
    editor.process.send_signal(number)
    assert editor.ended() == -number
    assert b"Traceback" not in editor.process.communicate()[1]


@pytest.mark.parametrize("told", [True, False])
def test_an_editor_that_is_killed_leaves_no_forwarder(environment, daemon, told):
    # This test holds the other ends of the pipes: the forwarder must notice by itself.
    command = [sys.executable, "-c", FAKE_CONNECT, str(daemon.path), ""]
    parent = Pipe(environment, [sys.executable, "-c", PARENT, *command])
    assert parent.process.stderr is not None
    pid = int(parent.process.stderr.readline())
    session = begin(parent, daemon, processId=parent.process.pid if told else None)
    parent.process.kill()
    assert all_gone({pid})
    assert session_is_over(session)
    parent.close()


def test_an_editor_whose_daemon_hangs_can_end(editor, daemon):
    begin(editor, daemon)
    editor.send(id=1, method="textDocument/hover", params={})
    editor.process.stdin.close()
    assert editor.ended() == 1


def initialized(pipe: Pipe, folder=None) -> Pipe:
    pipe.send(
        id="i",
        method="initialize",
        params={"capabilities": {}, "rootUri": uri_from_path(folder) if folder else None},
    )
    assert "result" in pipe.answer("i")
    pipe.send(method="initialized", params={})
    return pipe


BODIES = [
    b"{",
    b"[]",
    b"\xff",
    b"",
    b"null",
    b'{"id":1,"method":"x"}',
    b'{"jsonrpc":"2.0","id":1.5,"method":"x"}',
    b'{"jsonrpc":"2.0","id":true,"method":"x"}',
    b'{"jsonrpc":"2.0","id":null,"method":"x"}',
    b'{"jsonrpc":"2.0","id":{},"method":"x"}',
    b'{"jsonrpc":"2.0","id":1,"method":7}',
    b'{"jsonrpc":"2.0","id":1,"method":""}',
    b'{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"x"}',
    b'{"jsonrpc":"2.0","id":2,"method":"textDocument/hover","params":NaN}',
    b'{"jsonrpc":"2.0","id":2,"method":"textDocument/hover","params":[{"textDocument":7}]}',
    b'{"jsonrpc":"2.0","id":2,"method":"shutdown","params":' + b"[" * 200 + b"]" * 200 + b"}",
    b'{"jsonrpc":"2.0","id":3,"method":"' + b"m" * 100_000 + b'"}',
    b'{"jsonrpc":"2.0","id":4,"method":"initialize","params":7}',
    b'{"jsonrpc":"2.0","id":"unasked","result":1}',
    b'{"jsonrpc":"2.0","id":[1],"result":1}',
    b'{"jsonrpc":"2.0","error":7}',
    b'{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":7}}',
    b'{"jsonrpc":"2.0","method":"textDocument/didChange","params":[1]}',
    b'{"jsonrpc":"2.0","method":"workspace/didChangeWorkspaceFolders","params":{"event":[]}}',
    b'{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":[]}}',
    b'{"jsonrpc":"2.0","method":"window/workDoneProgress/cancel","params":7}',
]
FRAMES = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"Content-Length: 999999999999\r\n\r\n",
    b"Content-Length: -1\r\n\r\n",
    b"x" * 10_000_000,
    b"\r\n",
]


def answers_to(pipe: Pipe, begun: bool) -> list[str]:
    """What a server answers to the bodies, each followed by a question that it must answer."""
    if begun:
        initialized(pipe)
    found: list[str] = []
    for number, body in enumerate(BODIES):
        pipe.write(body)
        pipe.send(id=f"end-{number}", method="unknown/method")
        while (message := pipe.read()).get("id") != f"end-{number}":
            found.append(str(message))
        found.append(str(message))
    # Requests are answered when they are served, which may be in another order.
    return sorted(one for one in found if "window/logMessage" not in one)


@pytest.mark.parametrize("begun", [False, True])
def test_hostile_messages_are_answered_as_the_server_answers_them(environment, begun):
    server = Pipe(environment)
    expected = answers_to(server, begun)
    server.close()
    # The server behind it is the very same, so that whatever differs is the forwarder's.
    pipe = forwarder(environment, problem=NO_DAEMON)
    found = answers_to(pipe, begun)
    pipe.close()
    assert found == expected


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("begun", [False, True])
def test_what_is_no_frame_ends_the_session_as_the_server_ends_it(environment, daemon, frame, begun):
    ends = []
    for pipe in (Pipe(environment), forwarder(environment, daemon.path)):
        if begun and not ends:
            initialized(pipe)
        elif begun:
            begin(pipe, daemon)
        assert pipe.process.stdin is not None
        with suppress(BrokenPipeError):  # it has read enough
            pipe.process.stdin.write(frame)
            pipe.process.stdin.flush()
        ends.append((pipe.answer(None), pipe.ended()))
        pipe.close()
    assert ends[0] == ends[1]


def test_without_a_daemon_it_serves_by_itself(environment, tmp_path):
    make_project(tmp_path / "project")
    # What lies in the editor's folder is nothing that may run.
    for module in ("click.py", "attrs.py", "asyncio.py"):
        (tmp_path / "project" / module).write_text("raise SystemExit('It was run.')\n")
    pipe = forwarder(environment, problem=NO_DAEMON, folder=tmp_path / "project")
    pipe.send(
        id=0,
        method="initialize",
        params={"capabilities": {}, "rootUri": uri_from_path(tmp_path / "project")},
    )
    told = pipe.read()
    assert told["method"] == "window/logMessage"
    assert NO_DAEMON in told["params"]["message"]
    assert "result" in pipe.answer(0)
    pipe.send(method="initialized", params={})
    pipe.send(id=1, method="codeintel/updateIndex")
    assert pipe.answer(1)["result"]["folders"][0]["state"] == "ready"
    (server,) = (pid for pid in descendants(pipe.process.pid) if parent_of(pid) == pipe.process.pid)
    uri = uri_from_path(tmp_path / "project/src/cache.py")
    document = {"uri": uri, "languageId": "python", "version": 1, "text": "def fresh(): ...\n"}
    pipe.send(method="textDocument/didOpen", params={"textDocument": document})
    os.kill(server, signal.SIGKILL)
    lines = {"uri": uri, "startLine": 0, "endLine": 0}
    blamed = None
    while blamed is None or "error" in blamed:
        pipe.send(id=2, method="codeintel/blameRange", params=lines)
        blamed = pipe.answer(2)
    assert blamed["result"]["hunks"][0]["commit"] is None
    family = descendants(pipe.process.pid)
    assert server not in family
    assert not is_running(server)
    pipe.process.kill()
    assert all_gone(family)
    pipe.close()


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
