"""What tests ask of a folder."""

from attrs import evolve

from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError
from codeintel_ls.search import SearchQuery
from codeintel_ls.workspace import WorkspaceFolder


def found(folder: WorkspaceFolder, question: str, **options: object) -> list[str]:
    """The paths of the hits; `options` are those of `SearchQuery`."""
    result = folder.search(evolve(SearchQuery(text=question), **options))
    return [hit.path for hit in result.hits]


def answers(folder: WorkspaceFolder, question: str = "total price") -> str:
    """The path of the first hit; nothing where there is no answer yet."""
    try:
        return found(folder, question)[0]
    except (IndexError, DamagedCacheError, CacheUnavailableError):
        return ""
