"""What went wrong, as an LSP error that a person may read.

Invariant: no traceback, path of this machine or source text leaves through an error; what nobody
expected is told to the client as one sentence, and its traceback goes to the log, without the
exception's own words, which may quote a source.
"""

import asyncio
import logging
import traceback
from typing import Final

from lsprotocol import types

from codeintel_ls.cancellation import CancelledError
from codeintel_ls.daemon.connect_messages import MalformedMessageError
from codeintel_ls.errors import CodeIntelError, InvalidRequestError

logger: Final = logging.getLogger(__name__)


class RefusedRequestError(CodeIntelError):
    """A request that cannot be served in the state that the session is in."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class ServerBusyError(CodeIntelError):
    """More work waits than the server is willing to queue."""

    def __init__(self) -> None:
        super().__init__("The server is busy: too many requests wait. Try again in a moment.")


class SupersededError(CodeIntelError):
    """A newer request of the same client wants another answer instead."""

    def __init__(self) -> None:
        super().__init__("A newer request took the place of this one.")


def response_error(error: BaseException, operation: str) -> types.ResponseError:
    """The error that answers a request of `operation`."""
    match error:
        case asyncio.CancelledError() | CancelledError():
            code = types.LSPErrorCodes.RequestCancelled
            return types.ResponseError(code=code, message="The request was cancelled.")
        case SupersededError():
            code = types.LSPErrorCodes.ServerCancelled
            return types.ResponseError(code=code, message=str(error))
        case MalformedMessageError() | RefusedRequestError():
            return types.ResponseError(code=error.code, message=str(error))
        case InvalidRequestError():
            code = types.ErrorCodes.InvalidParams
            return types.ResponseError(code=code, message=f"{operation}: {error}")
        case CodeIntelError():
            code = types.LSPErrorCodes.RequestFailed
            return types.ResponseError(code=code, message=str(error))
        case _:
            log_unexpected(error, operation)
            code = types.ErrorCodes.InternalError
            message = f"Internal error in {operation}; see the server's log."
            return types.ResponseError(code=code, message=message)


def log_unexpected(error: BaseException, operation: str) -> None:
    """Log where an error that nobody expected came from: frames and its class, no values."""
    frames = traceback.extract_tb(error.__traceback__)
    where = "".join(f"\n  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    logger.error("Internal error in %s: %s%s", operation, type(error).__qualname__, where)
