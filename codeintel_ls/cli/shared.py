"""Asking the server that runs already for a folder, instead of opening its index once more.

Nothing here starts one. Invariant: little is imported, so that an answer takes no longer than a
person notices; whatever keeps the server from answering, the command does the work itself.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

if TYPE_CHECKING:
    from codeintel_ls.daemon.client import DaemonClient

Answer = TypeVar("Answer")

_GIT_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_CEILING_DIRECTORIES")


@frozen(kw_only=True)
class SharedExplanation:
    """See `codeintel_ls.search.Explanation`."""

    dense_rank: int | None
    dense_score: float | None
    lexical_rank: int | None
    lexical_score: float | None
    fused_score: float
    boosts: Mapping[str, float]


@frozen(kw_only=True)
class SharedHit:
    """A hit as a server told it; see `codeintel_ls.search.Hit`."""

    path: str
    start_line: int
    end_line: int
    symbol: str | None
    kind: str | None
    score: float
    stale: bool
    snippet: str
    snippet_start_line: int
    explanation: SharedExplanation | None

    @classmethod
    def of(cls, hit: Mapping[str, Any]) -> "SharedHit":
        """From the result of `semanticSearch`."""
        told = hit.get("explanation")
        return cls(
            path=hit["path"],
            start_line=hit["range"]["start"]["line"],
            end_line=hit["range"]["end"]["line"] + 1,
            symbol=hit.get("symbol"),
            kind=hit.get("kind"),
            score=hit["score"],
            stale=hit["stale"],
            snippet=hit["snippet"],
            snippet_start_line=hit["snippetStartLine"],
            explanation=None
            if told is None
            else SharedExplanation(
                dense_rank=told["denseRank"],
                dense_score=told["denseScore"],
                lexical_rank=told["lexicalRank"],
                lexical_score=told["lexicalScore"],
                fused_score=told["fusedScore"],
                boosts=told["boosts"],
            ),
        )


def probable_root(named: str | None) -> Path | None:
    """The folder that a command is about, where that can be told without running git."""
    try:
        if named is not None:
            folder = Path(named).expanduser().resolve()
            return folder if folder.is_dir() else None
        if any(os.environ.get(name) for name in _GIT_VARIABLES):
            return None
        here = Path.cwd().resolve()
    except (OSError, RuntimeError):
        return None
    return next((one for one in (here, *here.parents) if (one / ".git").exists()), here)


def ask_running(root: Path, ask: "Callable[[DaemonClient], Answer]") -> "Answer | None":
    """What the server of `root` answers; None where none runs, or where it ends meanwhile.

    Raises AnsweredError.
    """
    from codeintel_ls.daemon.client import DaemonClient, DaemonLostError
    from codeintel_ls.errors import CodeIntelError

    try:
        client = DaemonClient.open([root], "cli", start=False)
    # Without the server the command works as well, only slower.
    except (CodeIntelError, OSError):
        return None
    if client is None:
        return None
    try:
        return ask(client)
    except DaemonLostError:
        return None
    finally:
        client.close()
