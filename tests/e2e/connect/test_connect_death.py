"""`connect` when a daemon dies: the editor's session goes on with another one."""

import pytest

from tests.e2e.connect.fake_daemon import begin

RETRY = -32801
FAILED = -32803
LOG = "window/logMessage"


def read_past_the_log(editor):
    while (message := editor.read()).get("method") == LOG:
        pass
    return message


def place(line, character):
    return {"line": line, "character": character}


def did_change(editor, uri, version, *changes):
    editor.send(
        method="textDocument/didChange",
        params={
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [
                {"range": {"start": place(*start), "end": place(*end)}, "text": text}
                for start, end, text in changes
            ],
        },
    )


def did_open(editor, uri, text):
    item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
    editor.send(method="textDocument/didOpen", params={"textDocument": item})


def test_what_was_under_way_is_answered_with_what_clients_retry(editor, daemon):
    session = begin(editor, daemon)
    for msg_id in (1, "1", "two"):
        editor.send(id=msg_id, method="textDocument/hover", params={})
        session.receive_method("textDocument/hover")
    session.send(id="two", result=None)
    session.die()
    assert editor.answer("two")["result"] is None
    for msg_id in (1, "1"):
        error = editor.answer(msg_id)["error"]
        assert (error["code"], "Ask again" in error["message"]) == (RETRY, True)
    second = daemon.session()
    second.initialize()
    second.receive_method("initialized")
    editor.send(id=1, method="textDocument/hover", params={})
    second.send(id=second.receive_method("textDocument/hover")["id"], result="again")
    assert editor.answer(1)["result"] == "again"


def test_an_answer_cut_off_in_the_middle_is_no_answer(editor, daemon):
    session = begin(editor, daemon)
    editor.send(id=1, method="textDocument/hover", params={})
    session.receive_method("textDocument/hover")
    session.connection.sendall(b'Content-Length: 200\r\n\r\n{"jsonrpc":"2.0","id":1,"result":')
    session.die()
    assert editor.answer(1)["error"]["code"] == RETRY


@pytest.mark.parametrize("noise", [b"HTTP/1.1 400\r\n\r\n", b'Content-Length: 2\r\n\r\n{"'])
def test_a_daemon_that_talks_nonsense_is_replaced(editor, daemon, noise):
    session = begin(editor, daemon)
    session.connection.sendall(noise)
    daemon.session().receive_method("initialize")


@pytest.mark.parametrize(
    ("encoding", "moved"), [("utf-16", 3), ("utf-8", 6), ("utf-32", 2), (None, 3)]
)
def test_a_new_daemon_is_told_of_the_session_as_it_is_now(editor, daemon, encoding, moved):
    options = {"search": {"limit": 3.0}, "other": [None, "\ud800", 10**30]}
    folders = [{"uri": "file:///one", "name": "one"}, {"uri": "file:///two", "name": "two"}]
    first = {
        "processId": None,
        "capabilities": {"general": {"positionEncodings": ["utf-32"]}},
        "initializationOptions": options,
        "workspaceFolders": folders,
        "rootUri": "file:///one",
    }
    editor.send(id=0, method="initialize", params=first)
    session = daemon.session()
    msg_id = session.receive_method("initialize")["id"]
    found = {"capabilities": {"positionEncoding": encoding} if encoding else {}}
    session.send(id=msg_id, result=found)
    editor.answer(0)
    editor.send(method="initialized", params={})
    editor.send(method="$/setTrace", params={"value": "messages"})
    editor.send(method="$/setTrace", params={"value": "verbose"})
    for limit in (1, 2):
        settings = {"settings": {"codeintel": {"search": {"limit": limit}}}}
        editor.send(method="workspace/didChangeConfiguration", params=settings)
    did_open(editor, "file:///one/a%20b.py", "é😀=1\r\nsecond\n")
    did_open(editor, "file:///one/gone.py", "gone")
    did_change(editor, "file:///one/%61 b.py", 2, ((0, moved), (0, moved), "!"))
    did_change(editor, "file:///one/a b.py", 7, ((0, 0), (0, 0), "x"), ((1, 0), (9, 0), "end"))
    # What the server refuses whole must change nothing here.
    did_change(editor, "file:///one/a b.py", 8, ((0, 0), (0, 0), "y"), ((-1, 0), (0, 0), "z"))
    editor.send(
        method="textDocument/didClose", params={"textDocument": {"uri": "file:///one/gone.py"}}
    )
    event = {"added": [{"uri": "file:///3", "name": "3"}], "removed": [folders[0]]}
    editor.send(method="workspace/didChangeWorkspaceFolders", params={"event": event})
    editor.send(id=5, method="last", params={})
    while session.receive().get("method") != "last":
        pass
    session.die()
    assert editor.answer(5)["error"]["code"] == RETRY
    second = daemon.session()
    assert second.folder == "/one"
    again = second.receive_method("initialize")
    now = [folders[1], {"uri": "file:///3", "name": "3"}]
    assert again["params"] == {**first, "workspaceFolders": now}
    assert again["id"] != 0
    second.receive_method("initialized")
    assert second.receive_method("$/setTrace")["params"] == {"value": "verbose"}
    assert second.receive_method("workspace/didChangeConfiguration")["params"] == settings
    item = second.receive_method("textDocument/didOpen")["params"]["textDocument"]
    assert (item["version"], item["languageId"]) == (7, "python")
    assert item["text"] == "xé😀!=1\r\nend"
    second.send(id=again["id"], result={"capabilities": {}})
    editor.send(id=6, method="textDocument/hover", params={})
    second.send(id=second.receive_method("textDocument/hover")["id"], result=1)
    assert read_past_the_log(editor) == {"jsonrpc": "2.0", "id": 6, "result": 1}


