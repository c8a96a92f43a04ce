"""Waiting for what happens in another thread or process."""

import asyncio
import time
from collections.abc import Callable

SECONDS = 60.0
_LOOK_SECONDS = 0.02


def eventually(check: Callable[[], object], seconds: float = SECONDS) -> bool:
    """Whether it comes true within that time."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def until(check: Callable[[], object]) -> None:
    """Fails where it never comes true."""
    assert eventually(check), "it never happened"


async def until_on_loop(check: Callable[[], object]) -> None:
    """The same, while the event loop goes on."""
    async with asyncio.timeout(SECONDS):
        # What is waited for happens in threads and processes, too.
        while not check():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
