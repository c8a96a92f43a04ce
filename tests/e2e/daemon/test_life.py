"""How a daemon begins and ends, and what it lets in."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from codeintel_ls.daemon.client import DaemonLostError
from codeintel_ls.daemon.place import Note, Place, PlaceError, place_of, places
from codeintel_ls.daemon.starting import DaemonUnavailableError, ask_to_end, connect_or_start
from codeintel_ls.daemon.transport import dial
from codeintel_ls.server.uris import uri_from_path
from tests.e2e.daemon.conftest import BOTH, is_gone, opened, pid_of
from tests.e2e.editor import CONNECT
from tests.e2e.slow_git import is_running
from tests.waiting import until

PR_SET_CHILD_SUBREAPER = 36
COMMAND = [sys.executable, "-m", "codeintel_ls", "daemon"]


def said(folder: Path, line: bytes) -> dict:
    """What a daemon answers to a first line."""
    with dial(place_of(str(folder))) as connection:
        connection.sendall(line)
        return json.loads(connection.makefile("rb").readline())


def hello(**fields: object) -> bytes:
    greeting = {"codeintel": 1, "version": "0.0.1", "kind": "cli", "pid": 1, **fields}
    return json.dumps(greeting).encode() + b"\n"


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True)


@BOTH
def test_what_a_dead_daemon_left_is_no_obstacle(environment, folder):
    client = opened(folder)
    pid = pid_of(folder)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_running(pid))
    assert Path(place_of(str(folder)).door).exists()
    with pytest.raises(DaemonLostError):
        client.operation("indexStatus", {})
    again = opened(folder)
    assert again.operation("indexStatus", {})["folders"]
    assert pid_of(folder) != pid
    again.close()


@BOTH
def test_another_version_gets_a_daemon_of_its_own(environment, folder):
    client = opened(folder)
    place, pid = place_of(str(folder)), pid_of(folder)
    assert said(folder, hello())["reason"] == "version"
    # The name is free for another; who is there is served on.
    newer = opened(folder)
    assert pid_of(folder) != pid
    assert client.operation("indexStatus", {})["folders"]
    client.close()
    until(lambda: not is_running(pid))
    note = place.note()
    assert note is not None
    assert newer.operation("indexStatus", {})["folders"]
    newer.close()


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\n",
        b"\n",
        b"[]\n",
        hello(kind="friend"),
        hello(codeintel=2),
        hello(pid="1"),
        b"\xff" * 100 + b"\n",
    ],
)
def test_who_says_something_else_is_told_so(environment, folder, line):
    client = opened(folder)
    assert said(folder, line) == {
        "accepted": False,
        "reason": "malformed",
        "version": said(folder, b"\n")["version"],
    }
    assert client.operation("indexStatus", {})["folders"]
    client.close()


def test_a_hostile_stream_ends_its_own_session_alone(environment, folder):
    client = opened(folder)
    client.operation("updateIndex", {})
    for hostile in (
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 99999999999\r\n\r\n",
        b"Nothing: here\r\n\r\n{}",
        b"x" * 100_000,
        b"Content-Length: 3\r\n\r\n{{{",
        b'Content-Length: 17\r\n\r\n{"jsonrpc":"2.0"}',
        os.urandom(50_000),
    ):
        with connect_or_start(str(folder), "editor") as connection:
            connection.settimeout(30)
            connection.sendall(hostile)
            connection.shutdown(socket.SHUT_WR)
            # It answers with an error or not at all, and closes.
            while connection.recv(4096):
                pass
    early = connect_or_start(str(folder), "editor")
    body = b'{"jsonrpc":"2.0","id":1,"method":"codeintel/indexStatus"}'
    early.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    assert b"-32002" in early.recv(4096)
    early.close()
    assert client.operation("semanticSearch", {"query": "expired"})["hits"]
    client.close()


@BOTH
def test_ten_editors_killed_in_a_row_leave_nothing(environment, folder):
    place = place_of(str(folder))
    uri = uri_from_path(folder)
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {"processId": None, "rootUri": uri, "capabilities": {}},
        }
    ).encode()
    pids = set()
    for _ in range(10):
        editor = subprocess.Popen(CONNECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert editor.stdin is not None
        assert editor.stdout is not None
        editor.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        editor.stdin.flush()
        assert editor.stdout.readline().startswith(b"Content-Length")
        pids.add(pid_of(folder))
        editor.kill()
        editor.wait()
    (pid,) = pids
    children = psutil.Process(pid).children(recursive=True)
    until(lambda: is_gone(place, pid))
    until(lambda: not any(child.is_running() for child in children))


@BOTH
def test_a_signal_ends_it_with_all_that_it_began(environment, folder):
    client = opened(folder)
    place, pid = place_of(str(folder)), pid_of(folder)
    client.operation("updateIndex", {})
    children = psutil.Process(pid).children(recursive=True)
    _, answer = client.begin("rebuildIndex", {})
    os.kill(pid, signal.SIGTERM)
    until(lambda: is_gone(place, pid))
    until(lambda: not any(child.is_running() for child in children))
    # It has not itself given it up.
    with pytest.raises(DaemonLostError):
        answer.result(30)
    with pytest.raises(DaemonLostError):
        client.operation("indexStatus", {})


@BOTH
def test_one_that_is_asked_to_end_ends_with_every_session(environment, folder):
    client = opened(folder)
    place, pid = place_of(str(folder)), pid_of(folder)
    assert ask_to_end(place)
    until(lambda: is_gone(place, pid))
    with pytest.raises(DaemonLostError):
        client.operation("indexStatus", {})
    assert not ask_to_end(place)
    client.close()


@BOTH
def test_one_whose_door_was_removed_leaves_no_note(environment, folder):
    client = opened(folder)
    place, pid = place_of(str(folder)), pid_of(folder)
    Path(place.door).unlink()
    os.kill(pid, signal.SIGTERM)
    until(lambda: is_gone(place, pid))
    client.close()


def test_one_whose_starter_has_gone_ends_when_it_was_idle(environment, folder):
    place = place_of(str(folder))
    place.make()
    told, tell = os.pipe()
    os.close(told)
    subprocess.run([*COMMAND, "run", "--", str(folder)], stdout=tell, check=True)
    os.close(tell)
    until(lambda: place.note() is not None)
    pid = pid_of(folder)
    until(lambda: is_gone(place, pid))


def test_what_cannot_start_says_why(environment, folder, monkeypatch):
    # Its standard library cannot be found.
    monkeypatch.setenv("PYTHONHOME", str(folder))
    with pytest.raises(DaemonUnavailableError, match="could not be started"):
        connect_or_start(str(folder), "cli")


@BOTH
def test_list_stop_and_logs(environment, folder):
    assert command("list").returncode == 1
    client = opened(folder)
    secret = "def never_in_a_log(): return 'w0rd'"
    item = {"uri": "file:///x.py", "languageId": "python", "version": 1, "text": secret}
    client.notify("textDocument/didOpen", {"textDocument": item})
    client.notify("textDocument/didChange", {"textDocument": secret, "contentChanges": secret})
    client.operation("updateIndex", {})
    (listed,) = json.loads(command("list", "--json").stdout)["daemons"]
    assert (listed["pid"], listed["folder"]) == (pid_of(folder), str(folder))
    assert listed["clients"] == 1
    with connect_or_start(str(folder), "editor"):
        assert "2 clients" in command("list").stdout
    assert str(folder) in command("list").stdout
    stopped = command("stop", str(folder))
    assert (stopped.returncode, f"Stopped {listed['pid']}" in stopped.stderr) == (0, True)
    assert not is_running(listed["pid"])
    assert command("stop", "--all").returncode == 1
    log = command("logs", str(folder))
    assert "Serving app." in log.stdout
    path = Path(command("logs", "--path", str(folder)).stdout.strip())
    assert path.stat().st_mode & 0o077 == 0
    for word in ("never_in_a_log", "w0rd", "evict_expired"):
        assert word not in path.read_text()
    assert command("logs", str(folder / "src")).returncode == 1
    client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_one_that_nobody_waits_for_is_stopped_all_the_same(environment, folder):
    # As in a container whose first process waits for no child that it inherits.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        client = opened(folder)
    finally:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    pid = pid_of(folder)
    assert psutil.Process(pid).ppid() == os.getpid()
    assert command("stop", str(folder)).returncode == 0
    assert os.waitpid(pid, os.WNOHANG)[0] == pid
    client.close()


def test_nothing_of_other_users_is_trusted(environment, folder, tmp_path):
    place = place_of(str(folder), {**environment, "XDG_RUNTIME_DIR": str(tmp_path / "none")})
    assert place.directory.startswith("/tmp/")
    runtime = Path(environment["XDG_RUNTIME_DIR"])
    client = opened(folder)
    for path in (runtime / "codeintel-ls", Path(place_of(str(folder)).directory)):
        assert path.stat().st_mode & 0o077 == 0
    assert Path(place_of(str(folder)).door).stat().st_mode & 0o077 == 0
    client.close()
    elsewhere = tmp_path / "open"
    elsewhere.mkdir()
    (elsewhere / "codeintel-ls").mkdir(mode=0o755)
    (elsewhere / "codeintel-ls").chmod(0o755)
    # What others may write to is passed over.
    fallen_back = place_of(str(folder), {**environment, "XDG_RUNTIME_DIR": str(elsewhere)})
    assert not fallen_back.directory.startswith(str(elsewhere))
    with pytest.raises(PlaceError, match="open to other users"):
        Place(str(elsewhere / "codeintel-ls"), str(folder)).make()
    (tmp_path / "link").symlink_to(runtime)
    with pytest.raises(PlaceError):
        Place(str(tmp_path / "link"), str(folder)).make()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_another_user_is_not_let_in(environment, folder):
    client = opened(folder)
    place = place_of(str(folder))
    # Were the folder and the socket open to all, the peer's user would still be asked for.
    for path in (Path(environment["XDG_RUNTIME_DIR"]), *Path(place.door).parents[:2]):
        path.chmod(0o755)
    Path(place.door).chmod(0o777)
    ask = """
import os, socket, sys
os.setuid(65534)
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
try:
    connection.sendall(sys.argv[2].encode())
    answer = connection.recv(100)
except ConnectionError:
    answer = b""
print(repr(answer))
"""
    said = hello(version="any").decode()
    asked = [sys.executable, "-c", ask, place.door, said]
    assert subprocess.run(asked, capture_output=True, text=True).stdout == "b''\n"
    assert client.operation("indexStatus", {})["folders"]
    client.close()


def test_a_note_is_read_as_it_was_written(environment, folder):
    place = place_of(str(folder))
    place.make()
    note = Note(os.getpid(), "1.0", str(folder), 12.5)
    place.write_note(note)
    assert place.note() == note
    assert [found.key for found in places()] == [place.key]
    Path(place.note_file).write_text('{"pid": "x"}')
    assert place.note() is None
    Path(place.note_file).unlink()


def test_other_homes_have_other_places(folder):
    known = {
        place_of(str(folder), {"XDG_RUNTIME_DIR": "/run", "XDG_CACHE_HOME": cache}).key
        for cache in ("/a", "/b", "")
    }
    assert len(known) == 3
    same = {place_of(str(one), {}).key for one in (folder, folder / ".", folder / "src/..")}
    assert len(same) == 1
