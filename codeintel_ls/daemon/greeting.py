"""The first line of each side of a connection, before they speak LSP. Standard library only.

The client says who it is, the daemon whether it serves it: one line of JSON each. Invariant:
a client and a daemon of different versions never exchange anything else.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, cast, get_args

from codeintel_ls import __version__
from codeintel_ls.errors import CodeIntelError

LONGEST_LINE: Final = 4096
SECONDS: Final = 10.0
"""For the other side to say its line."""
PROTOCOL: Final = 1

Kind = Literal["editor", "cli", "agent", "stop"]
"""`stop` asks the daemon to end, and says nothing more."""
Reason = Literal["version", "stopping", "malformed", "busy"]


class RefusedError(CodeIntelError):
    """The daemon does not serve this client. `reason` is one of `Reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The background process does not serve this client ({reason}).")
        self.reason = reason


class Greeting(NamedTuple):
    """What a client says of itself."""

    kind: str
    pid: int
    version: str


def hello(kind: Kind, pid: int) -> bytes:
    """The line of a client."""
    return _line({"codeintel": PROTOCOL, "version": __version__, "kind": kind, "pid": pid})


def read_hello(line: bytes) -> Greeting | None:
    """Who says that; None where it is no such line."""
    said = _read(line)
    kind, pid, version = said.get("kind"), said.get("pid"), said.get("version")
    if said.get("codeintel") != PROTOCOL or kind not in get_args(Kind):
        return None
    if type(pid) is not int or type(version) is not str:
        return None
    return Greeting(str(kind), pid, version)


def welcome(pid: int) -> bytes:
    """The line of a daemon that serves the client."""
    return _line({"accepted": True, "pid": pid, "version": __version__})


def refusal(reason: Reason) -> bytes:
    """The line of a daemon that does not."""
    return _line({"accepted": False, "reason": reason, "version": __version__})


def read_answer(line: bytes) -> int:
    """The daemon's process id. Raises RefusedError."""
    said = _read(line)
    pid = said.get("pid")
    if said.get("accepted") is True and type(pid) is int:
        return pid
    reason = said.get("reason")
    raise RefusedError(reason if isinstance(reason, str) else "malformed")


def _line(fields: Mapping[str, object]) -> bytes:
    return json.dumps(fields).encode() + b"\n"


def _read(line: bytes) -> dict[str, Any]:
    try:
        said: Any = json.loads(line)
    except ValueError:
        return {}
    return cast("dict[str, Any]", said) if isinstance(said, dict) else {}
