"""An endpoint and clients of it, closed in the end."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from codeintel_ls.embedding import Endpoint
from codeintel_ls.embedding.http_client import HttpEmbedder
from tests.unit.embedding.fake_vllm import FakeVllm

MakeClient = Callable[..., HttpEmbedder]


@pytest.fixture
def client_of() -> Iterator[MakeClient]:
    """Makes clients of a server, with other settings as they are named."""
    clients: list[HttpEmbedder] = []

    def make(server: FakeVllm, **settings: Any) -> HttpEmbedder:
        environ: dict[str, str] = settings.pop("environ", {})
        given = {"url": server.url, "model": server.model, "bulk_seconds": 10, **settings}
        clients.append(HttpEmbedder(Endpoint(**given), environ=environ))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(vllm: FakeVllm, client_of: MakeClient) -> HttpEmbedder:
    """A client of `vllm`."""
    return client_of(vllm)
