"""The tools for agents over real stdio, asked by the SDK's own client."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ListRootsResult, Root, TextContent

from codeintel_ls.mcp.tools import TOOLS
from tests.e2e.daemon.conftest import opened, pid_of
from tests.e2e.project import make_project
from tests.e2e.slow_git import SlowGit
from tests.waiting import until

MODES = ["auto", "legacy"]


@asynccontextmanager
async def agent(
    folder: Path, environment: dict[str, str], *arguments: str, **how: Any
) -> AsyncIterator[Client]:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "codeintel_ls", "mcp", *arguments],
        cwd=folder,
        env=environment,
    )
    async with Client(server, **how) as client:
        yield client


def text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def told(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text(result)
    return text(result)


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text(result)


@pytest.mark.parametrize("mode", MODES)
async def test_every_tool_answers(environment, folder, mode):
    async with agent(folder, environment, mode=mode) as client:
        listed = (await client.list_tools()).tools
        assert [tool.name for tool in listed] == [tool.name for tool in TOOLS]
        for tool in listed:
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        found = await told(client, "semantic_search", query="evict expired entries", limit=2)
        assert found.splitlines()[0].startswith("src/cache.py:")
        assert "evict_expired" in found
        assert "Note:" not in found
        similar = await told(
            client, "find_similar", path="steps/step_1.py", start_line=1, end_line=3, limit=2
        )
        assert similar.startswith("steps/step_")
        blame = await told(client, "blame_range", path="src/cache.py", start_line=8, end_line=8)
        assert blame.splitlines()[0].startswith("8  ")
        assert "Grace Example" in blame
        history = await told(client, "file_history", path="src/cache.py", limit=1)
        assert "Call it seconds  [M]" in history
        cursor = history.partition("cursor=")[2].strip()
        rest = await told(client, "file_history", path="src/cache.py", cursor=cursor)
        assert "from src/old.py" in rest
        lines = await told(client, "file_history", path="src/cache.py", start_line=8)
        assert "Call it seconds" in lines
        assert (await told(client, "list_paths", path="src")).splitlines() == [
            "src/cache.py",
            "src/retry.py",
            "src/server.go",
        ]
        assert (await told(client, "index_status")).startswith("ready: ")
        commits = await told(client, "search_history", query="rename the cache")
        assert "Rename the cache" in commits


async def test_results_have_a_structure_too(environment, folder):
    async with agent(folder, environment) as client:
        result = await client.call_tool("semantic_search", {"query": "retry", "limit": 1})
        (hit,) = result.structured_content["hits"]
        assert hit["path"] == "src/retry.py"
        assert result.structured_content["freshness"]["complete"]


async def test_what_is_wrong_is_said_to_the_agent(environment, folder, tmp_path):
    (tmp_path / "secret.py").write_text("key = 1\n")
    async with agent(folder, environment) as client:
        assert "`query` must be given" in await refused(client, "semantic_search")
        assert "between 1 and 50" in await refused(client, "semantic_search", query="x", limit=99)
        assert "`querry`" in await refused(client, "semantic_search", querry="x")
        for path in ("../secret.py", str(tmp_path / "secret.py"), "/etc/passwd"):
            message = await refused(client, "blame_range", path=path, start_line=1, end_line=1)
            assert "outside the folders" in message
        message = await refused(
            client, "blame_range", path="src/cache.py", start_line=900, end_line=901
        )
        assert message.endswith("lines; lines 900 to 901 are not all in it.")
        assert "end_line" in await refused(
            client, "find_similar", path="src/cache.py", start_line=5, end_line=1
        )
        assert "no tool" in await refused(client, "delete_everything")
        assert "files" in await told(client, "index_status")


async def test_the_clients_roots_are_what_is_served(environment, folder, tmp_path):
    make_project(tmp_path / "other")
    (tmp_path / "other/only_here.py").write_text("def only_in_the_other_root():\n    pass\n")

    async def roots(_context: object) -> ListRootsResult:
        return ListRootsResult(
            roots=[Root(uri=(tmp_path / name).as_uri()) for name in ("app", "other")]
        )

    async with agent(tmp_path, environment, mode="legacy", list_roots_callback=roots) as client:
        found = await told(client, "semantic_search", query="only_in_the_other_root", limit=1)
        # A path of another root than the first says which: it can be asked about as it is.
        place = str(tmp_path / "other/only_here.py")
        assert found.startswith(f"{place}:1-2")
        message = await refused(client, "blame_range", path=place, start_line=1, end_line=1)
        assert "not a file tracked by git" in message
        assert "outside" in await refused(
            client, "blame_range", path=str(tmp_path / "x.py"), start_line=1, end_line=1
        )


async def test_it_shares_the_daemon_and_survives_it(environment, folder):
    editor = opened(folder)
    editor.operation("updateIndex", {})
    pid = pid_of(folder)
    async with agent(folder, environment) as client:
        assert await told(client, "semantic_search", query="retry")
        assert pid_of(folder) == pid
        os.kill(pid, signal.SIGKILL)
        assert await told(client, "semantic_search", query="retry")
        assert pid_of(folder) != pid
    editor.close()


async def test_a_cancel_reaches_git(environment, folder, tmp_path):
    slow = SlowGit(tmp_path)
    async with agent(folder, slow.environment(environment)) as client:
        asked = asyncio.create_task(client.call_tool("file_history", {"path": "src/cache.py"}))
        await asyncio.to_thread(until, slow.pids)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        await asyncio.to_thread(until, lambda: not slow.runs())
        assert "files" in await told(client, "index_status")


async def test_progress_of_a_first_index_is_told(environment, folder):
    reports: list[str | None] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        reports.append(message)

    async with agent(folder, environment) as client:
        await client.call_tool("semantic_search", {"query": "retry"}, progress_callback=heard)
    assert reports


async def test_a_named_folder_is_served_from_anywhere(environment, folder, tmp_path):
    async with agent(tmp_path, environment, "--folder", str(folder)) as client:
        assert "src/retry.py" in await told(client, "list_paths")
