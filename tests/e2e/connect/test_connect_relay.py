"""`connect` between an editor and a daemon that lives: what goes in comes out at the other end."""

import json
import threading
from pathlib import Path

import psutil
import pytest

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.connect.fake_daemon import begin

MANY = 10_000
MEBIBYTE = 1024 * 1024


ODD = [
    b'{ "id" : 0,\n"params":{"initializationOptions":{"b":1.0,"a":[1e3,null,"\\ud800"],"a":2},'
    b'"capabilities":{},"processId":null},"method":"initialize" , "jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","method":"initialized","params":{"é":"漢"}}'.encode(),
    b'{"jsonrpc":"2.0","method":"textDocument/didSave","params":[]}',
    b'{"params":{"x":12345678901234567890123},"jsonrpc":"2.0","id":"seven","method":"unknown/one"}',
    b'{"jsonrpc":"2.0","id":-1,"method":"textDocument/hover","params":7}',
]
ODD_ANSWERS = [
    b'{"result": {"capabilities":{}}, "id":0,"jsonrpc":"2.0"}',
    b'{"jsonrpc":"2.0","id":"seven","result":{"1.0":1.0,"a":1,"a":2}}',
    b'{"jsonrpc":"2.0","error":{"code":-32601,"message":"\\u00e9"},"id":-1}',
    b'{"jsonrpc":"2.0","method":"$/progress","params":{"token":1,"value":{"hunks":[ ]}}}',
    b'{"jsonrpc":"2.0","id":"codeintel-1","method":"workspace/configuration","params":{ }}',
    b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":""}}',
]


def test_bytes_pass_unchanged_both_ways(editor, daemon):
    for body in ODD:
        editor.write(body)
    session = daemon.session()
    assert [session.read() for _ in ODD] == ODD
    for body in ODD_ANSWERS:
        session.write(body)
    for body in ODD_ANSWERS:
        header = editor.process.stdout.readline()
        assert editor.process.stdout.readline() == b"\r\n"
        assert editor.process.stdout.read(int(header.split()[1])) == body
    answer = b'{ "jsonrpc":"2.0", "id":"codeintel-1","result":[ null ]}'
    editor.write(answer)
    assert session.read() == answer


@pytest.mark.parametrize(
    ("params", "folder"),
    [
        ({"workspaceFolders": [{"uri": "untitled:x"}, {"uri": "file:///a%20b"}]}, "/a b"),
        ({"workspaceFolders": None, "rootUri": "file:///root/../there"}, "/there"),
        ({"rootUri": None, "rootPath": "/root"}, "/root"),
        ({"workspaceFolders": [], "rootPath": "relative"}, None),
        ({"workspaceFolders": 7, "rootUri": ["x"], "rootPath": "/\0"}, None),
        ([], None),
    ],
)
def test_the_workspace_is_the_editors_first_folder(editor, daemon, params, folder):
    editor.send(id=0, method="initialize", params=params)
    assert daemon.session().folder == (folder or str(Path.cwd()))


def test_ten_thousand_messages_each_way_keep_their_order(editor, daemon):
    session = begin(editor, daemon)

    def from_the_editor() -> None:
        for number in range(MANY):
            editor.send(method="unknown/small", params={"number": number})

    def from_the_daemon() -> None:
        for number in range(MANY):
            session.send(method="codeintel/status", params={"number": number})

    received: list[int] = []

    def to_the_daemon() -> None:
        received.extend(session.receive()["params"]["number"] for _ in range(MANY))

    works = (from_the_editor, from_the_daemon, to_the_daemon)
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    assert [editor.read()["params"]["number"] for _ in range(MANY)] == list(range(MANY))
    for thread in threads:
        thread.join()
    assert received == list(range(MANY))


def test_a_daemon_that_does_not_read_makes_the_editor_wait_and_is_heard(editor, daemon):
    session = begin(editor, daemon)
    body = json.dumps(
        {"jsonrpc": "2.0", "method": "unknown/large", "params": {"text": "x" * MEBIBYTE}}
    ).encode()
    wanted, sent = 64, threading.Semaphore(0)

    def pour() -> None:
        for _ in range(wanted):
            editor.write(body)
            sent.release()

    pouring = threading.Thread(target=pour)
    pouring.start()
    through = 0
    while sent.acquire(timeout=1.0):
        through += 1
    assert through < 16, "nothing held the editor up"
    session.send(method="codeintel/status", params={"heard": True})
    assert editor.read()["params"] == {"heard": True}
    assert psutil.Process(editor.process.pid).memory_info().rss < 100 * MEBIBYTE
    assert all(session.read() == body for _ in range(wanted))
    pouring.join()


def test_an_editor_that_does_not_read_makes_the_daemon_wait_and_is_heard(editor, daemon):
    session = begin(editor, daemon)
    answer = {"number": 0, "text": "x" * MEBIBYTE}
    wanted, sent = 64, threading.Semaphore(0)

    def pour() -> None:
        for _ in range(wanted):
            session.send(method="unknown/large", params=answer)
            sent.release()

    pouring = threading.Thread(target=pour)
    pouring.start()
    through = 0
    while sent.acquire(timeout=1.0):
        through += 1
    assert through < 16, "nothing held the daemon up"
    editor.send(method="textDocument/didSave", params={})
    session.receive_method("textDocument/didSave")
    assert psutil.Process(editor.process.pid).memory_info().rss < 100 * MEBIBYTE
    assert all(editor.read()["params"] == answer for _ in range(wanted))
    pouring.join()


def test_typing_without_end_leaves_memory_flat(editor, daemon, tmp_path):
    session = begin(editor, daemon)
    uri = uri_from_path(tmp_path / "a.py")
    document = {"uri": uri, "languageId": "python", "version": 1, "text": "value = 1\n" * 50}
    start = {"line": 0, "character": 0}
    end = {"line": 0, "character": 1}
    edits = [{"range": {"start": start, "end": start}, "text": "x"}]
    undo = [{"range": {"start": start, "end": end}, "text": ""}]

    def read_all() -> None:
        while session.read() is not None:
            pass

    threading.Thread(target=read_all, daemon=True).start()

    def type_and_ask(rounds: int) -> int:
        for version in range(rounds):
            editor.send(method="textDocument/didOpen", params={"textDocument": document})
            for changes in (edits, undo):
                named = {"uri": uri, "version": version}
                params = {"textDocument": named, "contentChanges": changes}
                editor.send(method="textDocument/didChange", params=params)
            editor.send(method="$/cancelRequest", params={"id": f"never-{version}"})
            editor.send(id=version, method="textDocument/hover", params={})
            session.send(id=version, result=None)
            session.send(id=f"codeintel-{version}", method="workspace/configuration", params={})
            editor.answer(version)
            editor.send(id=f"codeintel-{version}", result=[])
        return psutil.Process(editor.process.pid).memory_info().rss

    before = type_and_ask(1_000)
    assert type_and_ask(4_000) - before < MEBIBYTE
