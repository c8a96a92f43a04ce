"""`codeintel-ls search`: bring the index up to date, ask it, print ranked places."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from codeintel_ls.cli import output
from codeintel_ls.cli.documents import search_document
from codeintel_ls.cli.folders import (
    choose_folder,
    has_index,
    no_index_yet,
    opened,
    settings_of,
    tell_notices,
)
from codeintel_ls.cli.hits import print_hits
from codeintel_ls.cli.progress_display import shown_progress
from codeintel_ls.errors import InvalidRequestError

if TYPE_CHECKING:
    from codeintel_ls.search.values import SearchQuery, SearchResult
    from codeintel_ls.settings import Settings
    from codeintel_ls.workspace import WorkspaceFolder

_MODES: Final = ("hybrid", "semantic", "lexical")


_EXAMPLES: Final = """
\b
Examples:
  codeintel-ls search where is a failed request retried
  codeintel-ls search -n 3 --glob '*.py' --glob '!tests/**' parse a date
  codeintel-ls search --mode lexical HTTPTransport
"""


@click.command("search", epilog=_EXAMPLES)
@click.argument("query", nargs=-1, required=True, metavar="QUERY...")
@click.option("--folder", metavar="FOLDER", help="Search this folder and nothing above it.")
@click.option("-n", "--limit", type=click.IntRange(1, 200), help="At most so many places.")
@click.option(
    "--mode", type=click.Choice(_MODES), default="hybrid", help="By meaning, words, both."
)
@click.option("-g", "--glob", "globs", multiple=True, help="Only such paths; '!…' leaves out.")
@click.option("-l", "--language", "languages", multiple=True, help="Only such files: python, go…")
@click.option("--snippet-lines", type=click.IntRange(0, 200), help="Lines shown of each place.")
@click.option("--explain", is_flag=True, help="Say why each place stands where it stands.")
@click.option("--no-update", is_flag=True, help="Search the index as it is.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    query: tuple[str, ...],
    folder: str | None,
    limit: int | None,
    mode: str,
    globs: tuple[str, ...],
    languages: tuple[str, ...],
    snippet_lines: int | None,
    explain: bool,
    no_update: bool,
    as_json: bool,
) -> int:
    """Find the places that answer QUERY, the best first.

    QUERY is what the code does, in your words, or a name; its words need no quotes. Searched is
    the repository one stands in, else the current folder. The first search indexes it.

    Exit status: 0 something was found, 1 nothing, 2 the search could not be done.
    """
    text = " ".join(query)
    if not text.strip():
        raise InvalidRequestError("The query is empty: type what the code should do.")
    root = choose_folder(folder)
    settings = settings_of(root)
    from codeintel_ls.search.values import SearchFilter, SearchMode, SearchQuery

    wanted = SearchQuery(
        text=text,
        limit=settings.search.limit if limit is None else limit,
        mode=SearchMode(mode),
        filter=SearchFilter(globs=globs, languages=frozenset(map(str.lower, languages))),
        snippet_lines=settings.search.snippet_lines if snippet_lines is None else snippet_lines,
        explain=explain,
    )
    return _search(root, settings, wanted, update=not no_update, as_json=as_json)


def _search(
    root: Path, settings: "Settings", wanted: "SearchQuery", *, update: bool, as_json: bool
) -> int:
    update = update and settings.index.enabled
    if not update and not has_index(root, settings):
        raise InvalidRequestError(no_index_yet(root))
    with opened(root, settings) as live:
        if live.index_status().generation == 0:
            # Let a query that cannot be answered be refused before a long first indexing.
            live.search(wanted)
        if update:
            _update(live)
        tell_notices(live.index_status(), following=False)
        started = time.monotonic()
        result = live.search(wanted)
        seconds = time.monotonic() - started
        files = live.index_status().files
    if as_json:
        output.print_json(search_document(root, result))
    elif result.hits:
        print_hits(root, result.hits)
        output.tell(_summary(result, seconds))
    else:
        output.tell(_nothing(root, wanted, files))
    return 0 if result.hits else 1


def _update(live: "WorkspaceFolder") -> None:
    from codeintel_ls.index.errors import IndexingError

    try:
        with shown_progress(live.name, few_too=False) as progress:
            live.update(progress=progress)
    except IndexingError as error:
        # Another process may keep the index and lag behind: an older answer is better than none.
        if live.index_status().generation == 0:
            raise
        output.tell(f"{error} The answer comes from the index as it is.", "warning")


def _summary(result: "SearchResult", seconds: float) -> str:
    freshness = result.freshness
    if freshness.pending:
        state = f"{output.count(freshness.pending, 'file')} still to be indexed"
    else:
        state = "the index is up to date" if freshness.complete else "the index may be out of date"
    return f"{output.count(len(result.hits), 'place')} in {seconds:.2f} s; {state}."


def _nothing(root: Path, wanted: "SearchQuery", files: int) -> str:
    narrowed = wanted.filter.globs or wanted.filter.languages
    advice = "Loosen --glob or --language." if narrowed else "Try other words."
    if not files:
        advice = "No file of it is indexed: see `codeintel-ls status`."
    text = wanted.text if len(wanted.text) <= 60 else wanted.text[:59] + "…"
    return f"Nothing found for '{text}' in {output.count(files, 'file')} of {root.name}. {advice}"
