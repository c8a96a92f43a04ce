"""What the HTTP client adds to an endpoint's own time: batches of 64 texts over the loopback.

The endpoint is a process of its own that answers every request with the same vectors, made
before; so what is timed is the client, the sockets, and the reading of the reply.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from threading import Thread

import httpx
import numpy as np

from codeintel_ls.embedding import Endpoint
from codeintel_ls.embedding.http_client import HttpEmbedder
from tests.benchmarks.measuring import Goal, Row, in_turn
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


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of the two faces, one by one and eight at a time, beside fresh clients."""
    with _serving(packed=True) as url, _serving(packed=False) as plain_url:
        endpoint = Endpoint(url=url, model="canned")
        client = HttpEmbedder(endpoint)
        texts = [f"{_CHUNK}# {number}\n" for number in range(_TEXTS)]

        def persistent(_: int) -> None:
            _check(client.embed_batch(texts).shape)

        async def on_the_loop(_: int) -> None:
            _check((await client.embed_batch_async(texts)).shape)

        async def eight_at_once(_: int) -> None:
            await asyncio.gather(*(client.embed_batch_async(texts) for _ in range(_AT_ONCE)))

        def eight_fresh(number: int) -> None:
            for _ in range(_AT_ONCE):
                fresh(number)

        def fresh(_: int) -> None:
            body = {"model": "canned", "input": texts, "encoding_format": "base64"}
            reply = httpx.post(f"{url}/embeddings", json=body, timeout=60)
            _check(_stacked(json.loads(reply.content)).shape)

        plain = HttpEmbedder(Endpoint(url=plain_url, model="canned"))

        def floats(_: int) -> None:
            _check(plain.embed_batch(texts).shape)

        rows = (
            ("embed_batch", persistent, fresh, _TIMES, Goal("p95", 3)),
            ("embed_batch, as a share of a fresh client", persistent, fresh, _TIMES, _EIGHTH),
            ("embed_batch_async", on_the_loop, fresh, _TIMES, Goal("p95", 3)),
            ("embed_batch_async, eight at once", eight_at_once, eight_fresh, _TIMES // 8, _EIGHTH),
            ("embed_batch, a reply of JSON floats", floats, fresh, _TIMES, None),
        )
        for name, work, peer, times, goal in rows:
            await in_turn(range(10), work, peer)
            own, others = await in_turn(range(times), work, peer)
            yield Row(
                name=f"{name}: {_TEXTS} texts of {_DIMENSION} dimensions, loopback",
                values=own,
                peer="httpx.post, a fresh client each",
                peer_values=others,
                goal=goal,
            )
        client.close()
        await client.aclose()
        plain.close()


_EIGHTH = Goal("ratio", 1 / 8)


def _check(shape: tuple[int, ...]) -> None:
    if shape != (_TEXTS, _DIMENSION):
        raise RuntimeError(f"vectors of the shape {shape} came")


def _stacked(reply: dict[str, list[dict[str, str]]]) -> np.ndarray:
    return np.stack([np.frombuffer(b64decode(e["embedding"]), "<f4") for e in reply["data"]])


@contextmanager
def _serving(*, packed: bool) -> Generator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.http_embeddings", "01"[packed]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.wait()


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
