"""A daemon at a port: what its file says when it has ended, and who never learns its token."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from codeintel_ls.daemon import loopback
from codeintel_ls.daemon.place import Place, place_of
from tests.e2e.daemon.conftest import opened, pid_of
from tests.e2e.slow_git import is_running
from tests.waiting import until

COMMAND = [sys.executable, "-m", "codeintel_ls"]


@pytest.fixture
def transport() -> str:
    return "loopback"


def left_by_a_dead_daemon(folder: Path, **since: int) -> Place:
    """Its place; `since` is what has changed in what its file says."""
    client = opened(folder)
    place, pid = place_of(str(folder)), pid_of(folder)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not is_running(pid))
    client.close()
    door = Path(place.door)
    door.write_text(json.dumps({**json.loads(door.read_text()), **since}))
    return place


def test_a_port_that_is_somebody_elses_by_now_is_left_alone(environment, folder):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        # Not its own id, which is taken for as long as nobody has waited for it.
        place = left_by_a_dead_daemon(folder, port=port, pid=ended.pid)
        stale = loopback.read(place)
        # It would keep whoever asks it waiting.
        stranger.settimeout(0.0)
        client = opened(folder)
        with pytest.raises(BlockingIOError):
            stranger.accept()
    address = loopback.read(place)
    assert address.token != stale.token
    assert address.pid == pid_of(folder)
    assert client.operation("indexStatus", {})["folders"]
    client.close()


def test_a_stranger_with_port_and_id_of_the_dead_one_holds_nobody_up(environment, folder):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        stale = loopback.read(left_by_a_dead_daemon(folder, port=port, pid=os.getpid()))
        refusing = subprocess.Popen(
            [sys.executable, "-c", REFUSE, str(stranger.fileno())],
            pass_fds=(stranger.fileno(),),
            stdout=subprocess.PIPE,
        )
        client = opened(folder)
        refusing.kill()
        heard, _ = refusing.communicate()
    assert heard
    assert stale.token not in heard
    assert loopback.read(place_of(str(folder))).pid == pid_of(folder)
    client.close()


REFUSE = """
import os, socket, sys
listening = socket.socket(fileno=int(sys.argv[1]))
while True:
    connection, _ = listening.accept()
    os.write(1, connection.recv(4096))
    connection.close()
"""


def test_the_token_is_nowhere_but_in_its_file(environment, folder):
    client = opened(folder)
    token = loopback.read(place_of(str(folder))).token
    with socket.create_connection(("127.0.0.1", loopback.read(place_of(str(folder))).port)) as one:
        one.sendall(b"n" * 64)
        one.recv(64)
        assert one.recv(64) == b"", "it has been refused"
    client.operation("updateIndex", {})
    said = b""
    for words in (
        ["daemon", "list", "--json"],
        ["daemon", "list"],
        ["daemon", "logs", str(folder)],
        ["doctor", "--json"],
        ["status", "--verbose"],
    ):
        done = subprocess.run([*COMMAND, *words], cwd=folder, capture_output=True)
        said += done.stdout + done.stderr
    assert b"was not let in" in said
    daemon = Path(f"/proc/{pid_of(folder)}")
    if daemon.exists():
        said += (daemon / "cmdline").read_bytes() + (daemon / "environ").read_bytes()
    for secret in (token, token.hex().encode(), repr(token)[2:-1].encode()):
        assert secret not in said
    client.close()
