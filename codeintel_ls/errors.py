"""The root of every error that a person may come to read.

Each room derives its own typed errors from `CodeIntelError`. The message is one sentence or two
that say what failed, on what, and what to do; it never holds a traceback, source text or an
absolute path of the machine. The faces (LSP, command line) show it as it is.
"""


class CodeIntelError(Exception):
    """Something failed in a way that the user can understand and often mend."""


class InvalidRequestError(CodeIntelError):
    """What was asked for cannot be right: the caller must change the request."""
