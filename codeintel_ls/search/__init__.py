"""A query becomes ranked hits: candidates, fusion, ranking, filters, snippets.

This room reads a published generation and files; it never writes an index.
"""

from codeintel_ls.search.engine import Answer, SearchEngine, SimilarTo
from codeintel_ls.search.errors import InvalidQueryError
from codeintel_ls.search.values import (
    Explanation,
    Freshness,
    Hit,
    HitFilter,
    SearchFilter,
    SearchMode,
    SearchQuery,
    SearchResult,
)

__all__ = [
    "Answer",
    "Explanation",
    "Freshness",
    "Hit",
    "HitFilter",
    "InvalidQueryError",
    "SearchEngine",
    "SearchFilter",
    "SearchMode",
    "SearchQuery",
    "SearchResult",
    "SimilarTo",
]