def test_what_is_asked_and_typed_meanwhile_waits_for_the_new_daemon(editor, daemon):
    session = begin(editor, daemon)
    for _ in range(2):
        # The second restart comes after a pause.
        session.die()
        assert editor.read()["method"] == LOG
        session = daemon.session()
        session.receive_method("initialize")
        session.receive_method("initialized")
    session.die()
    assert editor.read()["method"] == LOG
    did_open(editor, "file:///a", "one")
    editor.send(id=1, method="textDocument/hover", params={})
    editor.send(method="$/cancelRequest", params={"id": 1})
    did_change(editor, "file:///a", 2, ((0, 3), (0, 3), " two"))
    editor.send(method="textDocument/didSave", params={})
    last = daemon.session()
    last.receive_method("initialize")
    last.receive_method("initialized")
    opened = [last.receive() for _ in range(4)]
    methods = [message["method"] for message in opened]
    assert methods == [
        "textDocument/didOpen",
        "textDocument/hover",
        "$/cancelRequest",
        "textDocument/didSave",
    ]
    assert opened[0]["params"]["textDocument"]["text"] == "one two"
    last.send(id=1, error={"code": -32800, "message": "cancelled"})
    assert editor.answer(1)["error"]["code"] == -32800


def test_initialize_itself_is_asked_again(editor, daemon):
    editor.send(id="first", method="initialize", params={"capabilities": {}})
    session = daemon.session()
    session.receive_method("initialize")
    session.die()
    second = daemon.session()
    assert second.initialize()["id"] == "first"
    assert editor.answer("first")["result"]["capabilities"]


def test_ids_of_another_daemon_do_not_collide_and_late_answers_are_dropped(editor, daemon):
    session = begin(editor, daemon)
    session.send(id="codeintel-1", method="workspace/configuration", params={"items": [1]})
    late = editor.read()
    session.die()
    second = daemon.session()
    second.receive_method("initialize")
    second.receive_method("initialized")
    for msg_id in ("codeintel-1", 7):
        second.send(id=msg_id, method="workspace/configuration", params={"items": [2]})
    asked = [read_past_the_log(editor), read_past_the_log(editor)]
    ids = [late["id"], *(message["id"] for message in asked)]
    assert len(set(map(str, ids))) == 3
    for msg_id, value in zip(ids, ("late", "new", "seven"), strict=True):
        editor.send(id=msg_id, result=value)
    editor.send(id=ids[1], result="twice")
    assert [second.receive(), second.receive()] == [
        {"jsonrpc": "2.0", "id": "codeintel-1", "result": "new"},
        {"jsonrpc": "2.0", "id": 7, "result": "seven"},
    ]
    second.send(method="$/cancelRequest", params={"id": "codeintel-9"})
    assert editor.read()["params"]["id"] not in {"codeintel-9", "codeintel-1"}


