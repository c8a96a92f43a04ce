"""What unit tests share."""

import pytest

from codeintel_ls.embedding import StaticEncoder, bundled_encoder


@pytest.fixture(scope="session")
def encoder() -> StaticEncoder:
    """The bundled encoder, loaded once."""
    return bundled_encoder()
