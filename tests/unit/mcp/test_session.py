"""A session with a daemon that takes its time."""

import asyncio
from pathlib import Path
from threading import Event

import pytest

from codeintel_ls.daemon.client import DaemonClient
from codeintel_ls.mcp.session import open_session


async def test_what_opens_for_nobody_any_more_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    begun, released, closed = Event(), Event(), asyncio.Event()

    class FakeClient:
        def close(self) -> None:
            closed.set()

    def open_slowly(folders: object, kind: str) -> FakeClient:
        begun.set()
        released.wait(60)
        return FakeClient()

    monkeypatch.setattr(DaemonClient, "open", open_slowly)
    opening = asyncio.create_task(open_session([tmp_path]))
    await asyncio.to_thread(begun.wait, 60)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    released.set()
    async with asyncio.timeout(60):
        await closed.wait()