def test_bars_end_with_their_daemon_and_the_next_has_its_own(editor, daemon):
    session = begin(editor, daemon)
    for number, words in ((1, ("begin", "report")), (2, ()), (3, ("begin", "end"))):
        token = f"codeintel-progress-{number}"
        create = "window/workDoneProgress/create"
        session.send(id=f"c-{number}", method=create, params={"token": token})
        assert editor.read()["params"] == {"token": token}
        editor.send(id=f"c-{number}", result=None)
        for kind in words:
            value = {"kind": kind, "title": ""}
            session.send(method="$/progress", params={"token": token, "value": value})
            assert editor.read()["params"] == {"token": token, "value": value}
    session.send(method="$/progress", params={"token": 8, "value": {"kind": "begin"}})
    editor.read()
    for _ in range(3):
        session.receive()
    session.die()
    ended = [editor.read() for _ in range(3)]
    assert [message["params"] for message in ended] == [
        {"token": token, "value": {"kind": "end"}}
        for token in ("codeintel-progress-1", "codeintel-progress-2", 8)
    ]
    second = daemon.session()
    second.receive_method("initialize")
    second.receive_method("initialized")
    token = "codeintel-progress-1"
    second.send(id="c-1", method="window/workDoneProgress/create", params={"token": token})
    asked = read_past_the_log(editor)
    own = asked["params"]["token"]
    assert own not in {"codeintel-progress-1", "codeintel-progress-2"}
    editor.send(id=asked["id"], result=None)
    assert second.receive() == {"jsonrpc": "2.0", "id": "c-1", "result": None}
    second.send(method="$/progress", params={"token": token, "value": {"kind": "begin"}})
    assert editor.read()["params"]["token"] == own
    editor.send(method="window/workDoneProgress/cancel", params={"token": own})
    stop = second.receive_method("window/workDoneProgress/cancel")
    assert stop["params"] == {"token": token}
    second.send(method="$/progress", params={"token": token, "value": {"kind": "end"}})
    assert editor.read()["params"] == {"token": own, "value": {"kind": "end"}}


def test_capabilities_are_registered_once(editor, daemon):
    def registration(name, **options):
        return {"id": name, "method": f"workspace/{name}", "registerOptions": options}

    session = begin(editor, daemon)
    first = [registration("kept"), registration("other", globs=1), registration("refused")]
    late = registration("late")
    for msg_id, one in enumerate([*first, late]):
        session.send(id=msg_id, method="client/registerCapability", params={"registrations": [one]})
        assert editor.read()["params"] == {"registrations": [one]}
    for msg_id in (0, 1):
        editor.send(id=msg_id, result=None)
        session.receive()
    session.die()
    # The editor refuses one when its daemon is gone already.
    editor.send(id=2, error={"code": -1, "message": "no"})
    second = daemon.session()
    second.receive_method("initialize")
    second.receive_method("initialized")
    # And it takes one when another daemon is there, which never asked.
    editor.send(id=3, result=None)
    known = [first[0], late]
    second.send(id="a", method="client/registerCapability", params={"registrations": known})
    assert second.receive() == {"jsonrpc": "2.0", "id": "a", "result": None}
    again = [first[0], registration("other", globs=2), first[2]]
    second.send(id="b", method="client/registerCapability", params={"registrations": again})
    taken_back = read_past_the_log(editor)
    assert taken_back["method"] == "client/unregisterCapability"
    assert taken_back["params"] == {
        "unregisterations": [{"id": "other", "method": "workspace/other"}]
    }
    editor.send(id=taken_back["id"], result=None)
    asked = editor.read()
    assert asked["params"] == {"registrations": again[1:]}
    editor.send(id=asked["id"], result=None)
    assert second.receive() == {"jsonrpc": "2.0", "id": "b", "result": None}
    gone = {"unregisterations": [{"id": "kept", "method": "workspace/kept"}]}
    second.send(id="c", method="client/unregisterCapability", params=gone)
    assert editor.read()["params"] == gone
    second.send(id="d", method="client/registerCapability", params={"registrations": first[:1]})
    assert editor.read()["params"] == {"registrations": first[:1]}


def test_a_daemon_that_dies_again_and_again_is_not_started_for_ever(editor, daemon):
    session = begin(editor, daemon)
    for _ in range(5):
        session.die()
        session = daemon.session()
        session.receive_method("initialize")
        session.receive_method("initialized")
    session.die()
    message = read_past_the_log(editor)
    assert message["method"] == "window/showMessage"
    assert "daemon logs" in message["params"]["message"]
    assert editor.read()["params"]["health"] == "error"
    editor.send(id=1, method="textDocument/hover", params={})
    error = editor.answer(1)["error"]
    assert (error["code"], error["message"]) == (FAILED, message["params"]["message"])
    editor.send(id=2, method="shutdown")
    assert editor.answer(2)["result"] is None
    editor.send(id=3, method="textDocument/hover", params={})
    assert editor.answer(3)["error"]["code"] == -32600
    editor.send(method="exit")
    assert editor.ended() == 0
