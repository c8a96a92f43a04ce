"""What goes into a search and what comes out of it: plain frozen values."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Protocol

from attrs import field, frozen

from codeintel_ls.cancellation import Cancellation


class SearchMode(StrEnum):
    """Which candidates take part."""

    HYBRID = "hybrid"
    SEMANTIC = "semantic"
    LEXICAL = "lexical"


@frozen(kw_only=True)
class SearchFilter:
    """Restricts hits to a part of a folder. Empty fields restrict nothing.

    `globs` are gitignore-like patterns over folder-relative paths; one that begins with `!`
    excludes. `under` are folder-relative directories or files. `languages` are language ids.
    """

    globs: tuple[str, ...] = ()
    languages: frozenset[str] = frozenset()
    under: tuple[str, ...] = ()


@frozen(kw_only=True)
class SearchQuery:
    """A question. `limit` hits from `offset` on; snippets of at most `snippet_lines` lines."""

    text: str
    limit: int = 20
    offset: int = 0
    mode: SearchMode = SearchMode.HYBRID
    filter: SearchFilter = field(factory=SearchFilter)
    snippet_lines: int = 12
    explain: bool = False


@frozen(kw_only=True)
class Explanation:
    """Why a hit stands where it stands: 1-based ranks in each list and the boosts applied."""

    dense_rank: int | None
    dense_score: float | None
    lexical_rank: int | None
    lexical_score: float | None
    fused_score: float
    boosts: Mapping[str, float]


@frozen(kw_only=True)
class Hit:
    """A place that answers a query.

    `path` is folder-relative with `/`. Lines are 0-based, `end_line` is exclusive; `last_line` is
    the text of line `end_line - 1`, from which a face computes the range's last character.
    `score` lies in 0..1. `shared` are identifiers that code has in common with what it is like, the
    most telling first, where that was asked. `stale` says that the file changed since it was
    indexed and the place could not be found again: then `snippet` is empty.
    """

    path: str
    start_line: int
    end_line: int
    last_line: str
    symbol: str | None
    kind: str | None
    language: str
    score: float
    snippet: str
    snippet_start_line: int
    stale: bool
    explanation: Explanation | None = None
    shared: tuple[str, ...] | None = None


class HitFilter(Protocol):
    """Lets through some hits by what this room does not know, and may tire of looking."""

    def first(
        self, hits: Iterator[Hit], wanted: int, cancellation: Cancellation, /
    ) -> tuple[list[Hit], bool]:
        """The first `wanted` hits that pass, in order, and whether it stopped before their end.

        No more of `hits` are taken than it takes. Raises CancelledError.
        """
        ...


@frozen(kw_only=True)
class Freshness:
    """How far the answer can be trusted: see `editors/protocol.md`."""

    generation: int
    pending: int
    complete: bool
    refined: float = 0.0


@frozen(kw_only=True)
class SearchResult:
    """Ranked hits, the best first.

    `stopped_early`: a filter gave up before it had looked at enough of them; None without one.
    `evidence`: scores are relative to the best of one folder; times this, those of several compare.
    """

    hits: tuple[Hit, ...]
    freshness: Freshness
    stopped_early: bool | None = None
    evidence: float = 0.0
