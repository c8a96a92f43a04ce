"""A live folder: file discovery, watching, freshness, and the composition root."""

from codeintel_ls.workspace.errors import IndexingOffError
from codeintel_ls.workspace.folder import WorkspaceFolder
from codeintel_ls.workspace.opening import index_folder, load_ahead

__all__ = ["IndexingOffError", "WorkspaceFolder", "index_folder", "load_ahead"]
