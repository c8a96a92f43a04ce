"""CodeIntel LS: semantic search, blame and history over the Language Server Protocol."""

__version__ = "0.1.0"
