"""An encoder whose model is served elsewhere: documents in bulk, questions in time."""

import asyncio
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codeintel_ls.embedding import (
    BadReplyError,
    EmbeddingError,
    Endpoint,
    EndpointDownError,
    EndpointRefusedError,
    InputTooLongError,
    RemoteModel,
    open_encoder,
)
from codeintel_ls.embedding.http_client import HttpEmbedder
from codeintel_ls.embedding.probe import ModelRecords
from codeintel_ls.embedding.remote import RemoteEncoder
from tests.unit.embedding.fake_vllm import (
    FakeVllm,
    Received,
    Reply,
    error,
    slow,
    together,
    with_vectors,
)
from tests.waiting import until_on_loop

Make = Callable[..., RemoteEncoder]


def endpoint_of(server: FakeVllm, **settings: Any) -> Endpoint:
    return Endpoint(**{"url": server.url, "model": server.model, "bulk_seconds": 5, **settings})


@pytest.fixture
def encoder_of(vllm: FakeVllm) -> Iterator[Make]:
    encoders: list[RemoteEncoder] = []

    def make(**settings: Any) -> RemoteEncoder:
        model = RemoteModel(endpoint_of(vllm, **settings), vllm.dimension, "f")
        encoders.append(RemoteEncoder(model, environ={}))
        return encoders[-1]

    yield make
    for encoder in encoders:
        encoder.close()


def unit(vllm: FakeVllm, texts: list[str]) -> np.ndarray:
    vectors = np.array([vllm.vector(text) for text in texts])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_documents_become_unit_vectors_in_batches(vllm: FakeVllm, encoder_of: Make) -> None:
    texts = [f"def function_{number}(): pass" for number in range(200)]
    vectors = encoder_of(batch_texts=16).embed_documents(texts)
    np.testing.assert_allclose(vectors, unit(vllm, texts), atol=1e-6)
    assert len(vllm.requests) == 13
    assert all(len(request.texts) <= 16 for request in vllm.requests)


def test_batches_go_several_at_a_time(vllm: FakeVllm, encoder_of: Make) -> None:
    vllm.usual = together(8)
    encoder_of(batch_texts=1).embed_documents([f"text {number}" for number in range(16)])
    assert vllm.most_at_once == 8


def test_blank_texts_are_zeros_and_not_sent(vllm: FakeVllm, encoder_of: Make) -> None:
    vectors = encoder_of().embed_documents(["", "  \n", "word"])
    assert not vectors[:2].any()
    assert vectors[2].any()
    assert vllm.texts() == ["word"]
    assert encoder_of().embed_documents([]).shape == (0, vllm.dimension)


def test_texts_that_are_too_long_are_cut_and_the_others_are_not(
    vllm: FakeVllm, encoder_of: Make
) -> None:
    vllm.most_characters = 200
    long = "".join(f"word{number} " for number in range(100))
    texts = ["short one", long, "short two"]
    vectors = encoder_of().embed_documents(texts)
    np.testing.assert_allclose(vectors[[0, 2]], unit(vllm, [texts[0], texts[2]]), atol=1e-6)
    assert float(vectors[1] @ unit(vllm, [long[:200]])[0]) > 0.8
    # What a text becomes does not depend on its neighbours.
    np.testing.assert_array_equal(encoder_of().embed_documents([long])[0], vectors[1])


def test_a_server_that_takes_no_text_at_all_is_not_asked_for_ever(
    vllm: FakeVllm, encoder_of: Make
) -> None:
    vllm.most_characters = 0
    with pytest.raises(InputTooLongError):
        encoder_of().embed_documents(["word " * 1000])
    assert len(vllm.requests) < 10


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (422, "batch size 16 > maximum allowed batch size 4"),
        (413, "batch size 16 > maximum allowed batch size 4"),
        (413, ""),
    ],
)
def test_a_lot_that_is_too_large_goes_in_smaller_ones_and_its_setting_is_told(
    vllm: FakeVllm, encoder_of: Make, caplog: pytest.LogCaptureFixture, status: int, message: str
) -> None:
    usual = vllm.usual

    def at_most_four(server: FakeVllm, request: Received) -> Reply:
        behave = error(status, message) if len(request.texts) > 4 else usual
        return behave(server, request)

    vllm.usual = at_most_four
    texts = [f"text {number}" for number in range(32)]
    encoder = encoder_of(batch_texts=16)
    np.testing.assert_allclose(encoder.embed_documents(texts), unit(vllm, texts), atol=1e-6)
    assert "lower the setting embedding.batchTexts" in caplog.text
    # What was learned is not asked again.
    before = len(vllm.requests)
    encoder.embed_documents(texts)
    assert all(len(request.texts) == 4 for request in vllm.requests[before:])


