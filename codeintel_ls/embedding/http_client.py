"""One persistent HTTP client for an embeddings endpoint, with a sync and an async face.

Invariants: a key goes to the configured host alone (no redirect is followed); eight requests are
under way at the most; every call ends within its deadline, in vectors or in an `EmbeddingError`.
"""

import asyncio
import os
import ssl
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Final, TypeVar
from urllib.parse import urlsplit

import httpx
import stamina
from attrs import frozen

from codeintel_ls.embedding.breaker import CircuitBreaker
from codeintel_ls.embedding.connections import Connections
from codeintel_ls.embedding.encoder import Vectors
from codeintel_ls.embedding.endpoint import Endpoint
from codeintel_ls.embedding.errors import (
    BadReplyError,
    EmbeddingError,
    EncodingRefusedError,
    EndpointDownError,
    EndpointMisconfiguredError,
)
from codeintel_ls.embedding.retrying import ATTEMPTS, Pacing, is_distrust, retry_after
from codeintel_ls.embedding.wire import Side, can_pack, read_reply, refusal, request_body

IN_FLIGHT: Final = 8
_KEEPALIVE_SECONDS: Final = 2.0
"""Servers that close idle connections do so after five seconds: be earlier than they are."""

_AnyClient = TypeVar("_AnyClient", httpx.Client, httpx.AsyncClient)
_OK: Final = 200
_CONNECT_SECONDS: Final = 5.0
_LARGEST_REPLY: Final = 256 << 20
_LIMITS: Final = httpx.Limits(
    max_connections=IN_FLIGHT,
    max_keepalive_connections=IN_FLIGHT,
    keepalive_expiry=_KEEPALIVE_SECONDS,
)


@frozen
class _Request:
    """What is sent, and how long all tries together may take."""

    count: int
    content: bytes
    headers: dict[str, str]
    pacing: Pacing

    def timeout(self) -> httpx.Timeout:
        left = max(self.pacing.remaining, 0.001)
        return httpx.Timeout(left, connect=min(left, _CONNECT_SECONDS))


