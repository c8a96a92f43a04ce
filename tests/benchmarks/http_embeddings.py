"""What the HTTP client adds to an endpoint's own time: batches of 64 texts over the loopback.

The endpoint is a process of its own that answers every request with the same vectors, made
before; so what is timed is the client, the sockets, and the reading of the reply.
"""

import asyncio
import json
import socket
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from threading import Thread
from typing import Any

import httpx
import numpy as np

from codeintel_ls.embedding import Endpoint
from codeintel_ls.embedding.http_client import HttpEmbedder
from tests.benchmarks.measuring import Goal, Row, in_turn
from tests.benchmarks.serving import serving
from tests.benchmarks.workbench import Workbench

_TEXTS = 64
_DIMENSION = 768
_TIMES = 200
_AT_ONCE = 8
_CHUNK = (
    "def total_price(self, items, discounts=()):\n"
    '    """The sum of all prices, with discounts."""\n'
    "    total = sum(item.price * item.count for item in items)\n"
    "    for discount in discounts:\n        total -= discount.of(total)\n"
    "    return max(total, 0)\n"
) * 3
_PEERS = ("httpx, a client each", "httpx, one client")
_PLAIN: dict[str, Any] = {"verify": False, "trust_env": False, "timeout": 60}

_OWN = "tests.benchmarks.http_embeddings"

Work = Callable[[int], Awaitable[None]]


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of the two faces, one by one and eight at a time, beside plain httpx."""
    texts = [f"{_CHUNK}# {number}\n" for number in range(_TEXTS)]
    with serving(_OWN, "1") as url, serving(_OWN, "0") as floats_url:
        client = HttpEmbedder(Endpoint(url=url, model="canned"))
        floats = HttpEmbedder(Endpoint(url=floats_url, model="canned"))
        peers = _Peers(url, texts, packed=True)
        floats_peers = _Peers(floats_url, texts, packed=False)

        async def asynchronous(_: int) -> None:
            _check(await client.embed_batch_async(texts))

        async def eight(work: Work) -> None:
            await asyncio.gather(*(work(number) for number in range(_AT_ONCE)))

        rows = (
            (
                "embed_batch",
                lambda _: _check(client.embed_batch(texts)),
                (peers.fresh, peers.kept),
                _TIMES,
                Goal("p95", 3),
            ),
            (
                "embed_batch_async",
                asynchronous,
                (peers.fresh_async, peers.kept_async),
                _TIMES,
                Goal("p95", 3),
            ),
            (
                "embed_batch_async, eight at once",
                lambda _: eight(asynchronous),
                (lambda _: eight(peers.fresh_async), lambda _: eight(peers.kept_async)),
                _TIMES // _AT_ONCE,
                None,
            ),
            (
                "embed_batch, a reply of JSON floats",
                lambda _: _check(floats.embed_batch(texts)),
                (floats_peers.fresh, floats_peers.kept),
                _TIMES,
                None,
            ),
        )
        for name, work, both, times, goal in rows:
            await in_turn(range(10), work, *both)
            own, *others = await in_turn(range(times), work, *both)
            for peer, values in zip(_PEERS, others, strict=True):
                yield Row(
                    name=f"{name}: {_TEXTS} texts of {_DIMENSION} dimensions, loopback",
                    values=own,
                    peer=peer,
                    peer_values=values,
                    goal=goal,
                )
        await in_turn(range(10), rows[0][1], peers.as_it_comes)
        own, others = await in_turn(range(_TIMES), rows[0][1], peers.as_it_comes)
        yield Row(
            name=f"embed_batch: {_TEXTS} texts of {_DIMENSION} dimensions, loopback",
            values=own,
            peer="httpx.post as it comes, certificates and all",
            peer_values=others,
            goal=Goal("ratio", 1 / 8),
        )
        for one in (client, floats, peers, floats_peers):
            await one.aclose()


class _Peers:
    """What a person writes: the same request and the same arrays, with httpx alone.

    A client makes a TLS context, for 20 ms, unless it is told that it needs none.
    """

    def __init__(self, url: str, texts: Sequence[str], *, packed: bool) -> None:
        self._packed = packed
        self._asked: dict[str, Any] = {
            "url": f"{url}/embeddings",
            "json": {
                "model": "canned",
                "input": texts,
                "encoding_format": "base64" if packed else "float",
            },
        }
        self._client = httpx.Client(**_PLAIN)
        self._async_client = httpx.AsyncClient(**_PLAIN)

    def fresh(self, _: int) -> None:
        self._read(httpx.post(**self._asked, **_PLAIN))

    def as_it_comes(self, _: int) -> None:
        """Without the arguments that spare the TLS context."""
        self._read(httpx.post(**self._asked, timeout=60))

    def kept(self, _: int) -> None:
        self._read(self._client.post(**self._asked))

    async def fresh_async(self, _: int) -> None:
        async with httpx.AsyncClient(**_PLAIN) as client:
            self._read(await client.post(**self._asked))

    async def kept_async(self, _: int) -> None:
        self._read(await self._async_client.post(**self._asked))

    async def aclose(self) -> None:
        self._client.close()
        await self._async_client.aclose()

    def _read(self, reply: httpx.Response) -> None:
        entries = [entry["embedding"] for entry in reply.json()["data"]]
        if self._packed:
            _check(np.stack([np.frombuffer(b64decode(entry), "<f4") for entry in entries]))
        else:
            _check(np.array(entries, dtype=np.float32))


def _check(vectors: np.ndarray) -> None:
    if vectors.shape != (_TEXTS, _DIMENSION):
        raise RuntimeError(f"vectors of the shape {vectors.shape} came")


# The endpoint


def _canned(packed: bool) -> bytes:
    vectors = np.random.default_rng(5).standard_normal((_TEXTS, _DIMENSION)).astype("<f4")

    def shown(vector: np.ndarray) -> object:
        return b64encode(vector.tobytes()).decode() if packed else vector.tolist()

    data = [
        {"object": "embedding", "index": index, "embedding": shown(vector)}
        for index, vector in enumerate(vectors)
    ]
    body = json.dumps({"object": "list", "data": data, "model": "canned"}).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def _answer(connection: socket.socket, reply: bytes) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as stream:
        while stream.readline():
            length = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            stream.read(length)
            connection.sendall(reply)


def _serve(write: Callable[[str], object], packed: bool) -> None:
    reply = _canned(packed)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            connection, _ = listener.accept()
            Thread(target=_answer, args=(connection, reply), daemon=True).start()


if __name__ == "__main__":
    _serve(sys.stdout.write, sys.argv[1] == "1")
