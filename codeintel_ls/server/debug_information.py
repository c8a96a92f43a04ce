"""`printDebugInformation`: what a person puts into a report of a fault.

Invariant: no source text, no query, no secret stands in it.
"""

import platform
import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, cast

import attrs

from codeintel_ls import __version__
from codeintel_ls.index.ladder import PrimaryKind, estimate_memory_usage
from codeintel_ls.server import wire
from codeintel_ls.server.index_operations import index_status
from codeintel_ls.server.session import Session
from codeintel_ls.server.validation import write_result

_PACKAGES: Final = ("pygls", "lsprotocol", "faiss-cpu", "numpy", "GitPython", "tree-sitter")
_NUMBER: Final = re.compile(r"[-_ ]?\d+.*$")
_SECRET: Final = re.compile(r"secret|token(?!s)|password|credential|api_?key", re.IGNORECASE)


async def print_debug_information(session: Session, params: wire.NoParams) -> wire.TextResult:
    """Versions, client, settings, folders, queues and caches, as lines of text."""
    status = await index_status(session, params)
    dimensions = {
        folder.uri: folder.opened.dimension
        for folder in session.folders
        if folder.opened is not None
    }
    graphs = await session.pools.files.run(lambda _: list(session.repositories.graphs.describe()))
    lines = [
        *_versions(),
        *_client(session),
        *graphs,
        *session.shared.latencies.describe(),
        "settings:",
        *_settings(session),
        "folders:",
        *(line for folder in status.folders for line in _folder(folder, dimensions)),
    ]
    return wire.TextResult(text="\n".join(lines) + "\n")


def _versions() -> Iterator[str]:
    yield f"codeintel-ls {__version__}"
    yield f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    for package in _PACKAGES:
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"{package} is not installed"


def _client(session: Session) -> Iterator[str]:
    yield f"client: {session.client_name}, positions in {session.encoding}"
    yield f"open documents: {len(session.documents)}, repositories: {len(session.repositories)}"
    yield f"requests running: {session.protocol.running}, progress bars: {len(session.tokens)}"
    yield f"threads: {threading.active_count()}, modules: {len(sys.modules)}"
    kinds = Counter(_NUMBER.sub("", thread.name) for thread in threading.enumerate())
    yield f"threads by kind: {', '.join(f'{name} {n}' for name, n in sorted(kinds.items()))}"
    for pool in session.pools:
        yield f"pool {pool.name}: {pool.unfinished} unfinished, {pool.threads} threads"


def _settings(session: Session) -> Iterator[str]:
    for section in attrs.fields(type(session.settings)):
        values = cast("Mapping[str, Any]", attrs.asdict(getattr(session.settings, section.name)))
        for name, value in values.items():
            shown = "***" if value and _SECRET.search(name) else value
            yield f"  {section.name}.{name} = {shown}"


def _folder(folder: wire.FolderStatus, dimensions: Mapping[str, int]) -> Iterator[str]:
    values = cast("Mapping[str, Any]", write_result(folder))
    for name, value in values.items():
        yield f"  {name}: {value}"
    dimension = dimensions.get(folder.uri)
    if dimension:
        sizes = (
            f"{kind} {estimate_memory_usage(kind, folder.chunks, dimension)}"
            for kind in PrimaryKind
        )
        yield f"  estimated bytes of each kind of primary: {', '.join(sizes)}"
