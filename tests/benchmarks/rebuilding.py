"""Work that a server does in the background while something else is measured."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from codeintel_ls.server.uris import uri_from_path
from tests.benchmarks.language_client import LanguageClient


@asynccontextmanager
async def rebuilding(client: LanguageClient, folder: Path) -> AsyncIterator[None]:
    """One full index of `folder` after the other, for as long as the block lasts."""

    async def rebuild() -> None:
        while True:
            await client.operation("rebuildIndex", folder=uri_from_path(folder))

    task = asyncio.create_task(rebuild())
    await asyncio.sleep(1)
    try:
        yield
    finally:
        if task.done():
            task.result()
        task.cancel()
        # Returns when nothing is being indexed any more.
        await client.operation("updateIndex")
