"""A session ends, and nothing of it is left."""

import asyncio
import gc
import weakref

from tests.unit.server.windows import Window


async def test_nothing_keeps_a_session_that_has_ended(tmp_path):
    window = Window(tmp_path)
    shared = window.session.shared
    await window.add().live()
    async with asyncio.timeout(30):
        while not window.health:  # noqa: ASYNC110 (told by another thread)
            await asyncio.sleep(0.01)
    await window.session.close()
    ended = weakref.ref(window.session)
    del window
    gc.collect()
    assert ended() is None
    await shared.close()
