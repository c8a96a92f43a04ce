"""`codeintel-ls search --commits`: commits by what they say and touch, instead of places."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from codeintel_ls.cli import output
from codeintel_ls.cli.documents import commits_document
from codeintel_ls.cli.folders import opened
from codeintel_ls.cli.progress_display import shown_progress
from codeintel_ls.errors import InvalidRequestError

if TYPE_CHECKING:
    from codeintel_ls.search.commits import CommitQuery
    from codeintel_ls.settings import DateFormat, Settings
    from codeintel_ls.workspace.commit_search import CommitHit

_SHOWN_PATHS = 3


def search_commits(root: Path, settings: "Settings", query: "CommitQuery", *, as_json: bool) -> int:
    """Index the commits that are missing, ask, and print; the result is the exit status."""
    with opened(root, settings) as live:
        if live.commits is None or live.git is None:
            raise InvalidRequestError(f"{live.name} is in no git repository: it has no commits.")
        with shown_progress(live.name, few_too=False, noun="commit") as progress:
            answer = live.commits.search(query, patience=None, progress=progress)
        if as_json:
            output.print_json(commits_document(live.git, answer))
    if not as_json:
        _print(answer.hits, settings.blame.date_format)
        if not answer.hits:
            output.tell(f"Nothing found in {output.count(answer.indexed, 'commit')}.")
    return 0 if answer.hits else 1


def _print(hits: "tuple[CommitHit, ...]", date_format: "DateFormat") -> None:
    from codeintel_ls.cli.dates import date_text

    now = time.time()
    for hit in hits:
        author = hit.commit.author
        parts = (
            output.painted("33", hit.commit.short_id),
            output.painted("36", date_text(author.time, author.offset, date_format, now)),
            output.painted("32", output.printable(author.name)),
            f"({hit.score:.2f})",
        )
        output.print_line("  ".join(parts))
        output.print_line(f"    {output.printable(hit.commit.summary)}".rstrip())
        shown, more = hit.paths[:_SHOWN_PATHS], len(hit.paths) - _SHOWN_PATHS
        if shown:
            rest = f" and {more} more" if more > 0 else ""
            output.print_line(f"    {output.printable(', '.join(shown))}{rest}")
