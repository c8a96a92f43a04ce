"""`codeintel-ls connect`: an editor's way to the shared server of its folder."""

from typing import Final

import click

_EXAMPLES: Final = """
\b
Example:
  codeintel-ls connect
"""


@click.command("connect", epilog=_EXAMPLES)
@click.option("--stdio", is_flag=True, hidden=True, help="Some editors add it.")
@click.option("--clientProcessId", "client", type=int, hidden=True, help="Some editors add it.")
def command(stdio: bool, client: int | None) -> int:  # noqa: ARG001 (`initialize` tells it too)
    """Connect an editor, over stdin and stdout, with the server of its folder.

    One server in the background serves every window on a folder. It is started where there is
    none, started again where it fails, and ends soon after its last client.
    """
    from codeintel_ls.daemon.connect import connect

    connect()
