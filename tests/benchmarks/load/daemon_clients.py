"""The shared daemon of a real repository, and clients of it: bare sockets and real forwarders."""

import asyncio
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from codeintel_ls.daemon.place import place_of
from codeintel_ls.daemon.starting import connect_or_start
from tests.benchmarks.language_client import CONNECT, LanguageClient, ProcessClient
from tests.benchmarks.workbench import NOT_DEEP, Workbench, first_indexable

_LARGEST_ANSWER = 64 * 1024 * 1024
_END_SECONDS = 60.0
_TURN = 0.1


def cloned(workbench: Workbench) -> Workbench:
    """A workbench whose tree is a clone of its first repository, with all of the history."""
    repository = workbench.repositories[0]
    tree = workbench.folder / "load" / repository.name
    if not tree.exists():
        workbench.git(workbench.folder, "clone", "-q", str(repository), str(tree))
    return workbench.of(tree, first_indexable(tree, 0))


class Daemon:
    """Started with the first client; when this is left, it is waited for until it ends."""

    def __init__(self, workbench: Workbench, options: dict[str, object] | None = None) -> None:
        self._workbench = workbench
        self._options = options
        self._folders = [workbench.tree]
        self._environment = workbench.environment
        self._place = place_of(str(workbench.tree), self._environment)
        self._clients: list[LanguageClient] = []
        self.pid = 0

    async def __aenter__(self) -> Self:
        config = self._workbench.folder / "config" / "codeintel-ls"
        config.mkdir(parents=True, exist_ok=True)
        (config / "config.toml").write_text(NOT_DEEP + "[daemon]\nidle_seconds = 3\n")
        await self.client()
        note = self._place.note()
        assert note is not None
        self.pid = note.pid
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self._clients:
            await client.close()
        for _ in range(int(_END_SECONDS / _TURN)):
            if not _is_running(self.pid):
                return
            await asyncio.sleep(_TURN)
        if error is None:
            raise RuntimeError("the daemon does not end")

    async def client(self) -> LanguageClient:
        """One more session, with all folders open; it ends with this."""
        client = await self.passing_client()
        self._clients.append(client)
        return client

    async def passing_client(self) -> LanguageClient:
        """The same; to be closed by whoever asks for it."""
        connection = await asyncio.to_thread(
            connect_or_start, str(self._workbench.tree), "editor", self._environment
        )
        reader, writer = await asyncio.open_connection(sock=connection, limit=_LARGEST_ANSWER)
        client = LanguageClient(reader, writer)
        await client.begin(self._folders, self._options)
        return client

    async def forwarder(self) -> ProcessClient:
        """A session through `connect`, as an editor has it."""
        process = await asyncio.create_subprocess_exec(
            *CONNECT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
            limit=_LARGEST_ANSWER,
        )
        client = ProcessClient(process)
        await client.begin(self._folders, self._options)
        return client

    def sockets_left(self) -> list[str]:
        """What an ended daemon has left of its socket and note."""
        return [path for path in (self._place.door, self._place.note_file) if Path(path).exists()]


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
