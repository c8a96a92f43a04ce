"""The LSP face: the wire, the session of each client, one thin file for each method.

Invariant: nothing below this room knows LSP; the event loop never waits for work.
"""


def serve_stdio() -> int:
    """Serve one client over standard input and output until it ends; the exit status."""
    # Only who serves pays for the imports.
    from codeintel_ls.server.stdio import serve_stdio as serve

    return serve()
