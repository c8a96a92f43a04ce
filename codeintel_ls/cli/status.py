"""`codeintel-ls status`: what the index of a folder holds. It indexes nothing."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import click

from codeintel_ls.cli import output
from codeintel_ls.cli.documents import status_document
from codeintel_ls.cli.folders import (
    choose_folder,
    has_index,
    no_index_yet,
    opened,
    settings_of,
    tell_notices,
)

if TYPE_CHECKING:
    from codeintel_ls.index.status import IndexStatus
    from codeintel_ls.settings import Settings

_UNDECODABLE: Final = "undecodable-name"


@click.command("status")
@click.argument("folder", required=False, metavar="[FOLDER]")
@click.option("-v", "--verbose", is_flag=True, help="Also vectors, memory and places.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: str | None, verbose: bool, as_json: bool) -> int:
    """Show what the index of FOLDER holds, and what is left out and why.

    Without FOLDER: the repository one stands in, else the current folder. Nothing is indexed.
    Exit status 1: there is no index yet, or the last indexing failed.
    """
    root = choose_folder(folder)
    settings = settings_of(root)
    status = _status(root, settings) if has_index(root, settings) else None
    if as_json:
        output.print_json(status_document({} if status is None else {root: status}))
    if status is None:
        output.tell(no_index_yet(root))
        return 1
    if not as_json:
        _print(root, settings, status, verbose=verbose)
        for line in _latencies(root) if verbose else ():
            output.print_line(f"  {output.printable(line)}")
    tell_notices(status)
    return 0 if status.last_error is None else 1


def _latencies(root: Path) -> list[str]:
    """How long the server that runs for the folder took for each kind of request."""
    from codeintel_ls.cli.shared import ask_running

    told = ask_running(root, lambda server: server.operation("printDebugInformation", {}))
    text: str = told["text"] if told is not None else ""
    return [line for line in text.splitlines() if line.startswith("latency ")]


def _status(root: Path, settings: "Settings") -> "IndexStatus | None":
    """None where the cache exists and was never filled."""
    from codeintel_ls.index.status import IndexState
    from codeintel_ls.workspace.discovery import discover_files

    with opened(root, settings) as live:
        status = live.index_status()
        if status.generation == 0:
            return None
        # What a listing leaves out by name; the index remembers only what was read.
        listing = discover_files(live.root, live.git, settings.index)
        indexed, _ = live.list_paths(limit=len(listing.files) + status.files)
    absent = {file.path for file in listing.files}.difference(indexed)
    odd = sum(output.text_of(path) != path for path in absent)
    left_out = Counter(listing.skipped) + Counter({_UNDECODABLE: odd})
    return attrs.evolve(
        status,
        # Nobody indexes in this process, so what was published is what there is.
        state=IndexState.READY,
        pending=max(0, len(absent) - odd - sum(status.skipped.values())),
        skipped=left_out + Counter(status.skipped),
    )


def _print(root: Path, settings: "Settings", status: "IndexStatus", *, verbose: bool) -> None:
    rows = {
        "state": str(status.state),
        "files": f"{status.files:,}",
        "to come": f"{status.pending:,} (run `codeintel-ls index`)",
        "chunks": f"{status.chunks:,}",
        "skipped": output.skipped(status.skipped),
        "embedder": status.embedder,
        "on disk": output.size(status.disk_bytes),
        "generation": f"{status.generation:,}",
    }
    if not status.pending:
        del rows["to come"]
    if status.last_error is not None:
        rows["last error"] = output.printable(status.last_error)
    if verbose:
        rows |= _details(root, settings, status)
    output.print_line(output.printable(str(root)))
    width = max(map(len, rows))
    for name, value in rows.items():
        output.print_line(f"  {name:<{width}}  {value}")


def _primary(status: "IndexStatus") -> str:
    recall = status.primary_recall
    found = f", recall {recall:.3f}" if recall is not None and recall < 1 else ""
    return f"{status.primary_vectors:,} vectors ({status.primary_kind}{found})"


def _details(root: Path, settings: "Settings", status: "IndexStatus") -> dict[str, str]:
    from codeintel_ls.workspace import index_folder

    return {
        "in memory": output.size(status.memory_bytes),
        "primary": _primary(status),
        "secondary": f"{status.secondary_vectors:,} vectors",
        "tombstones": f"{status.tombstones:,}",
        "cache": output.printable(str(index_folder(root, settings))),
    }
