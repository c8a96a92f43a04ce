"""The shapes in which servers want to be asked, and answer, as they differ."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.embedding import BadReplyError, EmbeddingError, Endpoint, Provider
from codeintel_ls.embedding.batching import batches
from codeintel_ls.embedding.wire import Side, read_reply, refusal, request_body
from tests.unit.embedding.conftest import MakeClient
from tests.unit.embedding.fake_vllm import FakeVllm, Received, Reply, error

TEXTS = ["one text", "another text"]


def body(side: Side = Side.DOCUMENT, texts: list[str] = TEXTS, **settings: Any) -> dict[str, Any]:
    given = {"url": "http://localhost:8000/v1", "model": "m", **settings}
    return json.loads(request_body(Endpoint(**given), texts, side, packed=True))


@pytest.mark.parametrize(
    ("url", "provider", "address"),
    [
        ("http://localhost:8000", "auto", "http://localhost:8000/v1/embeddings"),
        ("http://localhost:8000/v1/", "auto", "http://localhost:8000/v1/embeddings"),
        ("http://h/v1/embeddings", "auto", "http://h/v1/embeddings"),
        ("https://h/prefix/v1", "vllm", "https://h/prefix/v1/embeddings"),
        ("http://localhost:11434", "auto", "http://localhost:11434/api/embed"),
        ("http://localhost:11434/v1", "auto", "http://localhost:11434/v1/embeddings"),
        ("http://h:9/", "ollama", "http://h:9/api/embed"),
        ("http://h:9", "tei", "http://h:9/embed"),
        ("https://api.voyageai.com", "auto", "https://api.voyageai.com/v1/embeddings"),
    ],
)
def test_an_address_may_be_whole_or_only_begun(url: str, provider: str, address: str) -> None:
    assert Endpoint(url=url, model="m", provider=Provider(provider)).address == address


@pytest.mark.parametrize(
    ("url", "proxy", "local"),
    [
        ("http://localhost:8000", "", True),
        ("http://127.0.0.1:8000", "", True),
        ("http://[::1]:8000", "", True),
        ("http://models.localhost", "", True),
        ("http://localhost:8000", "http://proxy:3128", False),
        ("http://localhost.example.org", "", False),
        ("http://192.168.1.5:8000", "", False),
        ("https://api.openai.com", "", False),
        ("http://0.0.0.0:8000", "", False),
    ],
)
def test_this_machine_is_what_the_loopback_interface_reaches(
    url: str, proxy: str, local: bool
) -> None:
    assert Endpoint(url=url, model="m", proxy=proxy).is_on_this_machine is local


def test_vllm_is_asked_for_base64_dimensions_and_truncation() -> None:
    asked = body(provider=Provider.VLLM, dimensions=256, truncate_tokens=-1)
    assert asked == {
        "model": "m",
        "input": TEXTS,
        "encoding_format": "base64",
        "dimensions": 256,
        "truncate_prompt_tokens": -1,
    }


def test_what_is_not_set_is_not_sent() -> None:
    assert body(model="") == {"input": TEXTS, "encoding_format": "base64"}


def test_ollama_truncates_by_itself_and_knows_no_base64() -> None:
    assert body(provider=Provider.OLLAMA) == {"model": "m", "input": TEXTS, "truncate": True}


def test_text_embeddings_inference_has_names_of_its_own() -> None:
    assert body(provider=Provider.TEI) == {"inputs": TEXTS, "truncate": True, "normalize": True}


def test_voyage_is_told_which_side_a_text_is_on() -> None:
    asked = body(Side.QUERY, provider=Provider.VOYAGE, dimensions=512)
    assert asked["input_type"] == "query"
    assert asked["output_dimension"] == 512
    assert "dimensions" not in asked
    assert body(Side.DOCUMENT, provider=Provider.VOYAGE)["input_type"] == "document"


def test_each_side_has_its_prefix() -> None:
    prefixes = {"query_prefix": "query: ", "document_prefix": "passage: "}
    assert body(Side.QUERY, ["a"], **prefixes)["input"] == ["query: a"]
    assert body(Side.DOCUMENT, ["a"], **prefixes)["input"] == ["passage: a"]


def test_text_that_no_json_can_hold_is_sent_without_what_it_cannot() -> None:
    assert body(texts=["a\ud800b"])["input"] == ["a?b"]


def ollama(server: FakeVllm, request: Received) -> Reply:
    vectors = [server.vector(text).tolist() for text in request.texts]
    return Reply(body=json.dumps({"model": "m", "embeddings": vectors}).encode())


def tei(server: FakeVllm, request: Received) -> Reply:
    return Reply(body=json.dumps([server.vector(t).tolist() for t in request.texts]).encode())


@pytest.mark.parametrize(
    ("provider", "behaviour", "path"),
    [(Provider.OLLAMA, ollama, "/api/embed"), (Provider.TEI, tei, "/embed")],
)
def test_replies_of_other_shapes_are_read(
    vllm: FakeVllm, client_of: MakeClient, provider: Provider, behaviour: Any, path: str
) -> None:
    vllm.usual = behaviour
    url = vllm.url.removesuffix("/v1")
    vectors = client_of(vllm, url=url, provider=provider).embed_batch(TEXTS)
    np.testing.assert_allclose(vectors, [vllm.vector(text) for text in TEXTS], rtol=1e-6)
    assert vllm.requests[0].path == path


@pytest.mark.parametrize(
    ("said", "sort"),
    [
        ({"error": {"message": "maximum context length is 512 tokens"}}, "InputTooLongError"),
        ({"message": "This model's maximum context length is 512"}, "InputTooLongError"),
        ({"error": "`inputs` must have less than 512 tokens", "error_type": "Validation"}, "Input"),
        ({"error": "the input length exceeds the context length"}, "InputTooLongError"),
        ({"detail": "Request body: input too long"}, "InputTooLongError"),
        ({"detail": [{"msg": "encoding_format: unexpected value"}]}, "EncodingRefusedError"),
        ({"error": {"message": "dimensions are not supported"}}, "EndpointRefusedError"),
        ({"error": None}, "EndpointRefusedError"),
        ([], "EndpointRefusedError"),
        ("no", "EndpointRefusedError"),
    ],
)
def test_refusals_are_understood_in_all_shapes(said: object, sort: str) -> None:
    endpoint = Endpoint(url="http://h", model="m")
    refused = refusal(
        endpoint, 422, json.dumps(said).encode(), count=1, retry_after=None, target=""
    )
    assert type(refused).__name__.startswith(sort)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda values: (
        st.lists(values, max_size=4)
        | st.dictionaries(
            st.sampled_from(["data", "embeddings", "embedding", "index", "error", "message"]),
            values,
        )
    ),
)


@given(reply=_json, kind=st.sampled_from(Provider), count=st.integers(1, 3))
def test_whatever_comes_is_vectors_or_a_clear_error(
    reply: object, kind: Provider, count: int
) -> None:
    endpoint = Endpoint(url="http://h", model="m", provider=kind)
    content = json.dumps(reply).encode()
    said = "The embedding endpoint http://h "
    try:
        vectors = read_reply(endpoint, content, count, None)
    except BadReplyError as bad:
        said = str(bad)
    else:
        assert len(vectors) == count
        assert np.isfinite(vectors).all()
    assert said.startswith("The embedding endpoint http://h ")
    refused = refusal(endpoint, 400, content, count=1, retry_after=None, target="")
    assert isinstance(refused, EmbeddingError)


@given(
    sizes=st.lists(st.integers(0, 400), max_size=60),
    most_tokens=st.integers(1, 200),
    most_texts=st.integers(1, 10),
    most_bytes=st.integers(1, 900),
)
def test_batches_are_the_texts_in_order_within_the_limits(
    sizes: list[int], most_tokens: int, most_texts: int, most_bytes: int
) -> None:
    texts = ["é" * size for size in sizes]
    lots = list(
        batches(texts, most_tokens=most_tokens, most_texts=most_texts, most_bytes=most_bytes)
    )
    assert [text for lot in lots for text in texts[lot]] == texts
    for lot in lots:
        some = texts[lot]
        assert 1 <= len(some) <= most_texts
        if len(some) > 1:
            assert sum(len(text.encode()) for text in some) <= most_bytes
            assert sum(len(text.encode()) // 3 for text in some) <= most_tokens


def test_a_server_that_is_overloaded_in_other_words_is_asked_again(
    vllm: FakeVllm, client_of: MakeClient
) -> None:
    vllm.usual = tei
    vllm.plan(error(429, "Model is overloaded"))
    url = vllm.url.removesuffix("/v1")
    assert len(client_of(vllm, url=url, provider=Provider.TEI).embed_batch(TEXTS)) == 2
