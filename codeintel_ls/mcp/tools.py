"""The tools: one table of names, parameters, the operation of the daemon that each asks, its text.

Lines are 1-based and inclusive for agents, 0-based for the daemon.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from codeintel_ls.mcp import rendering
from codeintel_ls.mcp.arguments import Parameter
from codeintel_ls.mcp.errors import ToolArgumentError
from codeintel_ls.mcp.roots import Roots

_MOST_LINES: Final = 10_000_000
_QUERY: Final = Parameter(
    kind="string", meaning="What the code does, in your own words, or names from it.", required=True
)
_PATH: Final = Parameter(
    kind="string", meaning="A file, relative to the workspace or absolute.", required=True
)
_LINE: Final = Parameter(kind="integer", meaning="1-based.", bounds=(1, _MOST_LINES))
_FIRST: Final = Parameter(
    kind="integer", meaning="First line, 1-based.", required=True, bounds=(1, _MOST_LINES)
)
_LAST: Final = Parameter(
    kind="integer", meaning="Last line, inclusive.", required=True, bounds=(1, _MOST_LINES)
)
_HITS: Final = Parameter(kind="integer", meaning="At most so many.", default=8, bounds=(1, 50))
_GLOBS: Final = Parameter(
    kind="array",
    meaning='Only paths that match one of them; `!` excludes: ["src/**", "!**/test*"].',
)
_LANGUAGES: Final = Parameter(kind="array", meaning='Only these, as in ["python", "go"].')
_SNIPPET: Final = Parameter(
    kind="integer", meaning="Lines of code shown of each.", default=6, bounds=(0, 60)
)
_AUTHOR: Final = Parameter(kind="string", meaning="Part of a name or e-mail.")
_SINCE: Final = Parameter(
    kind="string", meaning='A date or an age: "2026-01-31", "2w", "3 months".'
)


@frozen(kw_only=True)
class Ask:
    """An operation of the daemon and its parameters."""

    operation: str
    params: Mapping[str, Any]


@frozen(kw_only=True)
class Tool:
    """`ask` makes an operation of checked arguments; `text` makes its result short text."""

    name: str
    title: str
    description: str
    parameters: Mapping[str, Parameter]
    ask: Callable[[Mapping[str, Any], Roots], Ask]
    text: Callable[[Mapping[str, Any]], str]
    needs_index: bool = False


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}


def _lines(arguments: Mapping[str, Any]) -> tuple[int, int]:
    first, last = arguments["start_line"], arguments["end_line"]
    if last < first:
        raise ToolArgumentError("`end_line` must not be before `start_line`.")
    return first - 1, last - 1


def _range(first: int, last: int) -> dict[str, Any]:
    return {"start": {"line": first, "character": 0}, "end": {"line": last + 1, "character": 0}}


def _uri(arguments: Mapping[str, Any], roots: Roots) -> str:
    folder, path = roots.resolve(arguments["path"])
    return (folder / path).as_uri()


def _semantic_search(arguments: Mapping[str, Any], roots: Roots) -> Ask:
    folders = None
    if arguments["path"] is not None:
        folders = [_uri(arguments, roots)]
    params = _given(
        query=arguments["query"],
        limit=arguments["limit"],
        offset=arguments["offset"],
        folders=folders,
        globs=arguments["globs"],
        languages=arguments["languages"],
        mode=arguments["mode"],
        author=arguments["author"],
        changedSince=arguments["since"],
        changedBefore=arguments["before"],
        snippetLines=arguments["snippet_lines"],
    )
    return Ask(operation="semanticSearch", params=params)


def _find_similar(arguments: Mapping[str, Any], roots: Roots) -> Ask:
    params = _given(
        uri=_uri(arguments, roots),
        range=_range(*_lines(arguments)),
        limit=arguments["limit"],
        globs=arguments["globs"],
        snippetLines=arguments["snippet_lines"],
    )
    return Ask(operation="findSimilar", params=params)


def _search_history(arguments: Mapping[str, Any], _roots: Roots) -> Ask:
    params = _given(
        query=arguments["query"],
        limit=arguments["limit"],
        author=arguments["author"],
        since=arguments["since"],
        before=arguments["before"],
        paths=arguments["globs"],
    )
    return Ask(operation="searchHistory", params=params)


def _blame_range(arguments: Mapping[str, Any], roots: Roots) -> Ask:
    first, last = _lines(arguments)
    params = _given(
        uri=_uri(arguments, roots),
        startLine=first,
        endLine=last,
        ignoreWhitespace=arguments["ignore_whitespace"],
    )
    return Ask(operation="blameRange", params=params)


def _file_history(arguments: Mapping[str, Any], roots: Roots) -> Ask:
    lines = None
    if arguments["start_line"] is not None or arguments["end_line"] is not None:
        first = arguments["start_line"] or arguments["end_line"]
        both = {"start_line": first, "end_line": arguments["end_line"] or first}
        lines = _range(*_lines(both))
    params = _given(
        uri=_uri(arguments, roots),
        range=lines,
        limit=arguments["limit"],
        cursor=arguments["cursor"],
    )
    return Ask(operation="fileHistory", params=params)


def _list_paths(arguments: Mapping[str, Any], roots: Roots) -> Ask:
    folder = roots.folders[0]
    path = None
    if arguments["path"] is not None:
        folder, place = roots.resolve(arguments["path"])
        path = None if place == Path() else place.as_posix()
    params = _given(
        folder=folder.as_uri(), path=path, globs=arguments["globs"], limit=arguments["limit"]
    )
    return Ask(operation="listPaths", params=params)


def _index_status(_arguments: Mapping[str, Any], _roots: Roots) -> Ask:
    return Ask(operation="indexStatus", params={})


TOOLS: Final = (
    Tool(
        name="semantic_search",
        title="Search code by meaning",
        description=(
            "Where is the code that does X? Ask in your own words; names work too. Answers "
            "`path:first-last` with the symbol and a snippet, the best first. Use it before "
            "grep when you do not know what the code calls things."
        ),
        parameters={
            "query": _QUERY,
            "limit": _HITS,
            "offset": Parameter(
                kind="integer", meaning="Leave out the first so many.", bounds=(0, 1_000)
            ),
            "path": Parameter(kind="string", meaning="Only in this folder or file."),
            "globs": _GLOBS,
            "languages": _LANGUAGES,
            "mode": Parameter(
                kind="string",
                meaning="By meaning, by letters, or both.",
                default="hybrid",
                choices=("hybrid", "semantic", "lexical"),
            ),
            "author": _AUTHOR,
            "since": _SINCE,
            "before": _SINCE,
            "snippet_lines": _SNIPPET,
        },
        ask=_semantic_search,
        text=rendering.search_text,
        needs_index=True,
    ),
    Tool(
        name="find_similar",
        title="Find similar code",
        description="Code that is like the given lines, elsewhere in the workspace.",
        parameters={
            "path": _PATH,
            "start_line": _FIRST,
            "end_line": _LAST,
            "limit": _HITS,
            "globs": _GLOBS,
            "snippet_lines": _SNIPPET,
        },
        ask=_find_similar,
        text=rendering.search_text,
        needs_index=True,
    ),
    Tool(
        name="search_history",
        title="Search commits by meaning",
        description="Which commit did X, and why? By message, touched paths and symbols.",
        parameters={
            "query": Parameter(kind="string", meaning="What was changed, or why.", required=True),
            "limit": _HITS,
            "author": _AUTHOR,
            "since": _SINCE,
            "before": _SINCE,
            "globs": Parameter(kind="array", meaning="Only commits that touched such a path."),
        },
        ask=_search_history,
        text=rendering.commits_text,
    ),
    Tool(
        name="blame_range",
        title="Who wrote these lines",
        description="The commits that lines of a file come from: id, date, author, summary.",
        parameters={
            "path": _PATH,
            "start_line": _FIRST,
            "end_line": _LAST,
            "ignore_whitespace": Parameter(
                kind="boolean", meaning="Look past commits that changed white space alone."
            ),
        },
        ask=_blame_range,
        text=rendering.blame_text,
    ),
    Tool(
        name="file_history",
        title="How a file or its lines got here",
        description="Commits of a file, of some of its lines, or of a folder; renames followed.",
        parameters={
            "path": Parameter(
                kind="string", meaning="A file or folder; `.` for everything.", required=True
            ),
            "start_line": _LINE,
            "end_line": _LINE,
            "limit": Parameter(
                kind="integer", meaning="At most so many.", default=15, bounds=(1, 200)
            ),
            "cursor": Parameter(kind="string", meaning="From an earlier answer, for what follows."),
        },
        ask=_file_history,
        text=rendering.history_text,
    ),
    Tool(
        name="list_paths",
        title="List files",
        description="Paths of the workspace's files that are indexed, ignored ones left out.",
        parameters={
            "path": Parameter(kind="string", meaning="Only below this folder."),
            "globs": _GLOBS,
            "limit": Parameter(
                kind="integer", meaning="At most so many.", default=200, bounds=(1, 5_000)
            ),
        },
        ask=_list_paths,
        text=rendering.paths_text,
        needs_index=True,
    ),
    Tool(
        name="index_status",
        title="State of the index",
        description="Whether the index is ready, and what was left out.",
        parameters={},
        ask=_index_status,
        text=rendering.status_text,
    ),
)
