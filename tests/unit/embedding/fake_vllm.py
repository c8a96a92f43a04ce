"""A small real HTTP server that speaks as vLLM's `/v1/embeddings` does, and misbehaves on demand.

It says byte by byte what it is told to, over real sockets; vectors are bags of words, so that
texts which share words lie near each other.
"""

import json
import select
import socket
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Sequence
from hashlib import blake2b
from threading import Barrier, Lock, Thread
from typing import Any

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from codeintel_ls.embedding import words_of


@frozen
class Received:
    """One request, as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int

    @property
    def texts(self) -> list[str]:
        """What was to be embedded."""
        texts = self.body.get("input", self.body.get("inputs", []))
        return [texts] if isinstance(texts, str) else list(texts)


@define(kw_only=True)
class Reply:
    """What is sent back. `cut`: only so many bytes of the body; `hang_up`: close without a word."""

    status: int = 200
    headers: dict[str, str] = field(factory=dict)
    body: bytes = b""
    delay: float = 0.0
    cut: int | None = None
    hang_up: bool = False
    close_silently: bool = False


Behaviour = Callable[["FakeVllm", Received], Reply]


class FakeVllm:
    """Listens on a port of the loopback interface between `start` and `stop`."""

    def __init__(
        self,
        *,
        dimension: int = 32,
        model: str = "fake/model",
        salt: str = "",
        most_characters: int = 1_000_000,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`salt` makes other vectors: another model."""
        self.dimension = dimension
        self.model = model
        self.salt = salt
        self.most_characters = most_characters
        self.knows_base64 = True
        self.synonyms: dict[str, str] = {}
        self.usual: Behaviour = answered
        self.requests: list[Received] = []
        self.most_at_once = 0
        self.given_up = 0
        """Requests whose connection was closed while they waited for a late answer."""
        self.port = 0
        self._tls = tls
        self._planned: deque[Behaviour] = deque()
        self._lock = Lock()
        self._at_once = 0
        self._connections = 0
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None

    @property
    def url(self) -> str:
        """What the setting would be."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/v1"

    def plan(self, *behaviours: Behaviour) -> None:
        """Answer the next requests like this, and then as usual again."""
        self._planned.extend(behaviours)

    def start(self) -> "FakeVllm":
        """Listen; on the same port where it did before."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Refuse connections, and drop those that there are."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # Closing alone leaves a thread in accept(), and the port open with it.
            with _unharmed():
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            with _unharmed():
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> "FakeVllm":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def vector(self, text: str) -> NDArray[np.float32]:
        """The model's vector of a text, not of unit length."""
        vector = np.zeros(self.dimension, dtype=np.float32)
        for word in words_of(text):
            meant = self.synonyms.get(word, word)
            digest = blake2b(f"{self.salt}{meant}".encode(), digest_size=8).digest()
            number = int.from_bytes(digest, "little")
            vector[number % self.dimension] += 1 if number & (1 << 40) else -1
        vector[0] += 0.01
        return vector

    def texts(self) -> list[str]:
        """All that was ever asked for, in the order in which it came."""
        return [text for request in self.requests for text in request.texts]

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with self._lock:
            self._connections += 1
            number = self._connections
        try:
            connection = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
        except OSError:
            plain.close()
            return
        with self._lock:
            self._open.add(connection)
        with _unharmed(), connection, connection.makefile("rb") as stream:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while self._exchange(connection, stream, number):
                pass
        with self._lock:
            self._open.discard(connection)

    def _exchange(self, connection: socket.socket, stream: Any, number: int) -> bool:
        """One request and its reply; whether the connection lives on."""
        first = stream.readline().decode()
        if not first:
            return False
        method, path, _ = first.split(" ")
        headers: dict[str, str] = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        request = Received(method, path, headers, json.loads(body or b"{}"), number)
        with self._lock:
            self.requests.append(request)
            behave = self._planned.popleft() if self._planned else self.usual
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            reply = behave(self, request)
            # Nothing more is sent on a connection before its answer: it can only be closed.
            closed = bool(reply.delay and select.select([connection], [], [], reply.delay)[0])
        finally:
            with self._lock:
                self._at_once -= 1
        if closed:
            with self._lock:
                self.given_up += 1
        if closed or reply.hang_up:
            return False
        connection.sendall(_bytes_of(reply))
        return reply.cut is None and not reply.close_silently


