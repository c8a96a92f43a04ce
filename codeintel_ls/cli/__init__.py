"""The command line: `codeintel-ls`, one thin file for each command.

Invariants: standard output carries results only, standard error everything else; a failure is one
clear sentence and an exit status, never a traceback. Exit statuses: 0 done or found, 1 nothing
found or something wrong, 2 a request or a machine that cannot be served, 130 cancelled by Ctrl-C.
"""

from codeintel_ls.cli.program import main

__all__ = ["main"]
