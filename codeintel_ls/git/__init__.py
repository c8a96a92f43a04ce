"""The only room that runs git: discovery, blame, history, listing, links.

Everything outside uses the names below. Invariant: opening, blaming or listing a repository runs
nothing that the repository configures, and nothing of git outlives the call that started it.
"""

from codeintel_ls.git.async_client import AsyncGitClient
from codeintel_ls.git.client import GitClient
from codeintel_ls.git.commit_graph import GraphState, GraphStatus, ShadowGraph
from codeintel_ls.git.errors import (
    BadRevisionError,
    BinaryFileError,
    FileTooLargeError,
    GitError,
    GitFailedError,
    GitMissingError,
    GitTimedOutError,
    LfsPointerError,
    LineOutOfRangeError,
    NoCommitsYetError,
    NotARepositoryError,
    PathNotTrackedError,
    PathOutsideRepositoryError,
    UntrustedRepositoryError,
)
from codeintel_ls.git.line_map import LineMap
from codeintel_ls.git.runner import ProcessSlots
from codeintel_ls.git.touched import TouchedCommit
from codeintel_ls.git.values import (
    BlameHunk,
    BlameOptions,
    BlameResult,
    ChangeStatus,
    Commit,
    FileListing,
    HistoryBoundary,
    HistoryEntry,
    HistoryPage,
    Person,
)

__all__ = [
    "AsyncGitClient",
    "BadRevisionError",
    "BinaryFileError",
    "BlameHunk",
    "BlameOptions",
    "BlameResult",
    "ChangeStatus",
    "Commit",
    "FileListing",
    "FileTooLargeError",
    "GitClient",
    "GitError",
    "GitFailedError",
    "GitMissingError",
    "GitTimedOutError",
    "GraphState",
    "GraphStatus",
    "HistoryBoundary",
    "HistoryEntry",
    "HistoryPage",
    "LfsPointerError",
    "LineMap",
    "LineOutOfRangeError",
    "NoCommitsYetError",
    "NotARepositoryError",
    "PathNotTrackedError",
    "PathOutsideRepositoryError",
    "Person",
    "ProcessSlots",
    "ShadowGraph",
    "TouchedCommit",
    "UntrustedRepositoryError",
]
