"""Keys of an endpoint: sent to it, and told to nobody else."""

import logging
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from codeintel_ls.embedding import EmbeddingError, EndpointMisconfiguredError
from codeintel_ls.embedding.http_client import HttpEmbedder
from tests.unit.embedding.conftest import MakeClient
from tests.unit.embedding.fake_vllm import FakeVllm, error, page

TEXTS = ["def add(a, b)", "class Cart"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_names_its_settings(
    vllm: FakeVllm, client: HttpEmbedder, status: int
) -> None:
    vllm.plan(error(status, "Unauthorized"))
    with pytest.raises(EndpointMisconfiguredError, match=r"embedding\.apiKeyEnvironment"):
        client.embed_batch(TEXTS)


def key_from_environment(_folder: Path) -> dict[str, object]:
    return {"api_key_environment": "OWN_KEY", "environ": {"OWN_KEY": "sk-s3cret"}}


def key_from_file(folder: Path) -> dict[str, object]:
    path = folder / "key"
    path.write_text("sk-s3cret\n")
    return {"api_key_file": str(path)}


@pytest.mark.parametrize("source", [key_from_environment, key_from_file])
def test_the_key_is_sent_and_told_to_nobody_else(
    vllm: FakeVllm,
    client_of: MakeClient,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    source: Callable[[Path], dict[str, object]],
) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_of(vllm, **source(tmp_path))
    client.embed_batch(TEXTS)
    assert vllm.requests[0].headers["authorization"] == "Bearer sk-s3cret"
    said = [repr(client.endpoint), repr(client)]
    for trouble in (error(401, "Wrong key sk-s3cret"), error(400, "sk-s3cret"), page):
        vllm.plan(trouble)
        with pytest.raises(EmbeddingError) as caught:
            client.embed_batch(["class Confidential"])
        said += [str(caught.value), repr(pickle.loads(pickle.dumps(caught.value)))]
        said += [str(caught.value.__cause__)]
    everything = "\n".join([*said, caplog.text])
    assert "s3cret" not in everything
    assert "Confidential" not in everything


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"api_key_environment": "OWN_KEY"}, "environment variable OWN_KEY"),
        ({"api_key_file": "/nowhere/key"}, "cannot be read: No such file"),
        ({"api_key_environment": "OWN_KEY", "environ": {"OWN_KEY": "a b\n"}}, "no API key"),
    ],
)
def test_a_key_that_is_not_there_sends_nothing(
    vllm: FakeVllm, client_of: MakeClient, settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(EndpointMisconfiguredError, match=sentence):
        client_of(vllm, **settings).embed_batch(TEXTS)
    assert vllm.requests == []
