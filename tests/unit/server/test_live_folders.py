"""A folder is open once, for as many as want it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.status import IndexStatus
from codeintel_ls.server.live_folders import OTHER_SETTINGS, LiveFolders, Use
from codeintel_ls.server.pools import Pools
from codeintel_ls.settings import CacheSettings, EmbeddingSettings, IndexSettings, Settings
from codeintel_ls.workspace import WorkspaceFolder
from tests.waiting import until_on_loop


class Window:
    """What one session hears."""

    def __init__(self, cache: Path, *, endpoint: str = "", **index: Any) -> None:
        self.heard: list[str] = []
        self.remarks: tuple[str, ...] = ()
        settings = Settings(
            cache=CacheSettings(directory=str(cache)),
            embedding=EmbeddingSettings(endpoint=endpoint),
            index=IndexSettings(workers=1, watch=False, **index),
        )
        self.use = Use(
            settings,
            self._on_status,
            lambda done, total, message: self.heard.append("progress"),
            lambda: self.heard.append("stopped"),
            lambda: self.heard.append("resumed"),
        )

    def _on_status(self, status: IndexStatus) -> None:
        self.heard.append("status")
        self.remarks = status.remarks


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "app"
    root.mkdir()
    (root / "one.py").write_text("def one():\n    return 1\n")
    return root


@pytest.fixture
async def pools():
    pools = Pools()
    yield pools
    pools.close()


async def test_it_is_open_once_and_closed_with_the_last(root, tmp_path, pools):
    folders = LiveFolders(pools)
    one, two = Window(tmp_path / "cache"), Window(tmp_path / "cache")
    first, second = await asyncio.gather(folders.open(root, one.use), folders.open(root, two.use))
    assert first is second
    assert len(folders) == 1
    await folders.close(one.use)
    assert len(folders) == 1
    await folders.close(two.use)
    assert len(folders) == 0


async def test_stopping_is_told_to_the_others(root, tmp_path, pools):
    folders = LiveFolders(pools)
    one, two = Window(tmp_path / "cache"), Window(tmp_path / "cache")
    await folders.open(root, one.use)
    await folders.open(root, two.use)
    folders.stop_indexing(one.use)
    folders.resumed(two.use)
    assert "stopped" not in one.heard
    assert "stopped" in two.heard
    assert "resumed" in one.heard
    assert "resumed" not in two.heard
    await folders.close_all()


async def test_it_lingers_for_who_comes_back(root, tmp_path, pools):
    folders = LiveFolders(pools, linger_seconds=60)
    window = Window(tmp_path / "cache")
    opened = await folders.open(root, window.use)
    await folders.close(window.use)
    assert await folders.open(root, window.use) is opened
    await folders.close(window.use)
    await folders.close_all()
    assert len(folders) == 0


async def test_what_cannot_be_opened_is_forgotten(root, tmp_path, pools):
    folders = LiveFolders(pools, linger_seconds=60)
    (tmp_path / "cache").write_text("in the way")
    window = Window(tmp_path / "cache")
    with pytest.raises(CodeIntelError):
        await folders.open(root, window.use)
    (tmp_path / "cache").unlink()
    assert await folders.open(root, window.use)
    await folders.close_all()


async def test_what_cannot_be_started_is_closed(root, tmp_path, pools, monkeypatch):
    closed = []
    close = WorkspaceFolder.close

    def refuse(folder, tell):
        raise CodeIntelError("Not today.")

    monkeypatch.setattr(WorkspaceFolder, "start", refuse)
    monkeypatch.setattr(WorkspaceFolder, "close", lambda one: (closed.append(one), close(one)))
    folders = LiveFolders(pools)
    with pytest.raises(CodeIntelError, match="Not today"):
        await folders.open(root, Window(tmp_path / "cache").use)
    assert len(closed) == 1
    await folders.close_all()


async def test_a_folder_is_closed_however_much_waits(root, tmp_path, pools):
    folders = LiveFolders(pools)
    window = Window(tmp_path / "cache")
    opened = await folders.open(root, window.use)
    pools.files.close()
    await folders.close(window.use)
    assert len(folders) == 0
    assert opened.worker_pids() == []


async def test_the_settings_of_who_stays_hold(root, tmp_path, pools):
    folders = LiveFolders(pools)
    one = Window(tmp_path / "cache", exclude=("*.go",))
    two = Window(tmp_path / "cache")
    opened = await folders.open(root, one.use)
    await folders.open(root, two.use)
    assert opened.settings.index.exclude == ("*.go",)
    await folders.close(one.use)
    await until_on_loop(lambda: opened.settings.index.exclude == ())
    await folders.close_all()


async def test_who_sets_another_endpoint_hears_that_it_does_not_hold(root, tmp_path, pools):
    folders = LiveFolders(pools)
    one, two = Window(tmp_path / "cache"), Window(tmp_path / "cache", endpoint="http://localhost:9")
    opened = await folders.open(root, one.use)
    await asyncio.to_thread(opened.wait_until_ready, 60)
    await folders.open(root, two.use)
    assert OTHER_SETTINGS in two.remarks
    assert OTHER_SETTINGS not in one.remarks
    await folders.close(one.use)
    for _ in range(500):
        if opened.settings.embedding.endpoint and OTHER_SETTINGS not in two.remarks:
            break
        await asyncio.sleep(0.01)
    assert opened.settings.embedding == two.use.settings.embedding
    assert OTHER_SETTINGS not in two.remarks
    await folders.close_all()
