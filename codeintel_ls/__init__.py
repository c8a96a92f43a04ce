"""CodeIntel LS: semantic search, blame and history over the Language Server Protocol."""

from importlib.metadata import version

__version__ = version("codeintel-ls")
