"""File URIs to and from paths.

Paths may hold bytes that are no UTF-8: they travel percent-encoded in URIs and never break an
answer. Invariant: only `file` URIs of this machine become paths.
"""

import os
from pathlib import Path
from urllib.parse import quote

from codeintel_ls.daemon.connect_uris import path_of

_WINDOWS = os.name == "nt"
_UNESCAPED = "/:@!$&'()*,;=~" if _WINDOWS else "/@!$&'()*,;=~"


def path_from_uri(uri: str) -> Path | None:
    """The absolute path that a `file` URI names, or None for any other URI."""
    path = path_of(uri)
    return Path(path) if path is not None else None


def uri_from_path(path: Path) -> str:
    """The `file` URI of an absolute path."""
    text = path.as_posix()
    if text.startswith("//"):
        host, _, rest = text[2:].partition("/")
        return f"file://{host}/{quote(os.fsencode(rest), safe=_UNESCAPED)}"
    return (
        f"file://{'' if text.startswith('/') else '/'}{quote(os.fsencode(text), safe=_UNESCAPED)}"
    )


def shown(path: str) -> str:
    """A path for people: bytes that are no UTF-8 become U+FFFD, so that JSON can hold it."""
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
