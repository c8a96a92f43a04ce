"""A session ends, and nothing of it is left."""

import asyncio
import gc
import threading
import weakref

from tests.unit.server.windows import Window
from tests.waiting import until_on_loop


async def test_nothing_keeps_a_session_that_has_ended(tmp_path):
    window = Window(tmp_path)
    shared = window.session.shared
    await window.add().live()
    health = window.health
    await until_on_loop(lambda: bool(health))
    await window.session.close()
    ended = weakref.ref(window.session)
    del window
    gc.collect()
    assert ended() is None
    await shared.close()


async def test_settings_that_are_read_while_their_folder_is_closed_are_of_no_use(tmp_path):
    window = Window(tmp_path)
    folder = window.add()
    await folder.live()
    load, reading, read = window.session.configuration.load, threading.Event(), threading.Event()

    def slowly(scope, folder):
        if folder is not None:
            reading.set()
            read.wait(30)
        return load(scope, folder)

    window.session.configuration.load = slowly
    reconfiguring = asyncio.create_task(window.session.reconfigure())
    assert await asyncio.to_thread(reading.wait, 30)
    window.session.remove_folder(folder.uri)
    await until_on_loop(lambda: len(window.session.shared.folders) == 0)
    read.set()
    await reconfiguring
    await window.close()