def _bytes_of(reply: Reply) -> bytes:
    headers = {
        "Content-Type": "application/json",
        **reply.headers,
        "Content-Length": str(len(reply.body)),
    }
    head = f"HTTP/1.1 {reply.status} X\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers.items())
    return head.encode() + b"\r\n" + reply.body[: reply.cut]


class _unharmed:  # noqa: N801 (reads like `suppress`)
    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, (OSError, ValueError))


# Ways to behave


def embeddings(
    server: FakeVllm, request: Received, vectors: Sequence[NDArray[np.float32]]
) -> dict[str, Any]:
    """vLLM's reply with these vectors."""
    packed = request.body.get("encoding_format") == "base64" and server.knows_base64

    def shown(vector: NDArray[np.float32]) -> object:
        if packed:
            return b64encode(vector.astype("<f4").tobytes()).decode()
        return [None if value != value else value for value in vector.tolist()]

    return {
        "object": "list",
        "model": server.model,
        "data": [
            {"object": "embedding", "index": index, "embedding": shown(vector)}
            for index, vector in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": 1, "total_tokens": 1},
    }


def error(status: int, message: str, **more: Any) -> Behaviour:
    """A status with an error in vLLM's shape; `more` are headers, with `_` for `-`."""
    said = {"error": {"message": message, "type": "Error", "param": None, "code": status}}
    headers = {name.replace("_", "-"): str(value) for name, value in more.items()}
    return lambda _server, _request: Reply(
        status=status, headers=headers, body=json.dumps(said).encode()
    )


def answered(server: FakeVllm, request: Received) -> Reply:
    """As vLLM does, with its limits."""
    if any(len(text) > server.most_characters for text in request.texts):
        message = (
            f"This model's maximum context length is {server.most_characters} tokens. However, "
            "you requested more in the input for embedding generation."
        )
        return error(400, message)(server, request)
    if request.body.get("model") not in {server.model, None}:
        message = f"The model `{request.body.get('model')}` does not exist."
        return error(404, message)(server, request)
    vectors = [server.vector(text) for text in request.texts]
    return Reply(body=json.dumps(embeddings(server, request, vectors)).encode())


def slow(seconds: float) -> Behaviour:
    """Right, but late."""

    def behave(server: FakeVllm, request: Received) -> Reply:
        reply = answered(server, request)
        reply.delay = seconds
        return reply

    return behave


def together(count: int) -> Behaviour:
    """Right, once so many requests are there at once, and a little later."""
    all_there = Barrier(count)

    def behave(server: FakeVllm, request: Received) -> Reply:
        all_there.wait(60)
        return slow(0.05)(server, request)

    return behave


def truncated(server: FakeVllm, request: Received) -> Reply:
    """Half of the body, then the end of the connection."""
    reply = answered(server, request)
    reply.cut = len(reply.body) // 2
    return reply


def with_vectors(
    change: Callable[[list[NDArray[np.float32]]], list[NDArray[np.float32]]],
) -> Behaviour:
    """Other vectors than those that were asked for."""

    def behave(server: FakeVllm, request: Received) -> Reply:
        vectors = change([server.vector(text) for text in request.texts])
        return Reply(body=json.dumps(embeddings(server, request, vectors)).encode())

    return behave


def shuffled(server: FakeVllm, request: Received) -> Reply:
    """The right vectors with the right indices, the last first."""
    values = embeddings(server, request, [server.vector(text) for text in request.texts])
    values["data"].reverse()
    return Reply(body=json.dumps(values).encode())


def numbered_wrongly(server: FakeVllm, request: Received) -> Reply:
    """Every vector says that it is the first."""
    values = embeddings(server, request, [server.vector(text) for text in request.texts])
    for entry in values["data"]:
        entry["index"] = 0
    return Reply(body=json.dumps(values).encode())


def hanging_up(_server: FakeVllm, _request: Received) -> Reply:
    """The connection is closed and nothing is said."""
    return Reply(hang_up=True)


def closing_silently(server: FakeVllm, request: Received) -> Reply:
    """Right; then the connection, which was to be kept, is closed."""
    reply = answered(server, request)
    reply.close_silently = True
    return reply


def page(_server: FakeVllm, _request: Received) -> Reply:
    """What a proxy or a portal says."""
    return Reply(
        headers={"Content-Type": "text/html"}, body=b"<!doctype html><title>Sign in</title>"
    )


def redirecting(url: str) -> Behaviour:
    """Go elsewhere."""
    return lambda _server, _request: Reply(status=307, headers={"Location": url})
