"""`codeintel-ls index`: bring the index of a folder up to date, and keep it so with `--watch`.

Invariant: stopping at any time leaves what was indexed so far, and no process.
"""

import time
from typing import TYPE_CHECKING, Final

import click

from codeintel_ls.cli import output
from codeintel_ls.cli.documents import Document, status_document
from codeintel_ls.cli.folders import choose_folder, opened, settings_of, tell_notices
from codeintel_ls.cli.progress_display import shown_progress

if TYPE_CHECKING:
    from pathlib import Path

    from codeintel_ls.cli.watch import Update
    from codeintel_ls.index.status import IndexStatus
    from codeintel_ls.workspace import WorkspaceFolder


_EXAMPLES: Final = """
\b
Examples:
  codeintel-ls index
  codeintel-ls index --full ~/src/project
  codeintel-ls index --watch
"""


@click.command("index", epilog=_EXAMPLES)
@click.argument("folder", required=False, metavar="[FOLDER]")
@click.option("--full", is_flag=True, help="Read and embed every file again.")
@click.option("--watch", is_flag=True, help="Then stay, and follow every change until Ctrl-C.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON: one document, or one line an update."
)
def command(folder: str | None, full: bool, watch: bool, as_json: bool) -> int:
    """Bring the index of FOLDER up to date.

    Without FOLDER: the repository one stands in, else the current folder. Only what changed is
    read again. Ctrl-C stops it (exit status 130); what was indexed so far stays. With --watch,
    Ctrl-C after that is the normal end (exit status 0).
    """
    root = choose_folder(folder)
    settings = settings_of(root)
    if not watch:
        with opened(root, settings) as live:
            _index(live, root, full=full, as_json=as_json)
            # Nobody does it later: the next opening finds everything merged.
            live.settle()
        return 0
    from codeintel_ls.cli.watch import follow, watchable

    with watchable(root, settings) as (live, news):
        _index(live, root, full=full, as_json=as_json, one_line=True)
        follow(live, news, lambda update: _tell_update(root, update, as_json=as_json))
    return 0


def _index(
    live: "WorkspaceFolder", root: "Path", *, full: bool, as_json: bool, one_line: bool = False
) -> None:
    started = time.monotonic()
    with shown_progress(live.name, few_too=True) as progress:
        status = live.rebuild(progress=progress) if full else live.update(progress=progress)
    seconds = time.monotonic() - started
    tell_notices(status)
    if as_json:
        document = _document(root, status, progress.total, seconds)
        output.print_json(document, one_line=one_line)
    else:
        _print_summary(live.name, status, progress.total, seconds)


def _document(root: "Path", status: "IndexStatus", indexed: int, seconds: float) -> Document:
    return {**status_document({root: status}), "indexed": indexed, "seconds": round(seconds, 3)}


def _tell_update(root: "Path", update: "Update", *, as_json: bool) -> None:
    if as_json:
        document = _document(root, update.status, update.files, update.seconds)
        output.print_json(document, one_line=True)
    else:
        files = output.count(update.files, "file")
        output.print_line(f"{files} updated in {update.seconds:.2f} s")
    output.flush()


def _print_summary(name: str, status: "IndexStatus", indexed: int, seconds: float) -> None:
    done = f"{output.count(indexed, 'file')} read" if indexed else "nothing has changed"
    output.print_line(f"{output.printable(name)}: {done} ({seconds:.1f} s)")
    output.print_line(f"  files    {status.files:,}")
    output.print_line(f"  chunks   {status.chunks:,}")
    output.print_line(f"  skipped  {output.skipped(status.skipped)}")
