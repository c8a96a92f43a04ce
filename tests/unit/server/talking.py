"""A protocol object without a stream: messages go in as JSON, frames come out as JSON."""

import asyncio
from typing import Any

import orjson
from pygls.lsp.server import LanguageServer
from pygls.protocol import default_converter

from codeintel_ls.server.protocol import Routes, SessionProtocol


class Talk:
    """One client's end of a protocol."""

    def __init__(self, routes: Routes) -> None:
        server = LanguageServer(
            "t", "0", protocol_cls=SessionProtocol, converter_factory=default_converter
        )
        protocol = server.protocol
        assert isinstance(protocol, SessionProtocol)
        self.protocol = protocol
        self.protocol.routes = routes
        self.protocol.connect(self._take)
        self.sent: list[dict[str, Any]] = []

    def _take(self, frame: bytes) -> None:
        header, body = frame.split(b"\r\n\r\n", 1)
        assert header == b"Content-Length: %d" % len(body)
        self.sent.append(orjson.loads(body))

    def send(self, **fields: Any) -> None:
        self.protocol.receive(orjson.dumps({"jsonrpc": "2.0", **fields}))

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def initialize(self) -> None:
        self.send(id="init", method="initialize", params={"capabilities": {}, "processId": None})
        await self.settle()
        self.sent.clear()

    def answers(self, msg_id: Any) -> list[dict[str, Any]]:
        return [message for message in self.sent if message.get("id") == msg_id]

    def error_code(self, msg_id: Any) -> int:
        (answer,) = self.answers(msg_id)
        return answer["error"]["code"]
