"""What daemons ask the editor, and what the editor shows because they did.

A daemon numbers its requests and its progress bars from one, and so does the next. Invariants:
the editor never sees one id or token twice; an answer reaches the daemon that asked, or nobody;
no bar outlives its daemon; a capability that the editor has registered is not registered again.
"""

from typing import Any, NamedTuple, cast

from codeintel_ls.daemon.connect_messages import (
    Message,
    MessageId,
    dump,
    field,
    notification,
    request,
)


class _Asked(NamedTuple):
    """A request that the editor has not answered: who asked, by which id, and for what."""

    daemon: int
    msg_id: MessageId
    registrations: list[Message]
    token: MessageId | None


class Questions:
    """The daemons' side of one session."""

    def __init__(self) -> None:
        self._daemon = 0
        self._asked: dict[MessageId, _Asked] = {}
        self._bars: dict[MessageId, MessageId] = {}
        self._registered: dict[str, Message] = {}

    def next_daemon(self) -> None:
        """Another daemon serves the session from now on."""
        self._daemon += 1

    def _own(self, given: MessageId) -> MessageId:
        # Nothing is rewritten while the first daemon lives.
        return given if self._daemon <= 1 else f"{self._daemon}/{given}"

    # From the daemon

    def ask(self, message: Message, body: bytes) -> list[bytes]:
        """The daemon's request as the editor gets it. Nothing: the editor has done it already."""
        params: Any = message.get("params")
        before: list[bytes] = []
        fresh: list[Message] = []
        token: MessageId | None = None
        changed = {**message, "id": self._own(message["id"])}
        if message["method"] == "client/registerCapability":
            fresh = self._unknown(field(params, "registrations"))
            if not fresh:
                return []
            before = self._replacing(fresh)
            self._registered.update({one["id"]: one for one in fresh})
            changed["params"] = {**params, "registrations": fresh}
        elif message["method"] == "client/unregisterCapability":
            self._forget(_objects(field(params, "unregisterations")))
        elif message["method"] == "window/workDoneProgress/create":
            token = cast("MessageId", params["token"])
            self._bars[token] = self._own(token)
            changed["params"] = {**params, "token": self._bars[token]}
        self._asked[changed["id"]] = _Asked(self._daemon, message["id"], fresh, token)
        return [*before, body if changed == message else dump(changed)]

    def tell(self, message: Message, body: bytes) -> bytes:
        """The daemon's notification as the editor gets it."""
        params: Any = message.get("params")
        if message["method"] == "$/progress":
            shown = self._bar(params["token"], field(params, "value", "kind"))
            if shown != params["token"]:
                return dump({**message, "params": {**params, "token": shown}})
        elif message["method"] == "$/cancelRequest":
            return dump({**message, "params": {"id": self._own(params["id"])}})
        return body

    def _bar(self, token: MessageId, kind: object) -> MessageId:
        """The token by which the editor knows a bar that begins, moves or ends."""
        if kind == "begin":
            # The editor's own tokens are not created: it sent them along with a request.
            return self._bars.setdefault(token, token)
        return self._bars.pop(token, token) if kind == "end" else self._bars.get(token, token)

    def _unknown(self, given: object) -> list[Message]:
        """Those of the registrations that the editor does not have."""
        return [one for one in _objects(given) if self._registered.get(one["id"]) != one]

    def _replacing(self, fresh: list[Message]) -> list[bytes]:
        """What takes back those that the editor has by the same id but otherwise."""
        old = [
            {"id": one["id"], "method": self._registered[one["id"]]["method"]}
            for one in fresh
            if one["id"] in self._registered
        ]
        if not old:
            return []
        msg_id = f"{self._daemon}/replacing-{old[0]['id']}"
        return [request(msg_id, "client/unregisterCapability", {"unregisterations": old})]

    def _forget(self, given: list[Message]) -> None:
        for one in given:
            self._registered.pop(one["id"], None)

    # From the editor

    def answered(self, message: Message, body: bytes) -> bytes | None:
        """The editor's answer as the daemon gets it. None: its daemon is gone, or never asked."""
        msg_id: Any = message.get("id")
        asked = self._asked.pop(msg_id, None) if type(msg_id) in {int, str} else None
        if asked is None:
            return None
        if message.get("error") is not None:
            self._forget(asked.registrations)
        if asked.daemon != self._daemon:
            return None
        if message.get("error") is not None and asked.token is not None:
            self._bars.pop(asked.token, None)
        return body if asked.msg_id == msg_id else dump({**message, "id": asked.msg_id})

    def stopped(self, message: Message, body: bytes) -> bytes:
        """The person's wish to stop what a bar shows, as the daemon gets it."""
        token = field(message.get("params"), "token")
        for original, shown in self._bars.items():
            if shown == token != original:
                return dump({**message, "params": {**message["params"], "token": original}})
        return body

    # The end of a daemon

    def lost(self) -> list[bytes]:
        """The daemon is gone: what takes its bars away."""
        bars, self._bars = self._bars, {}
        # Whether the editor took a registration still matters; no other late answer does.
        self._asked = {
            msg_id: asked for msg_id, asked in self._asked.items() if asked.registrations
        }
        return [
            notification("$/progress", {"token": shown, "value": {"kind": "end"}})
            for shown in bars.values()
        ]


def _objects(value: object) -> list[Message]:
    if not isinstance(value, list):
        return []
    given = cast("list[Any]", value)
    return [one for one in given if isinstance(field(one, "id"), str)]
