"""Calls of tools become operations of the daemon: roots, the session, waiting, errors.

Invariant: a call is answered with a result or with a sentence that says what to do; a call that
the client cancels is cancelled at the daemon, too.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from attrs import frozen

from codeintel_ls.daemon.client import AnsweredError
from codeintel_ls.daemon.connect_uris import path_of
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.mcp.arguments import read_arguments
from codeintel_ls.mcp.roots import Roots
from codeintel_ls.mcp.tools import TOOLS, Tool

Report = Callable[[float, float | None, str], Awaitable[None]]
"""Told how much of how much is done, in units of the daemon's, with a short message."""

_PATIENCE_SECONDS: Final = 45.0
"""So long a question waits for an index that is being built: agents give up after a minute."""


class UnknownToolError(CodeIntelError):
    """There is no tool of this name."""

    def __init__(self, name: str) -> None:
        known = ", ".join(tool.name for tool in TOOLS)
        super().__init__(f"There is no tool {name[:100]!r} here; there are: {known}.")


class NoFolderError(CodeIntelError):
    """None of the folders that could be asked about exists."""

    def __init__(self) -> None:
        super().__init__(
            "No folder is open: open one in the client, or start the server with --folder."
        )


class SessionLostError(CodeIntelError):
    """The daemon went away in the middle of an operation."""


class Asked(Protocol):
    """A session with a daemon that has these folders open."""

    async def operation(
        self,
        name: str,
        params: Mapping[str, Any],
        report: Report | None = None,
    ) -> Any:
        """The result of `codeintel/<name>`; cancelling this cancels it there.

        Raises:
            SessionLostError: the daemon has gone.
            AnsweredError: it refused, or failed; the message is for a person.

        """
        ...

    async def close(self) -> None:
        """End the session."""
        ...


Opener = Callable[[Sequence[Path]], Awaitable[Asked]]


@frozen
class Answer:
    """What a tool answers: text for a model, and the daemon's result as it is."""

    text: str
    result: Mapping[str, Any]


class ToolService:
    """Serves the calls of one client. Used on one event loop."""

    def __init__(self, open_session: Opener) -> None:
        self._open_session = open_session
        self._opening = asyncio.Lock()
        self._session: Asked | None = None
        self._roots = Roots(())
        self._ready = False

    async def call(
        self, name: str, given: Mapping[str, Any], folders: Sequence[Path], report: Report
    ) -> Answer:
        """The answer of a tool for arguments as they came, about `folders`.

        Raises:
            CodeIntelError: with what is wrong, or what failed.

        """
        tool = next((one for one in TOOLS if one.name == name), None)
        if tool is None:
            raise UnknownToolError(name)
        arguments = read_arguments(tool.parameters, given)
        roots = Roots.of(folders)
        if not roots.folders:
            raise NoFolderError
        ask = tool.ask(arguments, roots)
        try:
            return await self._answer(tool, ask.operation, ask.params, roots, report)
        except SessionLostError:
            # Nothing here changes anything: it can be asked again.
            return await self._answer(tool, ask.operation, ask.params, roots, report)

    async def close(self) -> None:
        """End the session with the daemon."""
        async with self._opening:
            await self._end()

    async def _answer(
        self, tool: Tool, operation: str, params: Mapping[str, Any], roots: Roots, report: Report
    ) -> Answer:
        session = await self._opened(roots)
        doubt = ""
        try:
            if tool.needs_index and not self._ready:
                doubt = await self._wait_for_index(session, report)
            result = await session.operation(operation, params)
            until = time.monotonic() + _PATIENCE_SECONDS
            # Of the tools' results, only that of a search in the history may say that it is not.
            while not result.get("complete", True) and time.monotonic() < until:
                await report(result["indexed"], None, "Indexing commits")
                result = await session.operation(operation, params)
        except SessionLostError:
            await self._forget(session)
            raise
        told = _with_whole_paths(result, roots)
        return Answer("\n".join(filter(None, (tool.text(told), doubt))), told)

    async def _wait_for_index(self, session: Asked, report: Report) -> str:
        """Until the index is complete, but not for longer than a client waits.

        Where it cannot be completed: a note that says why. What there is can be searched.
        """
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await session.operation("updateIndex", {}, report)
        except TimeoutError:
            return ""
        except AnsweredError as error:
            return f"Note: {error} The answer comes from the index as it is."
        self._ready = True
        return ""

    async def _opened(self, roots: Roots) -> Asked:
        async with self._opening:
            if self._session is None or self._roots != roots:
                await self._end()
                self._session = await self._open_session(roots.folders)
                self._roots = roots
            return self._session

    async def _forget(self, session: Asked) -> None:
        async with self._opening:
            if self._session is session:
                await self._end()

    async def _end(self) -> None:
        session, self._session, self._ready = self._session, None, False
        if session is not None:
            await session.close()


def _with_whole_paths(result: Mapping[str, Any], roots: Roots) -> Mapping[str, Any]:
    """The same, with absolute paths for hits outside of the main root: others could be meant."""
    if len(roots.folders) < 2 or "hits" not in result:
        return result
    hits: list[Mapping[str, Any]] = []
    for hit in result["hits"]:
        place = path_of(hit["uri"])
        elsewhere = place is not None and not Path(place).is_relative_to(roots.folders[0])
        hits.append({**hit, "path": place} if elsewhere else hit)
    return {**result, "hits": hits}
