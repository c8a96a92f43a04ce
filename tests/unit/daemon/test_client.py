"""What a client of the daemon does when its other side, or its own side, misbehaves."""

import socket
from collections.abc import Iterator
from threading import Thread

import orjson
import pytest

from codeintel_ls.daemon.client import DaemonClient, DaemonLostError

SECONDS = 10.0
LARGE = "x" * (16 << 20)
"""More than the buffers of a socket hold."""


@pytest.fixture
def sides() -> Iterator[tuple[DaemonClient, socket.socket]]:
    """A client, and the daemon's end of its connection."""
    ours, theirs = socket.socketpair()
    client = DaemonClient(ours)
    yield client, theirs
    theirs.close()
    client.close()


def say(daemon: socket.socket, message: object) -> None:
    body = orjson.dumps(message)
    daemon.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


def test_answers_are_read_while_a_long_message_is_still_on_its_way(sides):
    client, daemon = sides
    msg_id, answer = client.begin("indexStatus", {})

    def send() -> None:
        with pytest.raises(DaemonLostError):
            client.notify("codeintel/long", {"text": LARGE})

    # The daemon reads nothing more before its own answer has been taken.
    daemon.recv(1 << 16)
    sending = Thread(target=send)
    sending.start()
    assert daemon.recv(1), "it has begun to send"
    # Nor does a question, which would have to be answered behind it, hold up what follows.
    say(daemon, {"jsonrpc": "2.0", "id": "q", "method": "window/showMessageRequest"})
    say(daemon, {"jsonrpc": "2.0", "id": msg_id, "result": 7})
    assert answer.result(SECONDS) == 7
    daemon.close()
    sending.join(SECONDS)
    assert not sending.is_alive()


def test_a_report_that_fails_leaves_nobody_waiting(sides):
    client, daemon = sides

    def report(done: float, total: float | None, message: str) -> None:
        raise BrokenPipeError

    msg_id, reported = client.begin("updateIndex", {}, report)
    _, other = client.begin("indexStatus", {})
    token = f"report-{msg_id}"
    progress = {"token": token, "value": {"kind": "report", "percentage": 5}}
    say(daemon, {"jsonrpc": "2.0", "method": "$/progress", "params": progress})
    say(daemon, {"jsonrpc": "2.0", "id": msg_id, "result": 1})
    say(daemon, {"jsonrpc": "2.0", "id": msg_id + 1, "result": 2})
    assert (reported.result(SECONDS), other.result(SECONDS)) == (1, 2)


@pytest.mark.parametrize(
    "said",
    [
        [],
        7,
        {"jsonrpc": "2.0", "id": 1, "error": {}},
        {"jsonrpc": "2.0", "id": [], "result": 1},
        {"jsonrpc": "2.0", "id": "1", "result": 1},
    ],
)
def test_a_daemon_that_talks_nonsense_is_lost(sides, said):
    client, daemon = sides
    _, answer = client.begin("indexStatus", {})
    say(daemon, said)
    with pytest.raises(DaemonLostError):
        answer.result(SECONDS)
    with pytest.raises(DaemonLostError):
        client.begin("indexStatus", {})
