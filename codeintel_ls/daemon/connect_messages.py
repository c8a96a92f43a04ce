"""Messages of JSON-RPC: what is one, and those that the forwarder writes.

The server reads by the same rules. What the forwarder refuses by itself it refuses in the server's
own words (a test compares them): the editor must not hear from the answer whether a daemon was
there.
"""

import json
import re
from typing import Any, Final, cast

from codeintel_ls.errors import CodeIntelError

Message = dict[str, Any]
MessageId = int | str

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
SERVER_NOT_INITIALIZED: Final = -32002
REQUEST_FAILED: Final = -32803
RETRY: Final = -32801
"""ContentModified. Of LSP's codes it is the one that clients do retry, as they announce in
`general.staleRequestSupport.retryOnContentModified`, and drop in silence where they do not:
ServerCancelled belongs to requests that declare it (diagnostics) and is shown as a failure by the
others, RequestCancelled tells a client that it has itself given up."""

_ERROR, _WARNING, _INFO = 1, 2, 3
_ANSWER: Final = re.compile(rb'\{"jsonrpc":"2\.0","id":(-?\d{1,15}|"[^"\\]*"),"(?:result|error)":')


class MalformedMessageError(CodeIntelError):
    """A body that is no request, response or notification."""

    def __init__(self, message: str, code: int = INVALID_REQUEST) -> None:
        super().__init__(message)
        self.code = code


def parse(body: bytes) -> Message:
    """The message in `body`.

    Raises:
        MalformedMessageError: there is none.

    """
    try:
        message: object = json.loads(body)
    except (ValueError, RecursionError):
        raise MalformedMessageError("A message is not valid JSON.", PARSE_ERROR) from None
    return checked(message)


def checked(message: object) -> Message:
    """A parsed body, where it is a message. Raises MalformedMessageError."""
    if not isinstance(message, dict):
        raise MalformedMessageError("A message is not a JSON object.")
    fields = cast("Message", message)
    if fields.get("jsonrpc") != "2.0":
        raise MalformedMessageError("A message is not of JSON-RPC 2.0.")
    if "method" in fields and not isinstance(fields["method"], str):
        raise MalformedMessageError("The method of a message is not a string.")
    if "method" in fields and "id" in fields and not _is_id(fields["id"]):
        raise MalformedMessageError("The id of a request is neither an integer nor a string.")
    return fields


def _is_id(value: object) -> bool:
    # The server's parser reads larger integers as floats.
    return type(value) is str or (type(value) is int and -(2**63) <= value < 2**64)


def answered_id(body: bytes) -> MessageId | None:
    """The id of an answer, read from its beginning; None where that does not show one.

    Answers may be large, and their ids are all that a forwarder has to know of them.
    """
    found = _ANSWER.match(body)
    if found is None:
        return None
    msg_id: MessageId = json.loads(found[1])
    return msg_id


def dump(message: Message) -> bytes:
    """A message as bytes."""
    return json.dumps(message, separators=(",", ":")).encode("ascii")


def request(msg_id: MessageId, method: str, params: object) -> bytes:
    """A request."""
    return dump({"jsonrpc": "2.0", "id": msg_id, "method": method, "params": params})


def notification(method: str, params: object) -> bytes:
    """A notification."""
    return dump({"jsonrpc": "2.0", "method": method, "params": params})


def result(msg_id: MessageId, value: object) -> bytes:
    """The answer to a request that was served."""
    return dump({"jsonrpc": "2.0", "id": msg_id, "result": value})


def error(msg_id: MessageId | None, code: int, message: str) -> bytes:
    """The answer to a request that was not served."""
    return dump({"jsonrpc": "2.0", "id": msg_id, "error": {"code": code, "message": message}})


def logged(message: str) -> bytes:
    """A line in the editor's log of this server."""
    return notification("window/logMessage", {"type": _WARNING, "message": message})


def shown(message: str) -> bytes:
    """A message that pops up before the person."""
    return notification("window/showMessage", {"type": _ERROR, "message": message})


def field(value: object, *names: str) -> Any:
    """What lies in nested objects under these names; None where something is missing."""
    for name in names:
        value = cast("Message", value).get(name) if isinstance(value, dict) else None
    return value
