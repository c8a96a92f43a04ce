"""The parameters and results of every operation, as `editors/protocol.md` promises them.

Field names are camelCase on the wire. A parameter without a default must be given; a result
field whose default is None is left out where it is None. Invariant: these classes and the
document say the same (a test compares them); nothing here computes.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from attrs import frozen
from lsprotocol.types import Range

from codeintel_ls.git import HistoryBoundary
from codeintel_ls.index.status import IndexState
from codeintel_ls.search.values import SearchMode
from codeintel_ls.server.validation import MAX_UINTEGER, AtMost, Between

MAX_QUERY: Final = 10_000
MAX_LIST: Final = 1_000
MAX_CURSOR: Final = 100_000
MOST_PATHS: Final = 20
"""Of the paths that a commit touched, so many are told."""

Query = Annotated[str, AtMost(MAX_QUERY)]
Uri = Annotated[str, AtMost(MAX_QUERY)]
Strings = Annotated[tuple[str, ...], AtMost(MAX_LIST)]
SearchLimit = Annotated[int, Between(1, 200)]
SearchOffset = Annotated[int, Between(0, 10_000)]
SnippetLines = Annotated[int, Between(0, 200)]
LineNumber = Annotated[int, Between(0, MAX_UINTEGER)]
Author = Annotated[str | None, AtMost(200)]
Date = Annotated[str | None, AtMost(100)]


@frozen(kw_only=True)
class SemanticSearchParams:
    """A question to the index."""

    query: Query
    limit: SearchLimit | None = None
    offset: SearchOffset = 0
    folders: Strings = ()
    globs: Strings = ()
    languages: Strings = ()
    mode: SearchMode = SearchMode.HYBRID
    author: Author = None
    changed_since: Date = None
    changed_before: Date = None
    snippet_lines: SnippetLines | None = None
    explain: bool = False


@frozen(kw_only=True)
class FindSimilarParams:
    """A place whose like is wanted."""

    uri: Uri
    range: Range
    limit: SearchLimit | None = None
    offset: SearchOffset = 0
    globs: Strings = ()
    languages: Strings = ()
    snippet_lines: SnippetLines | None = None


@frozen(kw_only=True)
class Explanation:
    """Why a hit stands where it stands."""

    dense_rank: int | None
    dense_score: float | None
    lexical_rank: int | None
    lexical_score: float | None
    fused_score: float
    boosts: Mapping[str, float]


@frozen(kw_only=True)
class Hit:
    """A place that answers a query."""

    uri: str
    path: str
    range: Range
    symbol: str | None = None
    kind: str | None = None
    language: str
    score: float
    snippet: str
    snippet_start_line: int
    stale: bool
    explanation: Explanation | None = None
    shared_identifiers: tuple[str, ...] | None = None


@frozen(kw_only=True)
class Freshness:
    """How far the answer can be trusted."""

    generation: int
    pending: int
    complete: bool
    refined: float


@frozen(kw_only=True)
class SearchResult:
    """Ranked hits, the best first."""

    hits: tuple[Hit, ...]
    freshness: Freshness
    stopped_early: bool | None = None


@frozen(kw_only=True)
class BlameRangeParams:
    """Lines, both ends inclusive, of the open document or else of the file."""

    uri: Uri
    start_line: LineNumber
    end_line: LineNumber
    ignore_whitespace: bool | None = None
    detect_moves: bool | None = None
    detect_copies: bool | None = None


@frozen(kw_only=True)
class Person:
    """Who and when."""

    name: str
    email: str
    time: int
    offset: int


@frozen(kw_only=True)
class Commit:
    """A commit."""

    id: str
    short_id: str
    author: Person
    committer: Person
    summary: str
    message: str
    parents: tuple[str, ...]
    url: str | None = None


@frozen(kw_only=True)
class BlameHunk:
    """Neighbouring lines of one commit."""

    start_line: int
    end_line: int
    commit: str | None
    original_line: int
    original_path: str


@frozen(kw_only=True)
class BlameRangeResult:
    """Who wrote the lines."""

    hunks: tuple[BlameHunk, ...]
    commits: Mapping[str, Commit]
    version: int | None
    cut_off: tuple[str, ...]


@frozen(kw_only=True)
class FileHistoryParams:
    """A file, or a range of its lines, or a folder."""

    uri: Uri
    range: Range | None = None
    limit: Annotated[int, Between(1, 1_000)] = 50
    cursor: Annotated[str | None, AtMost(MAX_CURSOR)] = None
    follow: bool = True
    counts: bool = True


@frozen(kw_only=True)
class HistoryEntry:
    """A commit and what it did to the file."""

    id: str
    short_id: str
    author: Person
    committer: Person
    summary: str
    message: str
    parents: tuple[str, ...]
    url: str | None = None
    path: str
    previous_path: str | None = None
    status: str
    additions: int | None
    deletions: int | None


@frozen(kw_only=True)
class FileHistoryResult:
    """One page, the newest commit first."""

    entries: tuple[HistoryEntry, ...]
    next_cursor: str | None = None
    boundary: HistoryBoundary | None = None


@frozen(kw_only=True)
class SearchHistoryParams:
    """A question to the history."""

    query: Query
    limit: SearchLimit = 20
    author: Author = None
    since: Date = None
    before: Date = None
    paths: Strings = ()


@frozen(kw_only=True)
class CommitHit:
    """A commit that answers."""

    id: str
    short_id: str
    author: Person
    committer: Person
    summary: str
    message: str
    parents: tuple[str, ...]
    url: str | None = None
    score: float
    paths: tuple[str, ...]


@frozen(kw_only=True)
class SearchHistoryResult:
    """Ranked commits, the best first."""

    commits: tuple[CommitHit, ...]
    complete: bool
    indexed: int


@frozen(kw_only=True)
class FileAtRevisionParams:
    """A file as it was."""

    uri: Uri
    commit: Annotated[str, AtMost(200)]


@frozen(kw_only=True)
class OpenCommitParams:
    """A commit of the repository that holds a file."""

    uri: Uri
    commit: Annotated[str, AtMost(200)]


@frozen(kw_only=True)
class ShownResult:
    """What was to be shown."""

    uri: str
    shown: bool


@frozen(kw_only=True)
class TextResult:
    """A text."""

    text: str


@frozen(kw_only=True)
class ListPathsParams:
    """Which files to list."""

    folder: Uri | None = None
    path: Annotated[str, AtMost(MAX_QUERY)] = ""
    globs: Strings = ()
    limit: Annotated[int, Between(1, 100_000)] = 1_000


@frozen(kw_only=True)
class ListPathsResult:
    """Folder-relative paths."""

    paths: tuple[str, ...]
    truncated: bool


@frozen(kw_only=True)
class NoParams:
    """Nothing to say."""


@frozen(kw_only=True)
class UpdateIndexParams:
    """What to bring up to date."""

    uris: Strings | None = None


@frozen(kw_only=True)
class FolderParams:
    """Which folder."""

    folder: Uri | None = None


@frozen(kw_only=True)
class Primary:
    """The large index."""

    kind: str
    vectors: int
    recall: float | None = None


@frozen(kw_only=True)
class Secondary:
    """The small index of what came since."""

    vectors: int


@frozen(kw_only=True)
class FolderStatus:
    """The index of one folder."""

    uri: str
    state: IndexState
    files: int
    chunks: int
    pending: int
    generation: int
    primary: Primary
    secondary: Secondary
    tombstones: int
    embedder: str
    embedded: int
    memory_bytes: int
    disk_bytes: int
    skipped: Mapping[str, int]
    notices: tuple[str, ...]
    last_error: str | None = None


@frozen(kw_only=True)
class IndexStatusResult:
    """Every folder, or those that were asked for."""

    folders: tuple[FolderStatus, ...]


@frozen(kw_only=True)
class StatusNotification:
    """`codeintel/status`: how the server is."""

    health: str
    state: str
    message: str
