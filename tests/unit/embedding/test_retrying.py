"""What is sent again, and what is not: counted by the library that repeats."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import stamina.instrumentation

from codeintel_ls.embedding import EndpointDownError, EndpointMisconfiguredError
from codeintel_ls.embedding.http_client import HttpEmbedder
from tests.unit.embedding.conftest import MakeClient
from tests.unit.embedding.fake_vllm import FakeVllm, Received, Reply, error

TEXTS = ["def add(a, b)", "class Cart"]


@pytest.fixture
def retries() -> Iterator[list[str]]:
    """What each retry was for."""
    seen: list[str] = []
    stamina.instrumentation.set_on_retry_hooks([lambda details: seen.append(details.name)])
    yield seen
    stamina.instrumentation.set_on_retry_hooks(None)


@pytest.mark.parametrize("status", [500, 501, 505])
def test_a_server_that_fails_at_a_request_is_not_sent_it_again(
    vllm: FakeVllm, client: HttpEmbedder, status: int
) -> None:
    vllm.plan(error(status, "Internal error"))
    with pytest.raises(EndpointDownError, match=f"status {status}"):
        client.embed_batch(TEXTS)
    assert len(vllm.requests) == 1


def test_a_busy_server_is(vllm: FakeVllm, client: HttpEmbedder, retries: list[str]) -> None:
    vllm.plan(error(503, "The queue is full."))
    client.embed_batch(TEXTS)
    assert len(vllm.requests) == 2
    assert len(retries) == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
def test_a_certificate_that_cannot_be_verified_stays_so(
    client_of: MakeClient, tmp_path: Path, retries: list[str]
) -> None:
    both = tmp_path / "own.pem"
    making = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    named = "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    written = ["-keyout", str(both), "-out", str(tmp_path / "certificate.pem")]
    subprocess.run([*making.split(), *named.split(), *written], check=True, capture_output=True)
    both.write_text(both.read_text() + (tmp_path / "certificate.pem").read_text())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    with FakeVllm(tls=context) as server:
        with pytest.raises(EndpointMisconfiguredError, match=r"embedding\.caFile"):
            client_of(server).embed_batch(TEXTS)
        assert retries == []
        trusting = client_of(server, ca_file=str(tmp_path / "certificate.pem"))
        assert trusting.embed_batch(TEXTS).any()


def test_a_client_that_was_closed_meanwhile_does_not_try_again(
    vllm: FakeVllm, client: HttpEmbedder, retries: list[str]
) -> None:
    def closing(server: FakeVllm, request: Received) -> Reply:
        client.close()
        return error(503, "The queue is full.")(server, request)

    vllm.plan(closing)
    with pytest.raises(EndpointDownError):
        client.embed_batch(TEXTS)
    assert retries == []
