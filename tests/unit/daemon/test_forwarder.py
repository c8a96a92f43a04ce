"""The forwarder between two outlets, while there is no daemon: the rest is told end to end."""

import json
from typing import Any

import pytest

from codeintel_ls.daemon import connect_waiting
from codeintel_ls.daemon.connect_frames import FrameReader
from codeintel_ls.daemon.connect_outlet import Outlet
from codeintel_ls.daemon.forwarder import BrokenDaemonError, Forwarder

RETRY = -32801


class Side:
    """What one side was sent."""

    def __init__(self) -> None:
        self._written = bytearray()
        self.outlet = Outlet("test", self._write, lambda: None)

    def _write(self, data: memoryview) -> int:
        self._written += data
        return len(data)

    def messages(self) -> list[dict[str, Any]]:
        self.outlet.drain(10.0)
        written = bytes(self._written)
        self._written.clear()
        pieces = iter([written])
        reader = FrameReader(lambda _: next(pieces, b""))
        found: list[dict[str, Any]] = []
        while (body := reader.next()) is not None:
            found.append(json.loads(body))
        return found


@pytest.fixture
def editor():
    side = Side()
    yield side
    side.outlet.close()


@pytest.fixture
def daemon():
    side = Side()
    yield side
    side.outlet.close()


def body(**fields: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **fields}).encode()


@pytest.fixture
def forwarder(editor):
    forwarder = Forwarder(editor.outlet, lambda params: None)
    forwarder.from_editor(body(id=0, method="initialize", params={}))
    return forwarder


def test_what_waits_is_bounded_and_the_rest_is_to_be_asked_again(forwarder, editor, daemon):
    most = connect_waiting.MOST_MESSAGES
    for number in range(most + 2):
        forwarder.from_editor(body(id=number, method="textDocument/hover"))
    refused = {message["id"]: message["error"]["code"] for message in editor.messages()}
    assert refused == {most: RETRY, most + 1: RETRY}
    assert forwarder.connected(daemon.outlet)
    first, *rest = daemon.messages()
    assert first["method"] == "initialize"
    assert [message["id"] for message in rest] == list(range(most))


def test_what_waits_is_bounded_in_bytes_too(forwarder, editor):
    large = "x" * (connect_waiting.MOST_BYTES // 4)
    for number in range(4):
        forwarder.from_editor(body(id=number, method="unknown", params=large))
        forwarder.from_editor(body(method="unknown", params=large))
    assert [message["id"] for message in editor.messages()] == [2, 3]


def test_a_session_that_has_ended_meanwhile_needs_no_daemon(forwarder, editor, daemon):
    forwarder.from_editor(body(id=1, method="textDocument/hover"))
    forwarder.from_editor(body(id=2, method="shutdown"))
    asked_first, waited, ended = editor.messages()
    assert (asked_first["id"], asked_first["error"]["code"]) == (0, RETRY)
    assert (waited["id"], waited["error"]["code"]) == (1, RETRY)
    assert (ended["id"], ended["result"]) == (2, None)
    assert not forwarder.connected(daemon.outlet)
    assert daemon.messages() == []
    assert not forwarder.lost()


def test_every_request_is_answered_once_when_it_was_asked_twice(forwarder, editor, daemon):
    forwarder.connected(daemon.outlet)
    for _ in range(2):
        forwarder.from_editor(body(id=1, method="textDocument/hover"))
    forwarder.from_daemon(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":""}}')
    assert forwarder.lost()
    codes = [message["error"]["code"] for message in editor.messages()]
    assert codes == [-32600, RETRY]


def test_an_initialize_that_was_refused_may_be_tried_again(forwarder, editor, daemon):
    forwarder.connected(daemon.outlet)
    forwarder.from_daemon(body(id=0, error={"code": -32602, "message": "no"}))
    forwarder.from_editor(body(id=1, method="initialize", params={"capabilities": {}}))
    assert [message["id"] for message in daemon.messages()] == [0, 1]
    assert [message["id"] for message in editor.messages()] == [0]
    forwarder.lost()
    forwarder.connected(daemon.outlet)
    assert [message["id"] for message in daemon.messages()] == [1]


def test_a_daemon_that_refuses_the_session_of_another_is_broken(forwarder, editor, daemon):
    forwarder.connected(daemon.outlet)
    forwarder.from_daemon(body(id=0, result={}))
    forwarder.lost()
    forwarder.connected(daemon.outlet)
    again = daemon.messages()[-1]["id"]
    with pytest.raises(BrokenDaemonError):
        forwarder.from_daemon(body(id=again, error={"code": -32603, "message": "no"}))


@pytest.mark.parametrize(
    "said", [b"{", b"[]", body(id=1, method="window/workDoneProgress/create", params=7)]
)
def test_a_daemon_that_says_what_none_would_say_is_broken(forwarder, daemon, said):
    forwarder.connected(daemon.outlet)
    with pytest.raises(BrokenDaemonError):
        forwarder.from_daemon(said)
