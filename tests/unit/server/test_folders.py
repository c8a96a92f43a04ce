"""Folders that cannot be opened: told, tried again, and as good as any other afterwards."""

import asyncio
import logging

import pytest

from codeintel_ls.progress import no_progress
from codeintel_ls.server import wire
from codeintel_ls.server.folders import Folder, FolderFailedError
from codeintel_ls.server.index_operations import index_status, update_index
from codeintel_ls.server.search import semantic_search
from tests.unit.server.windows import Window
from tests.waiting import until_on_loop

RETRY_SECONDS = "codeintel_ls.server.folders.RETRY_SECONDS"


async def failed(window: Window) -> Folder:
    """A folder that could not be opened, as the client has heard."""
    window.block()
    folder = window.add()
    with pytest.raises(FolderFailedError, match="cannot be used"):
        await folder.live()
    await until_on_loop(lambda: window.health[-1:] == ["error"])
    return folder


async def test_a_folder_that_failed_is_opened_by_itself_when_it_can_be(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RETRY_SECONDS, 0.05)
    folder = await failed(window)
    window.unblock()
    await until_on_loop(lambda: folder.opened is not None)
    await until_on_loop(lambda: window.health[-1] == "ok")
    (status,) = (await index_status(window.session, wire.NoParams())).folders
    assert status.last_error is None


@pytest.mark.parametrize("operation", ["updateIndex", "semanticSearch"])
async def test_a_folder_that_failed_is_tried_again_when_something_is_asked_of_it(
    window: Window, operation: str
) -> None:
    async def ask() -> None:
        if operation == "updateIndex":
            await update_index(window.session, wire.UpdateIndexParams(), no_progress)
        else:
            await semantic_search(window.session, wire.SemanticSearchParams(query="remember"))

    await failed(window)
    with pytest.raises(FolderFailedError, match="cannot be used"):
        await ask()
    window.unblock()
    await asyncio.gather(ask(), ask())
    await until_on_loop(lambda: window.health[-1] == "ok")


async def test_what_stays_wrong_is_logged_once(
    window: Window,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(RETRY_SECONDS, 0.01)
    folder = await failed(window)
    tries = {folder.opening}
    while len(tries) < 4:
        tries.add(folder.opening)
        await asyncio.sleep(0.001)
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1


async def test_a_folder_that_was_closed_is_not_tried_again(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RETRY_SECONDS, 0.01)
    folder = await failed(window)
    window.session.remove_folder(folder.uri)
    await until_on_loop(folder.opening.done)
    last = folder.opening
    window.unblock()
    with pytest.raises(FolderFailedError):
        await folder.live(retry=True)
    await asyncio.sleep(0.05)
    assert folder.opening is last
    await until_on_loop(lambda: window.health[-1] == "ok")
