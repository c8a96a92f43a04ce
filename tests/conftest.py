"""What all tests share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

# The deep model would take processors from tests that do not ask it.
NOT_DEEP = '[search]\ndeep = "off"\n'


@pytest.fixture(scope="session", autouse=True)
def no_state_of_the_user() -> Iterator[None]:
    """Answers, settings and sockets of whoever runs the tests are neither read nor written."""
    # A socket's path has to be short, and pytest's own folders are deep.
    with (
        tempfile.TemporaryDirectory(prefix="ci-") as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
            patch.setenv(name, folder)
        config = Path(folder, "codeintel-ls", "config.toml")
        config.parent.mkdir()
        config.write_text(NOT_DEEP)
        yield
