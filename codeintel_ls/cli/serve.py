"""`codeintel-ls serve`: the language server."""

from typing import Final

import click

_EXAMPLES: Final = """
\b
Example:
  codeintel-ls serve --stdio
"""


@click.command("serve", epilog=_EXAMPLES)
@click.option("--stdio", is_flag=True, help="Speak with the editor over stdin and stdout.")
@click.option("--clientProcessId", "client", type=int, hidden=True, help="Some editors add it.")
def command(stdio: bool, client: int | None) -> int:  # noqa: ARG001 (`initialize` tells it too)
    """Run the language server. Editors start it; its messages to people go to stderr."""
    if not stdio:
        raise click.UsageError("Say how the editor is connected: add --stdio.")
    from codeintel_ls.server import serve_stdio

    return serve_stdio()
