"""`codeintel-ls blame`: who last changed each line of a file as it is on the disk."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import click

from codeintel_ls.cli import output
from codeintel_ls.settings import DateFormat

if TYPE_CHECKING:
    from codeintel_ls.git import BlameHunk, BlameResult, Commit

_WIDEST_AUTHOR: Final = 20
_ABBREVIATED: Final = 10
_UNCOMMITTED: Final = ("·" * _ABBREVIATED, "Not committed", "")


_EXAMPLES: Final = """
\b
Examples:
  codeintel-ls blame src/app.py
  codeintel-ls blame src/app.py:10
  codeintel-ls blame src/app.py:10-20      (or 10,20)
"""


@click.command("blame", epilog=_EXAMPLES)
@click.argument("place", metavar="FILE[:LINES]")
@click.option("-w", "ignore_whitespace", is_flag=True, help="Look past changes of white space.")
@click.option("-M", "detect_moves", is_flag=True, help="Follow lines moved within the file.")
@click.option(
    "-C", "detect_copies", is_flag=True, help="Follow lines copied from files changed with it."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    place: str, ignore_whitespace: bool, detect_moves: bool, detect_copies: bool, as_json: bool
) -> int:
    """Show who last changed each line of FILE, changes that are not committed included.

    LINES are counted from 1. Dates are as the setting blame.date_format says.
    """
    from codeintel_ls.cli.documents import blame_document
    from codeintel_ls.cli.places import lines_within, parse_place, read_lines, repository_of
    from codeintel_ls.git import BlameOptions

    asked = parse_place(place)
    with repository_of(asked) as (client, path, settings):
        lines = read_lines(asked)
        first, last = lines_within(asked, len(lines))
        options = BlameOptions(
            ignore_whitespace=ignore_whitespace or settings.blame.ignore_whitespace,
            detect_moves=detect_moves or settings.blame.detect_moves,
            detect_copies=detect_copies or settings.blame.detect_copies,
        )
        result = client.blame_range(path, first - 1, max(last - 1, 0), options=options)
        if as_json:
            document = blame_document(asked.path.resolve(), client, result)
            output.print_json({**document, "lines": _line_documents(result, lines)})
            return 0
    if asked.lines is not None and last < asked.lines[1]:
        output.tell(f"{asked.name} ends at line {last}.", "note")
    _print(result, lines, settings.blame.date_format)
    return 0


def _line_documents(
    result: "BlameResult", lines: Sequence[str]
) -> list[dict[str, str | int | None]]:
    """What git's porcelain says of each line, which are counted from 0 here."""
    return [
        _line_document(hunk, number, lines[number])
        for hunk in result.hunks
        for number in range(hunk.start_line, min(hunk.end_line + 1, len(lines)))
    ]


def _line_document(hunk: "BlameHunk", number: int, text: str) -> dict[str, str | int | None]:
    original = hunk.original_line + number - hunk.start_line
    return {
        "line": number,
        "commit": hunk.commit,
        "originalLine": original if hunk.commit is not None else -1,
        "originalPath": output.text_of(hunk.original_path),
        "text": output.text_of(text),
    }


def _print(result: "BlameResult", lines: Sequence[str], date_format: DateFormat) -> None:
    from rich.cells import cell_len

    now = time.time()
    columns = [_columns(hunk, result, date_format, now) for hunk in result.hunks]
    widest = max((cell_len(author) for _, author, _ in columns), default=0)
    author_width = min(widest, _WIDEST_AUTHOR)
    date_width = max((len(date) for *_, date in columns), default=0)
    number_width = len(str(result.hunks[-1].end_line + 1)) if result.hunks else 1
    paint = _painter(result, now)
    for hunk, (commit, author, date) in zip(result.hunks, columns, strict=True):
        who = f"{commit}  {output.fit(author, author_width)}  {date:<{date_width}}"
        for number in range(hunk.start_line, min(hunk.end_line + 1, len(lines))):
            text = output.printable(lines[number])
            line = f"{paint(hunk, who)}  {number + 1:>{number_width}}  {text}"
            output.print_line(line.rstrip())


def _columns(
    hunk: "BlameHunk", result: "BlameResult", date_format: DateFormat, now: float
) -> tuple[str, str, str]:
    """Short commit, author and date."""
    if hunk.commit is None:
        return _UNCOMMITTED
    commit = result.commits[hunk.commit]
    return commit.short_id, output.printable(commit.author.name), _date(commit, date_format, now)


def _date(commit: "Commit", date_format: DateFormat, now: float) -> str:
    from codeintel_ls.cli.dates import date_text

    return date_text(commit.author.time, commit.author.offset, date_format, now)


def _painter(result: "BlameResult", now: float) -> Callable[["BlameHunk", str], str]:
    """Colours a hunk's columns by its age; does nothing where colours are not wanted."""
    if not output.has_colours(sys.stdout):
        return lambda _, text: text
    from codeintel_ls.cli.dates import age_colour

    def paint(hunk: "BlameHunk", text: str) -> str:
        if hunk.commit is None:
            return f"\x1b[2m{text}\x1b[0m"
        colour = age_colour(result.commits[hunk.commit].author.time, now)
        return f"\x1b[38;5;{colour}m{text}\x1b[0m"

    return paint
