"""The dispatcher: one answer to each request, cancelling, states, what nobody expected."""

import asyncio
import logging

import pytest
from lsprotocol import types

from codeintel_ls.cancellation import CancelledError
from codeintel_ls.errors import CodeIntelError, InvalidRequestError
from codeintel_ls.server.protocol import Routes
from tests.unit.server.talking import Talk


class Handlers:
    """What the routes of these tests do."""

    def __init__(self) -> None:
        self.started = 0
        self.stopped = 0
        self.heard: list[object] = []

    async def initialize(self, _params):
        return types.InitializeResult(capabilities=types.ServerCapabilities())

    async def echo(self, params):
        return {"params": params}

    async def wait(self, _params):
        self.started += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped += 1

    async def fail(self, params):
        raise {
            "invalid": InvalidRequestError("`x` is wrong."),
            "failed": CodeIntelError("The index is gone."),
            "cancelled": CancelledError(),
            "unexpected": KeyError("def secret_source(): pass"),
        }[params["how"]]

    async def unserializable(self, _params):
        return {"value": object()}

    async def hover(self, params: types.HoverParams):
        return types.Hover(contents=str(params.position.line))

    def hear(self, params):
        self.heard.append(params)

    async def hear_later(self, params):
        await asyncio.sleep(0)
        self.heard.append(params)

    def routes(self) -> Routes:
        return Routes(
            requests={
                "initialize": self.initialize,
                "echo": self.echo,
                "wait": self.wait,
                "fail": self.fail,
                "unserializable": self.unserializable,
                "textDocument/hover": self.hover,
            },
            notifications={"hear": self.hear, "hearLater": self.hear_later},
        )


@pytest.fixture
def handlers() -> Handlers:
    return Handlers()


@pytest.fixture
async def talk(handlers) -> Talk:
    talk = Talk(handlers.routes())
    await talk.initialize()
    return talk


async def test_parameters_of_custom_requests_arrive_as_they_were_sent(talk):
    sent = {"deep": [{"type_name": "x", "class": None}], "1": 2.5}
    talk.send(id=1, method="echo", params=sent)
    await talk.settle()
    assert talk.answers(1) == [{"jsonrpc": "2.0", "id": 1, "result": {"params": sent}}]


async def test_parameters_of_lsp_are_typed(talk):
    position = {"line": 7, "character": 0}
    talk.send(
        id="a",
        method="textDocument/hover",
        params={"textDocument": {"uri": "file:///a"}, "position": position},
    )
    await talk.settle()
    assert talk.answers("a")[0]["result"] == {"contents": "7"}


@pytest.mark.parametrize("params", [None, {}, [], {"textDocument": 7, "position": "x"}])
async def test_malformed_parameters_of_lsp_are_answered(talk, params):
    talk.send(id=1, method="textDocument/hover", params=params)
    await talk.settle()
    assert talk.error_code(1) == types.ErrorCodes.InvalidParams


@pytest.mark.parametrize(
    ("how", "code", "message"),
    [
        ("invalid", -32602, "fail: `x` is wrong."),
        ("failed", -32803, "The index is gone."),
        ("cancelled", -32800, "The request was cancelled."),
        ("unexpected", -32603, "Internal error in fail; see the server's log."),
    ],
)
async def test_errors_are_sentences_with_the_right_code(talk, how, code, message):
    talk.send(id=1, method="fail", params={"how": how})
    await talk.settle()
    assert talk.answers(1)[0]["error"] == {"code": code, "message": message}


async def test_what_nobody_expected_is_logged_without_its_words(talk, caplog):
    with caplog.at_level(logging.DEBUG, "codeintel_ls"):
        talk.send(id=1, method="fail", params={"how": "unexpected"})
        await talk.settle()
    assert "KeyError" in caplog.text
    assert "test_protocol.py" in caplog.text
    assert "secret" not in caplog.text


async def test_a_result_that_is_no_json_is_an_internal_error(talk):
    talk.send(id=1, method="unserializable")
    await talk.settle()
    assert talk.error_code(1) == types.ErrorCodes.InternalError


async def test_cancelling_stops_the_handler_and_answers_once(talk, handlers):
    talk.send(id=1, method="wait")
    await talk.settle()
    talk.send(method="$/cancelRequest", params={"id": 1})
    await talk.settle()
    assert (handlers.started, handlers.stopped) == (1, 1)
    assert talk.error_code(1) == types.LSPErrorCodes.RequestCancelled
    talk.send(method="$/cancelRequest", params={"id": 1})
    await talk.settle()
    assert len(talk.answers(1)) == 1


async def test_a_request_that_is_cancelled_before_it_began_is_answered(talk, handlers):
    talk.send(id=1, method="wait")
    talk.send(method="$/cancelRequest", params={"id": 1})
    await talk.settle()
    assert handlers.started == 0
    assert talk.error_code(1) == types.LSPErrorCodes.RequestCancelled


