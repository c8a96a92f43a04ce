"""`codeintel-ls index`: bring the index of a folder up to date.

Invariant: stopping at any time leaves what was indexed so far, and no process.
"""

import time
from typing import TYPE_CHECKING, Final

import click

from codeintel_ls.cli import output
from codeintel_ls.cli.documents import status_document
from codeintel_ls.cli.folders import choose_folder, opened, settings_of, tell_notices
from codeintel_ls.cli.progress_display import shown_progress

if TYPE_CHECKING:
    from codeintel_ls.index.status import IndexStatus


_EXAMPLES: Final = """
\b
Examples:
  codeintel-ls index
  codeintel-ls index --full ~/src/project
"""


@click.command("index", epilog=_EXAMPLES)
@click.argument("folder", required=False, metavar="[FOLDER]")
@click.option("--full", is_flag=True, help="Read and embed every file again.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(folder: str | None, full: bool, as_json: bool) -> int:
    """Bring the index of FOLDER up to date.

    Without FOLDER: the repository one stands in, else the current folder. Only what changed is
    read again. Ctrl-C stops it (exit status 130); what was indexed so far stays.
    """
    root = choose_folder(folder)
    started = time.monotonic()
    with opened(root, settings_of(root)) as live:
        with shown_progress(live.name, few_too=True) as progress:
            status = live.rebuild(progress=progress) if full else live.update(progress=progress)
        seconds = time.monotonic() - started
    tell_notices(status)
    if as_json:
        document = status_document({root: status})
        output.print_json({**document, "indexed": progress.total, "seconds": round(seconds, 3)})
    else:
        _print_summary(live.name, status, progress.total, seconds)
    return 0


def _print_summary(name: str, status: "IndexStatus", indexed: int, seconds: float) -> None:
    done = f"{output.count(indexed, 'file')} read" if indexed else "nothing has changed"
    output.print_line(f"{output.printable(name)}: {done} ({seconds:.1f} s)")
    output.print_line(f"  files    {status.files:,}")
    output.print_line(f"  chunks   {status.chunks:,}")
    output.print_line(f"  skipped  {output.skipped(status.skipped)}")
