"""One client over real sockets, to a server that behaves and misbehaves in vLLM's shapes."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest

from codeintel_ls.embedding import (
    BadReplyError,
    EndpointDownError,
    EndpointMisconfiguredError,
    EndpointRefusedError,
    InputTooLongError,
    ModelChangedError,
)
from codeintel_ls.embedding.http_client import IN_FLIGHT, HttpEmbedder
from codeintel_ls.embedding.wire import Side
from tests.unit.embedding.conftest import MakeClient
from tests.unit.embedding.fake_vllm import (
    Behaviour,
    FakeVllm,
    answered,
    closing_silently,
    error,
    hanging_up,
    numbered_wrongly,
    page,
    redirecting,
    shuffled,
    slow,
    together,
    truncated,
    with_vectors,
)
from tests.waiting import until, until_on_loop

TEXTS = ["def add(a, b)", "class Cart", "total price"]


class Face:
    """One of the client's two faces, called in the same way."""

    def __init__(self, name: str) -> None:
        self.name = name

    def ask(
        self, client: HttpEmbedder, texts: list[str] = TEXTS, *, seconds: float | None = None
    ) -> np.ndarray:
        if self.name == "sync":
            return client.embed_batch(texts, seconds=seconds)

        async def ask() -> np.ndarray:
            try:
                return await client.embed_batch_async(texts, seconds=seconds)
            finally:
                await client.aclose()

        return asyncio.run(ask())


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Face:
    return Face(request.param)


def assert_right(vllm: FakeVllm, vectors: np.ndarray, texts: list[str] = TEXTS) -> None:
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [vllm.vector(text) for text in texts], rtol=1e-6)


# What is right


def test_vectors_come_as_base64_in_the_order_of_the_texts(
    vllm: FakeVllm, client: HttpEmbedder, face: Face
) -> None:
    assert_right(vllm, face.ask(client))
    (request,) = vllm.requests
    assert request.path == "/v1/embeddings"
    assert request.body == {"model": vllm.model, "input": TEXTS, "encoding_format": "base64"}


def test_vectors_that_come_in_another_order_are_put_in_order(
    vllm: FakeVllm, client: HttpEmbedder, face: Face
) -> None:
    vllm.plan(shuffled)
    assert_right(vllm, face.ask(client))


def test_floats_are_taken_where_a_server_ignores_the_encoding(
    vllm: FakeVllm, client: HttpEmbedder, face: Face
) -> None:
    vllm.knows_base64 = False
    assert_right(vllm, face.ask(client))


def test_a_server_that_refuses_base64_is_asked_for_floats_from_then_on(
    vllm: FakeVllm, client: HttpEmbedder
) -> None:
    vllm.plan(error(422, "encoding_format: unexpected value"))
    assert_right(vllm, client.embed_batch(TEXTS))
    client.embed_batch(TEXTS)
    formats = [request.body["encoding_format"] for request in vllm.requests]
    assert formats == ["base64", "float", "float"]


def test_one_connection_serves_many_requests(vllm: FakeVllm, client: HttpEmbedder) -> None:
    for _ in range(5):
        client.embed_batch(TEXTS)
    assert {request.connection for request in vllm.requests} == {1}


def test_at_most_eight_requests_are_under_way(vllm: FakeVllm, client: HttpEmbedder) -> None:
    vllm.usual = together(IN_FLIGHT)
    with ThreadPoolExecutor(24) as threads:
        assert len(list(threads.map(lambda n: client.embed_batch([f"text {n}"]), range(24)))) == 24
    assert vllm.most_at_once == IN_FLIGHT


async def test_at_most_eight_requests_are_under_way_on_a_loop(
    vllm: FakeVllm, client: HttpEmbedder
) -> None:
    vllm.usual = together(IN_FLIGHT)
    await asyncio.gather(*(client.embed_batch_async([f"text {n}"]) for n in range(24)))
    assert vllm.most_at_once == IN_FLIGHT
    await client.aclose()


# What may be answered the next time


@pytest.mark.parametrize(
    "trouble",
    [
        error(503, "The queue is full."),
        error(502, "Bad gateway"),
        error(504, "Gateway timeout"),
        error(429, "Too many requests"),
        truncated,
        hanging_up,
    ],
    ids=["503", "502", "504", "429", "truncated", "hung-up"],
)
def test_what_may_pass_is_tried_again(
    vllm: FakeVllm, client: HttpEmbedder, face: Face, trouble: Behaviour
) -> None:
    vllm.plan(trouble, trouble)
    assert_right(vllm, face.ask(client))
    assert len(vllm.requests) == 3


