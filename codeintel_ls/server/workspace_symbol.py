"""`workspace/symbol`: places by meaning, where the settings or a leading `?` ask for it.

Invariant: by default an ordinary symbol query gets nothing from this server, which would only
crowd out the answers of a language's own server.
"""

from collections.abc import Mapping
from typing import Final

from lsprotocol import types

from codeintel_ls.errors import CodeIntelError
from codeintel_ls.server import wire
from codeintel_ls.server.search import semantic_search
from codeintel_ls.server.session import Session
from codeintel_ls.settings import WorkspaceSymbols

PREFIX: Final = "?"
_LIMIT: Final = 50
_KINDS: Final[Mapping[str, types.SymbolKind]] = {
    kind.name.lower().rstrip("_"): kind for kind in types.SymbolKind
} | {
    "type": types.SymbolKind.Class,
    "trait": types.SymbolKind.Interface,
    "section": types.SymbolKind.String,
}


async def workspace_symbol(
    session: Session, params: types.WorkspaceSymbolParams
) -> list[types.SymbolInformation] | None:
    """The best places for the query, as symbols."""
    query = _semantic_query(params.query, session.settings.search.workspace_symbols)
    if query is None or len(query) > wire.MAX_QUERY or not len(session.folders):
        return None
    search = wire.SemanticSearchParams(query=query, limit=_LIMIT, snippet_lines=0)
    try:
        result = await semantic_search(session, search)
    except CodeIntelError as error:
        session.client.log(types.MessageType.Info, f"workspace/symbol: {error}")
        return None
    return [_symbol(hit) for hit in result.hits]


def _semantic_query(query: str, when: WorkspaceSymbols) -> str | None:
    """What is asked for by meaning; None where the query is not for this server."""
    asked = query.startswith(PREFIX)
    wanted = when is WorkspaceSymbols.ALWAYS or (when is WorkspaceSymbols.PREFIX and asked)
    text = query.removeprefix(PREFIX).strip()
    return text if wanted and text else None


def _symbol(hit: wire.Hit) -> types.SymbolInformation:
    name = hit.path.rpartition("/")[2]
    return types.SymbolInformation(
        name=hit.symbol or f"{name}:{hit.range.start.line + 1}",
        kind=_KINDS.get(hit.kind or "", types.SymbolKind.File),
        container_name=hit.path,
        location=types.Location(uri=hit.uri, range=hit.range),
    )
