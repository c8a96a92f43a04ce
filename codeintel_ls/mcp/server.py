"""The Model Context Protocol over standard input and output, by the official SDK."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from codeintel_ls import __version__
from codeintel_ls.daemon.connect_uris import path_of
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.mcp.arguments import schema_of
from codeintel_ls.mcp.service import Opener, ToolService
from codeintel_ls.mcp.tools import TOOLS

NAME: Final = "codeintel-ls"
_INSTRUCTIONS: Final = (
    "Semantic search over this workspace's code, blame and history. Everything runs on this "
    "machine and nothing is changed by any tool. Lines are 1-based. Begin with semantic_search "
    "when you do not know where something is; blame_range and search_history tell why it is so."
)


async def serve(open_session: Opener, folder: Path) -> None:
    """Serve one client until its end of standard input. `folder`: where it names no roots."""
    service = ToolService(open_session)

    async def list_tools(
        _context: ServerRequestContext[Any], _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=_tools())

    async def call_tool(
        context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        async def report(done: float, total: float | None, message: str) -> None:
            await context.session.report_progress(done, total, message)

        try:
            folders = await _roots(context, folder)
            answer = await service.call(params.name, params.arguments or {}, folders, report)
        except CodeIntelError as error:
            # For the model to read and act on, as the specification asks.
            return types.CallToolResult(content=[_text(str(error))], is_error=True)
        return types.CallToolResult(
            content=[_text(answer.text)], structured_content=dict(answer.result)
        )

    server = Server[Any](
        NAME,
        version=__version__,
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    try:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())
    finally:
        await service.close()


def _text(text: str) -> types.TextContent:
    return types.TextContent(text=text)


def _tools() -> list[types.Tool]:
    return [
        types.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=schema_of(tool.parameters),
            annotations=types.ToolAnnotations(
                title=tool.title,
                read_only_hint=True,
                destructive_hint=False,
                idempotent_hint=True,
                open_world_hint=False,
            ),
        )
        for tool in TOOLS
    ]


async def _roots(context: ServerRequestContext[Any], folder: Path) -> Sequence[Path]:
    """The client's roots on this machine, where it has some; else `folder`."""
    capabilities = context.session.client_capabilities
    if capabilities is None or capabilities.roots is None or not context.session.can_send_request:
        return [folder]
    told = await context.session.send_request(types.ListRootsRequest(), types.ListRootsResult)
    roots = [path for root in told.roots if (path := path_of(str(root.uri))) is not None]
    return [Path(path) for path in roots] or [folder]