def test_nobody_comes_back_earlier_than_retry_after_says(
    vllm: FakeVllm, client: HttpEmbedder, face: Face
) -> None:
    times: list[float] = []

    def noting(behave: Behaviour) -> Behaviour:
        def behaved(server, request):
            times.append(time.monotonic())
            return behave(server, request)

        return behaved

    vllm.plan(noting(error(429, "Too many requests", Retry_After=1)), noting(answered))
    face.ask(client)
    assert times[1] - times[0] >= 1


def test_a_retry_after_beyond_the_deadline_is_not_waited_for(
    vllm: FakeVllm, client: HttpEmbedder, face: Face
) -> None:
    vllm.plan(error(503, "Restarting", Retry_After=3600))
    with pytest.raises(EndpointDownError, match="status 503") as caught:
        face.ask(client)
    assert caught.value.retry_after == 3600
    assert len(vllm.requests) == 1


def test_a_connection_that_the_server_closed_meanwhile_costs_no_request(
    vllm: FakeVllm, client: HttpEmbedder
) -> None:
    vllm.plan(*[closing_silently] * 4)
    for _ in range(5):
        assert_right(vllm, client.embed_batch(TEXTS))
    assert len({request.connection for request in vllm.requests}) == 5


def test_a_server_that_is_too_slow_is_not_waited_for(
    vllm: FakeVllm, client: HttpEmbedder, face: Face
) -> None:
    vllm.plan(slow(600))
    with pytest.raises(EndpointDownError, match="did not answer in time"):
        face.ask(client, seconds=0.3)
    until(lambda: vllm.given_up == 1)


def test_questions_have_a_deadline_of_their_own(vllm: FakeVllm, client_of: MakeClient) -> None:
    client = client_of(vllm, query_seconds=0.2, bulk_seconds=60)
    vllm.usual = slow(0.6)
    with pytest.raises(EndpointDownError):
        client.embed_batch(TEXTS, Side.QUERY)
    assert_right(vllm, client.embed_batch(TEXTS, Side.DOCUMENT))


async def test_cancelling_drops_the_requests(vllm: FakeVllm, client: HttpEmbedder) -> None:
    vllm.plan(*[slow(600)] * IN_FLIGHT)
    asked = [
        asyncio.create_task(client.embed_batch_async(TEXTS, seconds=600)) for _ in range(IN_FLIGHT)
    ]
    await until_on_loop(lambda: len(vllm.requests) == IN_FLIGHT)
    for task in asked:
        task.cancel()
    assert all(
        isinstance(outcome, asyncio.CancelledError)
        for outcome in await asyncio.gather(*asked, return_exceptions=True)
    )
    await until_on_loop(lambda: vllm.given_up == IN_FLIGHT)
    # All places are free again, and nothing was held against the endpoint.
    assert_right(vllm, await client.embed_batch_async(TEXTS))
    assert not client.breaker.reason
    await client.aclose()


# What is not


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_a_refusal_is_not_repeated(
    vllm: FakeVllm, client: HttpEmbedder, face: Face, status: int
) -> None:
    vllm.usual = error(status, "No.")
    with pytest.raises(EndpointRefusedError, match=f"status {status}"):
        face.ask(client)
    assert len(vllm.requests) == 1


def test_a_model_that_is_not_there_is_named(vllm: FakeVllm, client_of: MakeClient) -> None:
    with pytest.raises(EndpointRefusedError, match="`other` does not exist"):
        client_of(vllm, model="other").embed_batch(TEXTS)


def test_a_text_that_is_too_long_is_told_from_other_refusals(
    vllm: FakeVllm, client: HttpEmbedder, face: Face
) -> None:
    vllm.most_characters = 20
    with pytest.raises(InputTooLongError):
        face.ask(client, ["x" * 100])
    assert len(vllm.requests) == 1


