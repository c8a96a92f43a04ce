"""A language client over pipes that does next to nothing, so that the server is what is timed.

It answers what a server asks of a client with null, and drops notifications.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from codeintel_ls.server.uris import uri_from_path

SERVER = (sys.executable, "-m", "codeintel_ls", "serve", "--stdio")
CONNECT = (sys.executable, "-m", "codeintel_ls", "connect")
BARE = (sys.executable, "-c", "pass")
"""What any program in Python takes at least."""
_LARGEST_ANSWER = 64 * 1024 * 1024
_PATIENCE_SECONDS = 3_600.0
_ENDED = "The server has ended."


class RequestFailedError(Exception):
    """The server answered a request with an error."""


class LanguageClient:
    """One session over a pair of streams."""

    def __init__(self, output: asyncio.StreamReader, given: asyncio.StreamWriter) -> None:
        self._input, self._output = given, output
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._last_id = 0
        self._ended = False
        self.unasked = 0
        """Answers that nobody waited for: a second one to a request."""
        self._reading = asyncio.create_task(self._read_all())

    async def ask(self, method: str, params: object = None) -> Any:
        """The result of a request. Raises RequestFailedError, also where the server has ended."""
        if self._ended:
            raise RequestFailedError(_ENDED)
        self._last_id += 1
        answer = asyncio.get_running_loop().create_future()
        self._answers[self._last_id] = answer
        self._send({"id": self._last_id, "method": method, "params": params})
        return await asyncio.wait_for(answer, _PATIENCE_SECONDS)

    async def operation(self, name: str, **params: object) -> Any:
        """The result of `codeintel/<name>`."""
        return await self.ask(f"codeintel/{name}", params)

    def tell(self, method: str, params: object) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def saved(self, file: Path) -> None:
        """Tell that a file was saved."""
        self.tell("textDocument/didSave", {"textDocument": {"uri": uri_from_path(file)}})

    async def hover(self, file: Path, line: int) -> Any:
        """The hover at the beginning of a line (0-based)."""
        place = {"line": line, "character": 0}
        params = {"textDocument": {"uri": uri_from_path(file)}, "position": place}
        return await self.ask("textDocument/hover", params)

    async def begin(
        self, folders: Sequence[Path], options: Mapping[str, object] | None = None
    ) -> None:
        """Initialize with these folders."""
        named = [{"uri": uri_from_path(folder), "name": folder.name} for folder in folders]
        await self.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "capabilities": {},
                "workspaceFolders": named,
                "initializationOptions": options or {},
            },
        )
        self.tell("initialized", {})

    async def close(self) -> None:
        """End the session."""
        await self.ask("shutdown")
        self.tell("exit", None)
        self._reading.cancel()

    def end(self) -> None:
        """Let go of the streams."""
        self._reading.cancel()
        self._input.close()

    def _send(self, message: dict[str, Any]) -> None:
        body = orjson.dumps({"jsonrpc": "2.0", **message})
        self._input.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _read_all(self) -> None:
        try:
            while True:
                header = await self._output.readuntil(b"\r\n\r\n")
                length = int(header.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                self._receive(orjson.loads(await self._output.readexactly(length)))
        except (asyncio.IncompleteReadError, OSError):
            return
        # Whatever ends the reading, nobody waits for what nobody will read.
        finally:
            self._ended = True
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(RequestFailedError(_ENDED))

    def _receive(self, message: dict[str, Any]) -> None:
        if "method" in message:
            if "id" in message:
                self._send({"id": message["id"], "result": None})
            return
        answer = self._answers.pop(message["id"], None)
        if answer is None:
            self.unasked += 1
            return
        if answer.done():
            return
        if "error" in message:
            answer.set_exception(RequestFailedError(message["error"]["message"]))
        else:
            answer.set_result(message["result"])


class ProcessClient(LanguageClient):
    """One session with one process of its own: the server, or what forwards to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        super().__init__(process.stdout, process.stdin)
        self.process = process

    async def close(self) -> None:
        """End the session and the process."""
        await super().close()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), 10)
        if self.process.returncode is None:
            self.process.kill()


@asynccontextmanager
async def session(
    environment: Mapping[str, str],
    folders: Sequence[Path],
    *,
    index: bool = True,
    wait: bool = True,
    command: Sequence[str] = SERVER,
) -> AsyncIterator[ProcessClient]:
    """A server with these folders open, and (`index`) all of them indexed, once (`wait`)."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=dict(environment),
        limit=_LARGEST_ANSWER,
    )
    client = ProcessClient(process)
    try:
        await client.begin(folders, {"index": {"enabled": index}})
        if index and wait:
            await client.operation("updateIndex")
        yield client
        await client.close()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
