"""`codeintel-ls search`: bring the index up to date, ask it, print ranked places."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from codeintel_ls.cli import output
from codeintel_ls.cli.hits import print_hits
from codeintel_ls.cli.progress_display import shown_progress
from codeintel_ls.cli.search_shared import freshness_text, search_shared
from codeintel_ls.cli.shared import probable_root
from codeintel_ls.errors import InvalidRequestError

if TYPE_CHECKING:
    from codeintel_ls.search.values import HitFilter, SearchQuery, SearchResult
    from codeintel_ls.settings import Settings
    from codeintel_ls.workspace import WorkspaceFolder
    from codeintel_ls.workspace.change_filter import ChangedBy

_BLAME_SECONDS: Final = 10.0
_TIRED: Final = (
    f"Nothing was found in {_BLAME_SECONDS:.0f} seconds, and not everything was looked at. "
    "Narrow the search with --glob, or ask in other words."
)
_MODES: Final = ("hybrid", "semantic", "lexical")


_EXAMPLES: Final = """
\b
Examples:
  codeintel-ls search where is a failed request retried
  codeintel-ls search -n 3 --glob '*.py' --glob '!tests/**' parse a date
  codeintel-ls search --mode lexical HTTPTransport
  codeintel-ls search --since 2w --author ada rounding of prices
  codeintel-ls search --commits why was the cache made smaller
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
@click.option("--author", metavar="TEXT", help="Only what such a person last changed.")
@click.option("--since", metavar="DATE", help="Only what changed since: 2026-01-31, 3d, 2w, 6mo…")
@click.option("--before", metavar="DATE", help="Only what has lines from before.")
@click.option("--commits", is_flag=True, help="Find commits, by what they say and touch.")
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
    author: str | None,
    since: str | None,
    before: str | None,
    commits: bool,
    snippet_lines: int | None,
    explain: bool,
    no_update: bool,
    as_json: bool,
) -> int:
    """Find the places that answer QUERY, the best first.

    QUERY is what the code does, in your words, or a name; its words need no quotes. Searched is
    the repository one stands in, else the current folder. The first search indexes it.

    With --commits the commits of its history are searched instead; of the other options --limit,
    --glob (over touched paths), --author, --since, --before and --json count then.

    Exit status: 0 something was found, 1 nothing, 2 the search could not be done.
    """
    text = " ".join(query)
    if not text.strip():
        raise InvalidRequestError("The query is empty: type what the code should do.")
    plain = not commits and (author, since, before) == (None, None, None)
    if plain and not no_update:
        params = {
            "query": text,
            "mode": mode,
            "globs": list(globs),
            "languages": [language.lower() for language in languages],
            "explain": explain,
            **({} if limit is None else {"limit": limit}),
            **({} if snippet_lines is None else {"snippetLines": snippet_lines}),
        }
        probable = probable_root(folder)
        if probable is not None:
            status = search_shared(probable, params, as_json=as_json)
            if status is not None:
                return status
    # Reading settings takes as long as the server's whole answer.
    from codeintel_ls.cli.folders import choose_folder, settings_of

    root = choose_folder(folder)
    settings = settings_of(root)
    after, until = _moment(since, "--since"), _moment(before, "--before")
    most = settings.search.limit if limit is None else limit
    if commits:
        from codeintel_ls.cli.commits import search_commits
        from codeintel_ls.search.commits import CommitQuery

        asked = CommitQuery(
            text=text, limit=most, author=author or "", since=after, before=until, paths=globs
        )
        return search_commits(root, settings, asked, as_json=as_json)
    from codeintel_ls.search.values import SearchFilter, SearchMode, SearchQuery

    wanted = SearchQuery(
        text=text,
        limit=most,
        mode=SearchMode(mode),
        filter=SearchFilter(globs=globs, languages=frozenset(map(str.lower, languages))),
        snippet_lines=settings.search.snippet_lines if snippet_lines is None else snippet_lines,
        explain=explain,
    )
    changed = None
    if (author, since, before) != (None, None, None):
        from codeintel_ls.workspace.change_filter import ChangedBy

        changed = ChangedBy(author=author or "", since=after, before=until)
    return _search(root, settings, wanted, changed, update=not no_update, as_json=as_json)


def _moment(text: str | None, option: str) -> float | None:
    from codeintel_ls.git.dates import InvalidDateError, parse_date

    try:
        return None if text is None else parse_date(text, time.time())
    except InvalidDateError as error:
        raise InvalidRequestError(f"{option} {error}") from error


def _search(
    root: Path,
    settings: "Settings",
    wanted: "SearchQuery",
    changed: "ChangedBy | None",
    *,
    update: bool,
    as_json: bool,
) -> int:
    from codeintel_ls.cli.folders import has_index, no_index_yet, opened, tell_notices

    update = update and settings.index.enabled
    if not update and not has_index(root, settings):
        raise InvalidRequestError(no_index_yet(root))
    with opened(root, settings) as live, ExitStack() as held:
        if live.index_status().generation == 0:
            # Let a query that cannot be answered be refused before a long first indexing.
            live.search(wanted)
        if update:
            _update(live)
        tell_notices(live.index_status(), following=False)
        started = time.monotonic()
        result = live.search(wanted, only=_filter(live, changed, held))
        seconds = time.monotonic() - started
        files = live.index_status().files
    if as_json:
        from codeintel_ls.cli.documents import search_document

        output.print_json(search_document(root, result))
    elif result.hits:
        print_hits(root, result.hits)
        output.tell(_summary(result, seconds))
    else:
        output.tell(_TIRED if result.stopped_early else _nothing(root, wanted, files))
    return 0 if result.hits else 1


def _filter(
    live: "WorkspaceFolder", changed: "ChangedBy | None", held: ExitStack
) -> "HitFilter | None":
    """What lets the changed hits through; `held` gives back what it opens."""
    if changed is None:
        return None
    from codeintel_ls.server.repositories import Repositories
    from codeintel_ls.workspace.change_filter import ChangeFilter

    if live.git is None:
        raise InvalidRequestError(f"{live.name} is in no git repository: nobody changed anything.")
    repositories, settings = Repositories(), live.settings
    held.callback(repositories.close)
    return ChangeFilter(
        live.root, changed, lambda path: repositories.of(path, settings), budget=_BLAME_SECONDS
    )


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
    state = freshness_text(result.freshness.pending, complete=result.freshness.complete)
    if result.stopped_early:
        state = f"not everything was looked at, for that would have taken long; {state}"
    return f"{output.count(len(result.hits), 'place')} in {seconds:.2f} s; {state}."


def _nothing(root: Path, wanted: "SearchQuery", files: int) -> str:
    narrowed = wanted.filter.globs or wanted.filter.languages
    advice = "Loosen --glob or --language." if narrowed else "Try other words."
    if not files:
        advice = "No file of it is indexed: see `codeintel-ls status`."
    text = wanted.text if len(wanted.text) <= 60 else wanted.text[:59] + "…"
    return f"Nothing found for '{text}' in {output.count(files, 'file')} of {root.name}. {advice}"
