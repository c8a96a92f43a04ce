"""`codeintel-ls history`: the commits that changed a file, some of its lines, or a folder."""

import time
from typing import TYPE_CHECKING, Final

import click

from codeintel_ls.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codeintel_ls.git import HistoryEntry
    from codeintel_ls.settings import DateFormat


_EXAMPLES: Final = """
\b
Examples:
  codeintel-ls history src/app.py
  codeintel-ls history -n 5 src/app.py:10-20
  codeintel-ls history .
"""

_BOUNDARIES: Final = {
    "shallow": "The clone is shallow: what came before its oldest commit is not in it.",
    "partial": "The clone is partial: an earlier name of the file may be missing.",
}


@click.command("history", epilog=_EXAMPLES)
@click.argument("place", metavar="FILE[:LINES]|FOLDER")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--follow/--no-follow", default=True, help="Go on under earlier names of the file.")
@click.option("--cursor", metavar="TEXT", help="Go on after a page: the JSON field nextCursor.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(place: str, limit: int, follow: bool, cursor: str | None, as_json: bool) -> int:
    """List the commits that changed FILE, LINES of it, or files in FOLDER, the newest first.

    FILE may be gone. LINES are counted from 1 in the file as it is on the disk, and are followed
    through renames by themselves. Exit status 1: nothing of it is committed.
    """
    from codeintel_ls.cli.documents import history_document
    from codeintel_ls.cli.places import lines_within, parse_place, read_lines, repository_of

    asked = parse_place(place)
    with repository_of(asked, folders=asked.lines is None) as (client, path, settings):
        lines = None
        if asked.lines is not None:
            first, last = lines_within(asked, len(read_lines(asked)))
            lines = first - 1, last - 1
        if lines is None and client.is_folder(path):
            page = client.folder_history(path, limit=limit, cursor=cursor)
        else:
            page = client.file_history(path, lines=lines, limit=limit, cursor=cursor, follow=follow)
        if as_json:
            output.print_json(history_document(asked.path.resolve(), client, page))
        else:
            _print(page.entries, settings.blame.date_format)
    if not page.entries and not as_json:
        output.tell(f"Nothing of {place} is committed.")
    elif page.next_cursor is not None and not as_json:
        output.tell(f"There may be more: see it with --limit {limit * 2}.", "note")
    if page.boundary is not None and not as_json:
        output.tell(_BOUNDARIES[page.boundary], "note")
    return 0 if page.entries else 1


def _print(entries: "Sequence[HistoryEntry]", date_format: "DateFormat") -> None:
    from rich.cells import cell_len

    from codeintel_ls.cli.dates import date_text

    now = time.time()
    dates = [
        date_text(entry.commit.author.time, entry.commit.author.offset, date_format, now)
        for entry in entries
    ]
    authors = [output.printable(entry.commit.author.name) for entry in entries]
    counts = [_counts(entry) for entry in entries]
    widths = [max(map(cell_len, column), default=0) for column in (dates, authors, counts)]
    for entry, *columns in zip(entries, dates, authors, counts, strict=True):
        date, author, count = map(output.fit, columns, (widths[0], min(widths[1], 20), widths[2]))
        commit = output.painted("33", entry.commit.short_id)
        date, author = output.painted("36", date), output.painted("32", author)
        line = f"{commit}  {date}  {author}  {entry.status} {count}"
        output.print_line(f"{line}  {output.printable(entry.commit.summary)}".rstrip())
        if entry.previous_path is not None:
            renamed = f"{entry.previous_path} → {entry.path}"
            output.print_line(f"{'':12}{output.printable(renamed)}")


def _counts(entry: "HistoryEntry") -> str:
    if entry.additions is None or entry.deletions is None:
        return "–"
    return f"+{entry.additions} −{entry.deletions}"
