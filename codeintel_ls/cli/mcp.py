"""`codeintel-ls mcp`: the same services as tools for coding agents."""

from typing import Final

import click

from codeintel_ls.cli.folders import choose_folder
from codeintel_ls.errors import CodeIntelError

_EXAMPLES: Final = """
\b
Examples:
  claude mcp add codeintel -- codeintel-ls mcp
  codeintel-ls mcp --folder ~/src/app
"""


@click.command("mcp", epilog=_EXAMPLES)
@click.option("--folder", metavar="FOLDER", help="What to serve where the client names no roots.")
def command(folder: str | None) -> int:
    """Serve a coding agent over stdin and stdout; agents start it.

    Its tools search code and commits by meaning, and tell blame and history. They change nothing.
    Without --folder and without roots of the client: the repository one stands in, else the
    current folder.
    """
    root = choose_folder(folder)
    try:
        from codeintel_ls.mcp.server import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"mcp", "mcp_types"}:
            raise
        raise CodeIntelError(
            "The Model Context Protocol needs one more package. Install it with: "
            "pip install 'codeintel-ls[mcp]'"
        ) from error
    import asyncio

    from codeintel_ls.mcp.session import open_session

    asyncio.run(serve(open_session, root))
    return 0
