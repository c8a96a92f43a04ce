"""The agent's session with the daemon of its workspace, for an event loop."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from codeintel_ls.daemon.client import DaemonClient, DaemonLostError
from codeintel_ls.mcp.service import Report, SessionLostError


class DaemonSession:
    """An `Asked` whose daemon is started where there is none."""

    def __init__(self, client: DaemonClient) -> None:
        """Use `open_session`."""
        self._client = client
        self._telling: set[asyncio.Future[None]] = set()

    async def operation(
        self, name: str, params: Mapping[str, Any], report: Report | None = None
    ) -> Any:
        """See `Asked`."""
        loop = asyncio.get_running_loop()

        def tell(done: float, total: float | None, message: str) -> None:
            if report is not None:
                with suppress(RuntimeError):  # the loop has ended: nobody is told any more
                    loop.call_soon_threadsafe(self._tell, report, done, total, message)

        try:
            return await self._client.ask(name, params, tell if report is not None else None)
        except DaemonLostError as error:
            raise SessionLostError(str(error)) from error

    def _tell(self, report: Report, done: float, total: float | None, message: str) -> None:
        task: asyncio.Future[None] = asyncio.ensure_future(report(done, total, message))
        self._telling.add(task)
        task.add_done_callback(self._told)

    def _told(self, task: "asyncio.Future[None]") -> None:
        self._telling.discard(task)
        # A client that does not hear of progress any more hears of the end, too.
        if not task.cancelled():
            task.exception()

    async def close(self) -> None:
        """See `Asked`."""
        self._client.close()


async def open_session(folders: Sequence[Path]) -> DaemonSession:
    """A session with these folders open. Raises what `DaemonClient.open` does."""
    opening = asyncio.ensure_future(asyncio.to_thread(DaemonClient.open, folders, "agent"))
    try:
        client = await asyncio.shield(opening)
    except asyncio.CancelledError:
        # A thread cannot be stopped: what it opens is closed when it has come.
        opening.add_done_callback(_close_unwanted)
        raise
    if client is None:
        raise SessionLostError("There is no background process.")
    return DaemonSession(client)


def _close_unwanted(opening: "asyncio.Future[DaemonClient | None]") -> None:
    if not opening.cancelled() and opening.exception() is None and (client := opening.result()):
        client.close()
