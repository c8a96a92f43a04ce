"""What unit tests share."""

from collections.abc import Iterator

import pytest

from codeintel_ls.embedding import StaticEncoder, bundled_encoder
from tests.unit.embedding.fake_vllm import FakeVllm


@pytest.fixture(scope="session")
def encoder() -> StaticEncoder:
    """The bundled encoder, loaded once."""
    return bundled_encoder()


@pytest.fixture
def vllm() -> Iterator[FakeVllm]:
    """A server that behaves, until it is told otherwise."""
    with FakeVllm() as server:
        yield server