def test_one_text_that_is_refused_is_not_said_to_be_many(vllm: FakeVllm, encoder_of: Make) -> None:
    vllm.usual = error(413, "")
    with pytest.raises(EndpointRefusedError, match=r"refuses the request \(status 413\)"):
        encoder_of().embed_documents(["word"])


def test_what_was_embedded_before_an_error_is_not_sent_again(
    vllm: FakeVllm, encoder_of: Make
) -> None:
    texts = [f"text {number}" for number in range(40)]

    def refusing_the_last(server: FakeVllm, request: Any) -> Any:
        behave = error(400, "No.") if texts[-1] in request.texts else usual
        return behave(server, request)

    usual, vllm.usual = vllm.usual, refusing_the_last
    encoder = encoder_of(batch_texts=4)
    with pytest.raises(EmbeddingError):
        encoder.embed_documents(texts)
    vllm.usual = usual
    before = len(vllm.requests)
    sent_before = {text for r in vllm.requests for text in r.texts} - set(texts[36:])
    np.testing.assert_allclose(encoder.embed_documents(texts), unit(vllm, texts), atol=1e-6)
    assert not sent_before.intersection(t for r in vllm.requests[before:] for t in r.texts)


def test_a_question_is_asked_once(vllm: FakeVllm, encoder_of: Make) -> None:
    encoder = encoder_of(query_prefix="query: ")
    first = encoder.embed_queries(["where"])
    both = encoder.embed_queries(["where", "how"])
    np.testing.assert_array_equal(first[0], both[0])
    assert vllm.texts() == ["query: where", "query: how"]


def test_a_question_that_failed_a_moment_ago_is_not_waited_for_again(
    vllm: FakeVllm, encoder_of: Make
) -> None:
    vllm.plan(error(400, "No."))
    encoder = encoder_of()
    for _ in range(3):
        with pytest.raises(EmbeddingError):
            encoder.embed_queries(["where"])
    assert len(vllm.requests) == 1


async def test_a_failure_is_forgotten_however_often_its_question_is_asked(
    vllm: FakeVllm, encoder_of: Make
) -> None:
    vllm.plan(error(400, "No."))
    encoder = encoder_of()
    async with asyncio.timeout(30):
        while len(vllm.requests) < 2:
            await encoder.embed_ahead("where")
            await asyncio.sleep(0.05)
    assert encoder.embed_queries(["where"]).any()


async def test_questions_asked_ahead_travel_together_and_wait_for_the_search(
    vllm: FakeVllm, encoder_of: Make
) -> None:
    encoder = encoder_of()
    await asyncio.gather(*(encoder.embed_ahead(f"question {n % 50}") for n in range(100)))
    assert sorted(vllm.texts()) == sorted(f"question {n}" for n in range(50))
    assert len(vllm.requests) <= 2
    sent = len(vllm.requests)
    assert encoder.embed_queries(["question 7"]).shape == (1, vllm.dimension)
    assert len(vllm.requests) == sent


async def test_one_who_leaves_does_not_take_the_others_answers_along(
    vllm: FakeVllm, encoder_of: Make
) -> None:
    vllm.usual = slow(0.3)
    encoder = encoder_of(query_seconds=30)
    leaving = asyncio.create_task(encoder.embed_ahead("same"))
    staying = asyncio.create_task(encoder.embed_ahead("same"))
    other = asyncio.create_task(encoder.embed_ahead("other"))
    await until_on_loop(vllm.texts)
    leaving.cancel()
    await asyncio.gather(staying, other)
    assert encoder.embed_queries(["same", "other"]).shape == (2, vllm.dimension)
    assert len(vllm.requests) == 1


