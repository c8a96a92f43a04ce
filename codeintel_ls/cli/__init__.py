"""The command line: `codeintel-ls`, one thin file for each command.

Invariants: standard output carries results only, standard error everything else; a failure is one
clear sentence and an exit status, never a traceback. Exit statuses: 0 done or found, 1 nothing
found or something wrong, 2 a request or a machine that cannot be served, 130 cancelled by Ctrl-C.
"""

import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """The console script."""
    if _is_an_editors_start(sys.argv[1:]):
        # Every window of every editor waits for this: it must import no more than it needs.
        from codeintel_ls.daemon.connect import connect

        connect()
    from codeintel_ls.cli.program import run

    sys.exit(run(sys.argv[1:]))


def _is_an_editors_start(arguments: list[str]) -> bool:
    """Whether these are `connect` and nothing but what editors add by themselves."""
    return arguments[:1] == ["connect"] and all(
        argument == "--stdio" or argument.startswith("--clientProcessId=")
        for argument in arguments[1:]
    )
