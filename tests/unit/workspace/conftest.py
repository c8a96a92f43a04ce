"""A folder that is open and indexed, for whoever asks it something."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from codeintel_ls.settings import CacheSettings, IndexSettings, Settings
from codeintel_ls.workspace import WorkspaceFolder
from tests.unit.workspace.trees import write_tree


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that keep everything in a cache of one's own."""
    return Settings(
        cache=CacheSettings(directory=str(tmp_path / "cache")), index=IndexSettings(workers=1)
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The small shop, in no repository."""
    return write_tree(tmp_path / "shop")


@pytest.fixture
def folder(root: Path, settings: Settings) -> Iterator[WorkspaceFolder]:
    """The folder of `root`, indexed once; nothing else begins by itself."""
    opened = WorkspaceFolder.open(root, settings)
    opened.update()
    yield opened
    opened.close()
