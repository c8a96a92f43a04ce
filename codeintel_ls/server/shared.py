"""What all sessions of one process share: threads, open folders, repositories.

Invariant: nothing here knows a client; what a session wants of it, it gives back when it ends.
"""

import asyncio

from attrs import define, field

from codeintel_ls.server.latencies import Latencies
from codeintel_ls.server.live_folders import LiveFolders
from codeintel_ls.server.pools import Pools
from codeintel_ls.server.repositories import Repositories


@define(eq=False)
class Shared:
    """For one event loop. `folders` stay open for `linger_seconds` after their last session."""

    linger_seconds: float = 0.0
    pools: Pools = field(factory=Pools, init=False)
    repositories: Repositories = field(factory=Repositories, init=False)
    latencies: Latencies = field(factory=Latencies, init=False)
    folders: LiveFolders = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.folders = LiveFolders(self.pools, linger_seconds=self.linger_seconds)

    async def close(self) -> None:
        """Close all of it."""
        await self.folders.close_all()
        # Not in a pool, which may be full: this cannot be left out.
        await asyncio.to_thread(self.repositories.close)
        self.pools.close()
