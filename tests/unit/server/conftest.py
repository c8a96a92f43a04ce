"""A window for whoever asks a session something."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.server.windows import Window


@pytest.fixture
async def window(tmp_path: Path) -> AsyncIterator[Window]:
    """A window without an open folder."""
    opened = Window(tmp_path)
    yield opened
    await opened.close()
