"""Which folder an editor works on, and which file a URI means, without the server's room.

Invariant: two URIs are one file here exactly where they are for the server (a test compares).
"""

import os
from typing import Any, cast
from urllib.parse import unquote_to_bytes, urlsplit

from codeintel_ls.daemon.connect_messages import field

_WINDOWS = os.name == "nt"


def path_of(uri: object) -> str | None:
    """The absolute path that a `file` URI names, or None for anything else."""
    if not isinstance(uri, str):
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme.lower() != "file" or not parts.path.startswith("/"):
        return None
    text = os.fsdecode(unquote_to_bytes(parts.path))
    if "\0" in text:
        return None
    if _WINDOWS:
        return os.path.normpath(f"//{parts.netloc}{text}" if parts.netloc else text.lstrip("/"))
    if parts.netloc not in {"", "localhost"}:
        return None
    return os.path.normpath(text)


def key_of(uri: str) -> str:
    """The same for every spelling of a URI."""
    path = path_of(uri)
    return uri if path is None else os.path.normcase(path)


def workspace_of(params: object) -> str:
    """The folder whose daemon serves a session that begins with these `initialize` parameters."""
    folders = field(params, "workspaceFolders")
    if isinstance(folders, list):
        for folder in cast("list[Any]", folders):
            path = path_of(field(folder, "uri"))
            if path is not None:
                return path
    root = path_of(field(params, "rootUri"))
    if root is not None:
        return root
    root = field(params, "rootPath")
    # A relative path would mean another folder for the daemon than for the editor.
    if isinstance(root, str) and os.path.isabs(root) and "\0" not in root:  # noqa: PTH117 (no pathlib at the start)
        return root
    return os.getcwd()  # noqa: PTH109 (no pathlib at the start)
