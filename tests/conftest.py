"""What all tests share."""

import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def no_state_of_the_user() -> Iterator[None]:
    """Answers and sockets of whoever runs the tests are neither read nor written."""
    # A socket's path has to be short, and pytest's own folders are deep.
    with (
        tempfile.TemporaryDirectory(prefix="ci-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
            patch.setenv(name, folder)
        yield
