"""JSON-RPC for one client: every request gets exactly one answer, every cancel stops the work.

pygls speaks to the client (requests, notifications, types); what comes in is dispatched here,
because its own dispatcher leaves malformed requests unanswered, cannot cancel commands, keeps
finished futures and request types for ever, logs whole messages, and sends tracebacks to
editors. Invariants: handlers start in the order of the messages and take what they need from
the session before they first wait; nothing of a message reaches a log but its method.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from enum import Enum, auto
from functools import partial
from itertools import count
from typing import Any, Final, cast

import orjson
from attrs import field, frozen
from cattrs import Converter
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from codeintel_ls.daemon.connect_frames import frame
from codeintel_ls.daemon.connect_messages import (
    MalformedMessageError,
    Message,
    MessageId,
    checked,
    parse,
)
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.server.errors import RefusedRequestError, log_unexpected, response_error
from codeintel_ls.server.latencies import Latencies
from codeintel_ls.server.validation import InvalidParamsError

logger: Final = logging.getLogger(__name__)

RequestHandler = Callable[[Any], Coroutine[Any, Any, Any]]
NotificationHandler = Callable[[Any], Coroutine[Any, Any, None] | None]

_TYPES: Final = cast(
    "Mapping[str, tuple[Any, Any, Any, Any]]",
    types.METHOD_TO_TYPES,  # pyright: ignore[reportUnknownMemberType]  # untyped in lsprotocol
)
"""Of each method: the types of message, result, parameters and registration options."""
_UNKNOWN: Final = (None, None, None, None)
ASK_TIMEOUT_SECONDS: Final = 10.0


@frozen(kw_only=True)
class Routes:
    """Who serves which method. The methods in `raw` get their parameters as JSON values."""

    requests: Mapping[str, RequestHandler]
    notifications: Mapping[str, NotificationHandler]
    raw: frozenset[str] = field(factory=frozenset[str])


class _State(Enum):
    NEW = auto()
    RUNNING = auto()
    SHUT_DOWN = auto()


class SessionProtocol(LanguageServerProtocol):
    """The protocol of one client. Everything happens on the event loop's thread."""

    def __init__(self, server: LanguageServer, converter: Converter) -> None:
        # pygls' constructor reads every attribute of the class, these too.
        self._state = _State.NEW
        self._running: dict[MessageId, asyncio.Task[Any]] = {}
        self.latencies = Latencies()
        super().__init__(server, converter)
        self.routes = Routes(requests={}, notifications={})
        self.on_exit: Callable[[int], None] = lambda _code: None
        self._background: set[asyncio.Task[None]] = set()
        self._send: Callable[[bytes], None] | None = None
        self._ids = count(1)

    @property
    def shut_down(self) -> bool:
        """Whether the client has asked to shut down."""
        return self._state is _State.SHUT_DOWN

    @property
    def running(self) -> int:
        """How many requests are being served."""
        return len(self._running)

    def connect(self, send: Callable[[bytes], None]) -> None:
        """Send frames through `send` from now on."""
        self._send = send

    def receive(self, body: bytes) -> None:
        """Take the body of one message in."""
        try:
            message = _parse(body)
        except MalformedMessageError as error:
            self._respond_error(None, response_error(error, "message"))
            return
        if "method" not in message:
            self._receive_response(message)
        elif "id" in message:
            self._receive_request(message["id"], message["method"], message.get("params"))
        else:
            self._receive_notification(message["method"], message.get("params"))

    def refuse(self, error: CodeIntelError) -> None:
        """Tell the client that its stream holds something that is no message."""
        self._respond_error(None, response_error(error, "message"))

    # Requests of the client

    def _receive_request(self, msg_id: MessageId, method: str, params: Any) -> None:
        try:
            handler = self._admit(msg_id, method)
            work = handler(self._read(method, params))
        except CodeIntelError as error:
            self._respond_error(msg_id, response_error(error, method))
            return
        task = asyncio.get_running_loop().create_task(work, name=method.removeprefix("codeintel/"))
        self._running[msg_id] = task
        task.add_done_callback(partial(self._answer, msg_id, time.monotonic()))
        if method == types.INITIALIZE:
            self._state = _State.RUNNING
        elif method == types.SHUTDOWN:
            self._state = _State.SHUT_DOWN

    def _admit(self, msg_id: MessageId, method: str) -> RequestHandler:
        if msg_id in self._running:
            raise RefusedRequestError(
                "The id of this request is still in use.", types.ErrorCodes.InvalidRequest
            )
        if self._state is _State.SHUT_DOWN:
            raise RefusedRequestError(
                "The server is shutting down.", types.ErrorCodes.InvalidRequest
            )
        if self._state is _State.NEW and method != types.INITIALIZE:
            raise RefusedRequestError(
                "The server is not initialized.", types.ErrorCodes.ServerNotInitialized
            )
        if self._state is _State.RUNNING and method == types.INITIALIZE:
            raise RefusedRequestError(
                "The server is initialized already.", types.ErrorCodes.InvalidRequest
            )
        if method == types.SHUTDOWN:
            return self._shut_down
        handler = self.routes.requests.get(method)
        if handler is None:
            message = f"The server does not know the method {method[:100]!r}."
            raise RefusedRequestError(message, types.ErrorCodes.MethodNotFound)
        return handler

    def _read(self, method: str, params: Any) -> Any:
        """The parameters as the type that LSP gives them.

        Raises:
            InvalidParamsError: they have another shape.

        """
        kind = None if method in self.routes.raw else _TYPES.get(method, _UNKNOWN)[2]
        if kind is None:
            return params
        try:
            return self._converter.structure(params, kind)
        except Exception as error:  # cattrs and the types' validators raise what they like
            problem = "the parameters do not have the shape that LSP gives them."
            raise InvalidParamsError(problem) from error

    def _answer(self, msg_id: MessageId, began: float, task: asyncio.Task[Any]) -> None:
        # A command has given its task the name of its operation.
        operation = task.get_name()
        self._running.pop(msg_id, None)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        self.latencies.add(operation, time.monotonic() - began, refused=error is not None)
        if error is not None:
            self._respond_error(msg_id, response_error(error, operation))
            return
        try:
            body = _dump({"jsonrpc": "2.0", "id": msg_id, "result": self._plain(task.result())})
        except (TypeError, ValueError, AttributeError) as failure:
            self._respond_error(msg_id, response_error(failure, operation))
        else:
            self._write(body)

    def _plain(self, result: Any) -> Any:
        if isinstance(result, dict):
            return cast("dict[str, Any]", result)
        return self._converter.unstructure(result)

    def _respond_error(self, msg_id: MessageId | None, error: types.ResponseError) -> None:
        body = {"code": int(error.code), "message": error.message}
        self._write(_dump({"jsonrpc": "2.0", "id": msg_id, "error": body}))

    async def _shut_down(self, params: Any) -> None:
        me = asyncio.current_task()
        for task in list(self._running.values()):
            if task is not me:
                task.cancel()
        handler = self.routes.requests.get(types.SHUTDOWN)
        if handler is not None:
            await handler(params)

    def cancel_everything(self) -> None:
        """Stop every request and every notification that is being served."""
        for task in [*self._running.values(), *self._background]:
            task.cancel()

    # Notifications of the client

    def _receive_notification(self, method: str, params: Any) -> None:
        if method == types.EXIT:
            self.on_exit(0 if self.shut_down else 1)
            return
        if method == types.CANCEL_REQUEST:
            self._cancel(params)
            return
        handler = self.routes.notifications.get(method)
        if handler is None or self._state is not _State.RUNNING:
            return
        try:
            work = handler(self._read(method, params))
        except CodeIntelError as error:
            logger.warning("%s was not heeded: %s", method, error)
        except Exception as error:  # noqa: BLE001 (the boundary: one bad message ends no session)
            log_unexpected(error, method)
        else:
            if work is not None:
                self.in_background(work, method)

    def in_background(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Let `work` run; what goes wrong is logged under `name`."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(partial(self._ended, name))
        return task

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, CodeIntelError):
            logger.warning("%s: %s", name, error)
        elif error is not None:
            log_unexpected(error, name)

    def _cancel(self, params: Any) -> None:
        msg_id: Any = cast("dict[str, Any]", params).get("id") if isinstance(params, dict) else None
        task = self._running.get(msg_id) if isinstance(msg_id, int | str) else None
        if task is not None:
            task.cancel()

    # Requests to the client

    async def ask(
        self, method: str, params: Any, timeout_seconds: float = ASK_TIMEOUT_SECONDS
    ) -> Any:
        """The client's answer to a request.

        Raises:
            TimeoutError: the client did not answer.
            JsonRpcException: the client answered with an error.

        """
        msg_id = f"codeintel-{next(self._ids)}"
        future = self.send_request_async(method, params, msg_id=msg_id)
        try:
            return await asyncio.wait_for(future, timeout_seconds)
        finally:
            self._request_futures.pop(msg_id, None)
            self._result_types.pop(msg_id, None)

    def _receive_response(self, message: dict[str, Any]) -> None:
        msg_id = message.get("id")
        future = self._request_futures.pop(msg_id, None) if isinstance(msg_id, str) else None
        kind = self._result_types.pop(msg_id, None) if isinstance(msg_id, str) else None
        if future is None or future.done():
            return
        error = message.get("error")
        if error is not None:
            future.set_exception(JsonRpcException("The client answered with an error."))
            return
        try:
            result = message.get("result")
            future.set_result(self._converter.structure(message, kind).result if kind else result)
        except Exception as failure:  # noqa: BLE001 (whatever cattrs raises, the asker must hear of it)
            future.set_exception(failure)

    # Sending

    # pygls wraps these two in a cache that keeps every session that has asked, with all its texts.

    def get_message_type(self, method: str) -> type[Any] | None:  # pyright: ignore[reportIncompatibleVariableOverride] (see above)
        """The type of a request or notification."""
        return _TYPES.get(method, _UNKNOWN)[0]

    def get_result_type(self, method: str) -> type[Any] | None:  # pyright: ignore[reportIncompatibleVariableOverride] (see above)
        """The type of the answer to a request."""
        return _TYPES.get(method, _UNKNOWN)[1]

    def _send_data(self, data: Any) -> None:
        self._write(_dump(self._converter.unstructure(data)))

    def _write(self, body: bytes) -> None:
        if self._send is not None:
            self._send(frame(body))


def _parse(body: bytes) -> Message:
    """Raises MalformedMessageError."""
    try:
        return checked(orjson.loads(body))
    except orjson.JSONDecodeError:
        # Escaped lone surrogates are JSON too.
        return parse(body)


def _dump(message: Any) -> bytes:
    try:
        return orjson.dumps(message, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        # Lone surrogates, from file names that are no UTF-8, have no place in JSON.
        return json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