@pytest.mark.parametrize(
    ("behaviour", "sentence"),
    [
        (page, "a web page"),
        (with_vectors(lambda vectors: vectors[:-1]), "3 texts with 2 vectors"),
        (with_vectors(lambda vectors: [*vectors, vectors[0]]), "3 texts with 4 vectors"),
        (numbered_wrongly, "fits no texts"),
        (with_vectors(lambda vectors: [*vectors[:-1], vectors[-1][:5]]), "different lengths"),
        (with_vectors(lambda vectors: [vector * np.nan for vector in vectors]), "NaN"),
        (
            with_vectors(lambda vectors: [np.float32(np.inf) * vector for vector in vectors]),
            "NaN or infinity|no JSON",
        ),
        (with_vectors(lambda vectors: [vector[:0] for vector in vectors]), "0 dimensions"),
    ],
    ids=["html", "too-few", "too-many", "numbers", "lengths", "nan", "infinite", "empty"],
)
@pytest.mark.parametrize("base64", [True, False])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_reply_that_is_none_is_refused_and_not_repeated(
    vllm: FakeVllm, client: HttpEmbedder, behaviour: Behaviour, sentence: str, base64: bool
) -> None:
    vllm.knows_base64 = base64
    vllm.plan(behaviour)
    with pytest.raises(BadReplyError, match=sentence):
        client.embed_batch(TEXTS)
    assert len(vllm.requests) == 1


def test_another_dimension_than_before_says_that_the_model_has_changed(vllm: FakeVllm) -> None:
    from codeintel_ls.embedding import Endpoint

    client = HttpEmbedder(Endpoint(url=vllm.url, model=vllm.model), dimension=32)
    client.embed_batch(TEXTS)
    vllm.dimension = 16
    with pytest.raises(ModelChangedError, match="16 dimensions instead of 32"):
        client.embed_batch(TEXTS)
    client.close()


def test_a_redirect_is_not_followed_and_takes_no_key_anywhere(
    vllm: FakeVllm, client_of: MakeClient
) -> None:
    with FakeVllm() as elsewhere:
        client = client_of(vllm, api_key_environment="KEY", environ={"KEY": "sk-secret"})
        vllm.plan(redirecting(elsewhere.url + "/embeddings"))
        with pytest.raises(EndpointMisconfiguredError, match=r"redirects to 127\.0\.0\.1"):
            client.embed_batch(TEXTS)
        assert elsewhere.requests == []


# An endpoint that is down


def test_while_it_is_down_nobody_waits_and_it_is_found_when_it_is_back(vllm: FakeVllm) -> None:
    from codeintel_ls.embedding import Endpoint

    back: list[bool] = []
    client = HttpEmbedder(
        Endpoint(url=vllm.url, model=vllm.model), recovered=lambda: back.append(True)
    )
    client.embed_batch(TEXTS)
    vllm.stop()
    for _ in range(3):
        with pytest.raises(EndpointDownError):
            client.embed_batch(TEXTS, seconds=0.2)
    assert "cannot be reached" in client.breaker.reason
    vllm.start()
    asked = len(vllm.requests)
    with pytest.raises(EndpointDownError):
        client.embed_batch(TEXTS)
    assert len(vllm.requests) == asked
    assert back == []

    def is_back() -> bool:
        with suppress(EndpointDownError):
            client.embed_batch(TEXTS)
        return bool(back)

    until(is_back)
    assert back == [True]
    assert client.breaker.reason == ""
    client.close()


def test_closing_ends_what_is_under_way(vllm: FakeVllm, client: HttpEmbedder) -> None:
    vllm.usual = slow(10)
    begun = time.monotonic()
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(client.embed_batch, TEXTS, seconds=20)
        while not vllm.requests:
            time.sleep(0.01)
        client.close()
        with pytest.raises(EndpointDownError):
            asked.result()
    assert time.monotonic() - begun < 5


def test_after_close_nothing_is_sent(vllm: FakeVllm, client: HttpEmbedder) -> None:
    client.embed_batch(TEXTS)
    client.close()
    with pytest.raises(EndpointDownError, match="was closed"):
        client.embed_batch(TEXTS)
    assert len(vllm.requests) == 1


# Proxies


def test_a_local_endpoint_is_asked_without_the_proxy_of_the_environment(
    vllm: FakeVllm, client: HttpEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert_right(vllm, client.embed_batch(TEXTS))


def test_a_proxy_that_is_set_is_used(vllm: FakeVllm, client_of: MakeClient) -> None:
    # A proxy is sent the whole address, and says what the server says.
    client = client_of(
        vllm, url="http://embeddings.invalid/v1", proxy=f"http://127.0.0.1:{vllm.port}"
    )
    assert_right(vllm, client.embed_batch(TEXTS))
    assert vllm.requests[0].path == "http://embeddings.invalid/v1/embeddings"
    assert not client.endpoint.is_on_this_machine