class HttpEmbedder:
    """Texts become vectors by asking an endpoint. Thread-safe; `close` it in the end."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        dimension: int | None = None,
        breaker: CircuitBreaker | None = None,
        environ: Mapping[str, str] = os.environ,
        recovered: Callable[[], None] = lambda: None,
    ) -> None:
        """`dimension` is what vectors must have. Nothing is sent yet, nothing is read.

        `recovered` is called when an endpoint that was down has answered.
        """
        self.endpoint = endpoint
        self.dimension = dimension
        self.breaker = breaker or CircuitBreaker()
        self._environ = environ
        self._recovered = recovered
        self._packed = can_pack(endpoint)
        self._opening = Lock()
        self._tls: ssl.SSLContext | None = None
        self._client: httpx.Client | None = None
        self._async: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None
        self._connections = Connections()
        self._closed = False

    def embed_batch(
        self, texts: Sequence[str], side: Side = Side.DOCUMENT, *, seconds: float | None = None
    ) -> Vectors:
        """Vectors float32 (n, d) as the model gives them. Blocks. Raises EmbeddingError."""
        with self._judged():
            try:
                return self._ask(texts, side, seconds)
            except EncodingRefusedError:
                self._packed = False
                return self._ask(texts, side, seconds)

    async def embed_batch_async(
        self, texts: Sequence[str], side: Side = Side.DOCUMENT, *, seconds: float | None = None
    ) -> Vectors:
        """The same for an event loop; cancelling it drops the request."""
        with self._judged():
            try:
                return await self._ask_async(texts, side, seconds)
            except EncodingRefusedError:
                self._packed = False
                return await self._ask_async(texts, side, seconds)

    def close(self) -> None:
        """Let go of all connections. From any thread; what is under way fails."""
        with self._opening:
            self._closed = True
            client, self._client = self._client, None
            both, self._async = self._async, None
        if client is not None:
            self._connections.close()
            client.close()
        if both is not None and both[0].is_running():
            asyncio.run_coroutine_threadsafe(both[1].aclose(), both[0])

    async def aclose(self) -> None:
        """The same on the loop; returns when the loop's connections are closed, too."""
        both = self._async
        await asyncio.to_thread(self.close)
        if both is not None:
            await both[1].aclose()

    # One request and its tries

    def _ask(self, texts: Sequence[str], side: Side, seconds: float | None) -> Vectors:
        request = self._request(texts, side, self._patience(side, seconds))
        client = self._sync_client()
        for attempt in stamina.retry_context(
            on=self._wait_of(request), attempts=ATTEMPTS, timeout=None
        ):
            with attempt:
                return self._send(client, request)
        raise self._late()

    async def _ask_async(self, texts: Sequence[str], side: Side, seconds: float | None) -> Vectors:
        seconds = self._patience(side, seconds)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(seconds):
            # A key and certificates are read from files.
            request, client = await asyncio.to_thread(
                lambda: (self._request(texts, side, seconds), self._loop_client(loop))
            )
            async for attempt in stamina.retry_context(
                on=self._wait_of(request), attempts=ATTEMPTS, timeout=None
            ):
                with attempt:
                    return await self._send_async(client, request)
        raise self._late()

    def _wait_of(self, request: _Request) -> Callable[[Exception], float | bool]:
        """As `Pacing.wait_before_retry` says, but no more once this is closed."""
        return lambda error: not self._closed and request.pacing.wait_before_retry(error)

    def _patience(self, side: Side, seconds: float | None) -> float:
        if seconds is not None:
            return seconds
        query = side is Side.QUERY
        return self.endpoint.query_seconds if query else self.endpoint.bulk_seconds

    def _request(self, texts: Sequence[str], side: Side, seconds: float) -> _Request:
        headers = {"Content-Type": "application/json"}
        key = self.endpoint.api_key(self._environ)
        if key:
            headers["Authorization"] = f"Bearer {key}"
        content = request_body(self.endpoint, texts, side, packed=self._packed)
        return _Request(len(texts), content, headers, Pacing(seconds))

    def _send(self, client: httpx.Client, request: _Request) -> Vectors:
        with client.stream(
            "POST",
            self.endpoint.address,
            content=request.content,
            headers=request.headers,
            timeout=request.timeout(),
            extensions={"trace": self._connections.trace},
        ) as response:
            parts: list[bytes] = []
            size = 0
            for part in response.iter_raw():
                size += len(part)
                self._check(size, request)
                parts.append(part)
        return self._read(response, b"".join(parts), request.count)

    async def _send_async(self, client: httpx.AsyncClient, request: _Request) -> Vectors:
        async with client.stream(
            "POST",
            self.endpoint.address,
            content=request.content,
            headers=request.headers,
            timeout=request.timeout(),
        ) as response:
            parts: list[bytes] = []
            size = 0
            async for part in response.aiter_raw():
                size += len(part)
                self._check(size, request)
                parts.append(part)
        return self._read(response, b"".join(parts), request.count)

    def _check(self, size: int, request: _Request) -> None:
        """A reply that never ends, or comes drop by drop, is none."""
        if size > _LARGEST_REPLY:
            raise BadReplyError(
                f"The embedding endpoint {self.endpoint.origin} answers with too many bytes."
            )
        if request.pacing.remaining < 0:
            raise self._late()

    def _read(self, response: httpx.Response, body: bytes, count: int) -> Vectors:
        if response.status_code == _OK:
            return read_reply(self.endpoint, body, count, self.dimension)
        headers = response.headers
        raise refusal(
            self.endpoint,
            response.status_code,
            body,
            count=count,
            retry_after=retry_after(headers.get("Retry-After")),
            target=_host_of(headers.get("Location", "")),
        )

    # What became of it

    @contextmanager
    def _judged(self) -> Generator[None]:
        """Send nothing while the endpoint is down, and remember what becomes of the block."""
        self._raise_if_closed()
        self.breaker.admit()
        judged = False
        try:
            yield
            judged = True
            if self.breaker.succeeded():
                self._recovered()
        except (EmbeddingError, httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError) as error:
            judged = True
            known = error if isinstance(error, EmbeddingError) else self._known(error)
            if isinstance(known, EndpointDownError):
                self.breaker.failed(known)
            else:
                # It is there, whatever it says.
                self.breaker.succeeded()
            # What went before may hold texts, or the reply.
            raise known from None
        finally:
            if not judged:
                self.breaker.abandoned()

    def _known(self, error: Exception) -> Exception:
        origin = self.endpoint.origin
        if isinstance(error, (TimeoutError, httpx.TimeoutException)):
            return EndpointDownError(f"The embedding endpoint {origin} did not answer in time.")
        if is_distrust(error):
            return EndpointMisconfiguredError(
                f"The certificate of the embedding endpoint {origin} cannot be verified: a private "
                "authority's certificate goes into the setting embedding.caFile."
            )
        if isinstance(error, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
            return EndpointMisconfiguredError("The setting embedding.endpoint is no http URL.")
        if isinstance(error, RuntimeError) and not self._closed:
            return error
        what = "cannot be reached" if isinstance(error, httpx.ConnectError) else "hung up"
        return EndpointDownError(f"The embedding endpoint {origin} {what}.")

    def _late(self) -> EndpointDownError:
        origin = self.endpoint.origin
        return EndpointDownError(f"The embedding endpoint {origin} did not answer in time.")

    # Clients

    def _sync_client(self) -> httpx.Client:
        with self._opening:
            if self._client is None:
                self._client = self._made(httpx.Client)
            return self._client

    def _loop_client(self, loop: asyncio.AbstractEventLoop) -> httpx.AsyncClient:
        with self._opening:
            # Connections belong to the loop that made them.
            if self._async is None or self._async[0] is not loop:
                self._async = loop, self._made(httpx.AsyncClient)
            return self._async[1]

    def _made(self, kind: Callable[..., _AnyClient]) -> _AnyClient:
        self._raise_if_closed()
        if self._tls is None:
            self._tls = _tls(self.endpoint)
        proxy = self.endpoint.proxy or None
        try:
            return kind(
                limits=_LIMITS,
                verify=self._tls,
                proxy=proxy,
                trust_env=not self.endpoint.is_on_this_machine,
                headers=_HEADERS,
            )
        # Not a word of theirs: a proxy's URL may hold a password.
        except (ImportError, ValueError, httpx.InvalidURL):
            where = "the setting embedding.proxy" if proxy else "the environment (ALL_PROXY, …)"
            raise EndpointMisconfiguredError(
                f"The proxy that {where} names for the embedding endpoint cannot be used: it has "
                "to be http://HOST:PORT."
            ) from None

    def _raise_if_closed(self) -> None:
        if self._closed:
            raise EndpointDownError("The client of the embedding endpoint was closed.")


# Vectors do not shrink, and what unpacks to more than it is worth is not unpacked.
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    if urlsplit(endpoint.url).scheme == "http" and not endpoint.proxy:
        # Reading all authorities takes 20 ms, and nobody will be asked for a certificate.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context = httpx.create_ssl_context()
        if endpoint.ca_file:
            context.load_verify_locations(cafile=os.path.expanduser(endpoint.ca_file))  # noqa: PTH111 (never fails)
    except (OSError, ssl.SSLError) as error:
        raise EndpointMisconfiguredError(
            "The file of the setting embedding.caFile holds no certificates that can be read."
        ) from error
    return context


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "another address"
    except ValueError:
        return "another address"