async def test_asking_ahead_of_an_endpoint_that_is_down_raises_nothing_there(
    vllm: FakeVllm, encoder_of: Make
) -> None:
    vllm.stop()
    encoder = encoder_of(query_seconds=0.3)
    await encoder.embed_ahead("where")
    with pytest.raises(EndpointDownError):
        encoder.embed_queries(["where"])


def test_a_remote_model_travels_to_another_process_and_works_there(vllm: FakeVllm) -> None:
    model = RemoteModel(endpoint_of(vllm), vllm.dimension, "f")
    encoder = open_encoder(pickle.loads(pickle.dumps(model)))
    assert encoder.dimension == vllm.dimension
    assert encoder.identity == model.identity
    assert encoder.embed_documents(["word"]).any()


# Which model it is


class Probes:
    """Asks which model a server has, as a new process does."""

    def __init__(self, folder: Path) -> None:
        self.records = ModelRecords(folder / "models")

    def ask(self, endpoint: Endpoint) -> RemoteModel:
        client = HttpEmbedder(endpoint, environ={})
        try:
            return self.records.ask(client)
        finally:
            client.close()


@pytest.fixture
def probes(tmp_path: Path) -> Probes:
    return Probes(tmp_path)


def test_a_model_is_found_once_and_known_without_asking(vllm: FakeVllm, probes: Probes) -> None:
    assert probes.records.known(endpoint_of(vllm)) is None
    model = probes.ask(endpoint_of(vllm))
    assert model.dimension == vllm.dimension
    assert probes.records.known(endpoint_of(vllm)) == model


def test_the_same_model_is_the_same_wherever_it_is_served(vllm: FakeVllm, probes: Probes) -> None:
    model = probes.ask(endpoint_of(vllm))
    with FakeVllm() as elsewhere:
        elsewhere.plan(with_vectors(lambda vectors: [vector + 1e-4 for vector in vectors]))
        assert probes.ask(endpoint_of(elsewhere)).identity == model.identity


def test_another_model_under_the_same_name_is_another(vllm: FakeVllm, probes: Probes) -> None:
    model = probes.ask(endpoint_of(vllm))
    vllm.salt = "finetuned"
    other = probes.ask(endpoint_of(vllm))
    assert other.identity != model.identity
    assert probes.records.known(endpoint_of(vllm)) == other


@pytest.mark.parametrize(
    "setting",
    [
        {"model": ""},
        {"query_prefix": "query: "},
        {"document_prefix": "passage: "},
        {"dimensions": 32},
        {"truncate_tokens": 128},
    ],
)
def test_whatever_decides_a_vector_is_part_of_the_identity(
    vllm: FakeVllm, probes: Probes, setting: dict[str, Any]
) -> None:
    plain = probes.ask(endpoint_of(vllm))
    assert probes.ask(endpoint_of(vllm, **setting)).identity != plain.identity


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"vector": "!"}', '{"vector": ""}', "\0"])
def test_a_damaged_record_is_asked_anew(vllm: FakeVllm, probes: Probes, content: str) -> None:
    model = probes.ask(endpoint_of(vllm))
    for path in (Path(probes.records._folder)).iterdir():
        path.write_text(content)
    assert probes.records.known(endpoint_of(vllm)) is None
    assert probes.ask(endpoint_of(vllm)) == model


def test_a_model_that_cannot_be_remembered_is_found_all_the_same(
    vllm: FakeVllm, probes: Probes, tmp_path: Path
) -> None:
    (tmp_path / "models").write_text("in the way")
    assert probes.ask(endpoint_of(vllm)).dimension == vllm.dimension
    assert probes.records.known(endpoint_of(vllm)) is None


def test_a_model_whose_vectors_are_empty_is_none(vllm: FakeVllm, probes: Probes) -> None:
    vllm.plan(with_vectors(lambda vectors: [vector * 0 for vector in vectors]))
    with pytest.raises(BadReplyError, match="empty vector"):
        probes.ask(endpoint_of(vllm))