@pytest.mark.parametrize("params", [None, [], {}, {"id": None}, {"id": [1]}, {"id": 2}])
async def test_a_cancel_that_means_no_request_does_nothing(talk, params):
    talk.send(id=1, method="wait")
    talk.send(method="$/cancelRequest", params=params)
    await talk.settle()
    assert talk.sent == []
    talk.protocol.cancel_everything()
    await talk.settle()


async def test_an_id_in_use_is_refused_but_the_first_request_goes_on(talk, handlers):
    talk.send(id=1, method="wait")
    await talk.settle()
    talk.send(id=1, method="echo")
    await talk.settle()
    assert talk.error_code(1) == types.ErrorCodes.InvalidRequest
    assert handlers.stopped == 0
    talk.protocol.cancel_everything()
    await talk.settle()


async def test_unknown_methods_are_refused_and_unknown_notifications_ignored(talk):
    talk.send(id=1, method="codeintel/bogus", params={})
    talk.send(method="$/bogus", params={})
    talk.send(method="bogus")
    await talk.settle()
    assert talk.error_code(1) == types.ErrorCodes.MethodNotFound
    assert len(talk.sent) == 1


async def test_before_initialize_requests_are_refused_and_notifications_dropped(handlers):
    talk = Talk(handlers.routes())
    talk.send(id=1, method="echo")
    talk.send(method="hear")
    await talk.settle()
    assert talk.error_code(1) == types.ErrorCodes.ServerNotInitialized
    assert handlers.heard == []


async def test_a_second_initialize_is_refused(talk):
    talk.send(id=1, method="initialize", params={"capabilities": {}, "processId": None})
    await talk.settle()
    assert talk.error_code(1) == types.ErrorCodes.InvalidRequest


async def test_shutdown_cancels_what_runs_and_refuses_the_rest(talk, handlers):
    codes = []
    talk.protocol.on_exit = codes.append
    talk.send(id=1, method="wait")
    await talk.settle()
    talk.send(id=2, method="shutdown")
    await talk.settle()
    talk.send(id=3, method="echo")
    talk.send(method="hear")
    await talk.settle()
    assert talk.error_code(1) == types.LSPErrorCodes.RequestCancelled
    assert talk.answers(2) == [{"jsonrpc": "2.0", "id": 2, "result": None}]
    assert talk.error_code(3) == types.ErrorCodes.InvalidRequest
    assert handlers.heard == []
    talk.send(method="exit")
    assert codes == [0]


async def test_exit_without_shutdown_is_an_error(talk):
    codes = []
    talk.protocol.on_exit = codes.append
    talk.send(method="exit")
    assert codes == [1]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"id":1,"method":"echo"}', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"echo"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"echo"}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"echo"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"echo"}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
    ],
)
async def test_what_is_no_message_is_told_and_the_session_goes_on(talk, body, code):
    talk.protocol.receive(body)
    assert talk.sent[0]["id"] is None
    assert talk.sent[0]["error"]["code"] == code
    talk.send(id=9, method="echo")
    await talk.settle()
    assert talk.answers(9)[0]["result"] == {"params": None}


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0"}',
        b'{"jsonrpc":"2.0","id":5,"result":1}',
        b'{"jsonrpc":"2.0","id":"x","error":{}}',
        b'{"jsonrpc":"2.0","id":[1],"result":1}',
    ],
)
async def test_answers_that_nobody_asked_for_are_ignored(talk, body):
    talk.protocol.receive(body)
    await talk.settle()
    assert talk.sent == []


async def test_integers_and_characters_beyond_the_usual_are_json_too(talk):
    talk.protocol.receive(
        b'{"jsonrpc":"2.0","id":1,"method":"echo","params":{"a":100000000000000000000,"b":"\\ud800"}}'
    )
    await talk.settle()
    assert "result" in talk.answers(1)[0] or talk.error_code(1) == types.ErrorCodes.InternalError


async def test_notifications_are_heard_in_order_and_leave_nothing_behind(talk, handlers):
    for number in range(2_000):
        talk.send(method="hear" if number % 2 else "hearLater", params=number)
    await talk.settle()
    assert sorted(handlers.heard) == list(range(2_000))
    assert [number for number in handlers.heard if number % 2] == list(range(1, 2_000, 2))
    assert not talk.protocol._background
    assert not talk.protocol._request_futures
    assert not talk.protocol._running


async def test_asking_the_client_leaves_nothing_behind_whatever_it_answers(talk):
    async def ask(seconds):
        params = types.ConfigurationParams(items=[])
        return await talk.protocol.ask("workspace/configuration", params, seconds)

    for reply in ({"result": []}, {"error": {"code": 1, "message": "no"}}, {"result": 7}, None):
        asking = asyncio.ensure_future(ask(0.01 if reply is None else 5.0))
        await talk.settle()
        if reply is not None:
            talk.send(id=talk.sent[-1]["id"], **reply)
        outcome = await asyncio.gather(asking, return_exceptions=True)
        assert outcome == [()] or isinstance(outcome[0], Exception)
        assert not talk.protocol._request_futures
        assert not talk.protocol._result_types
