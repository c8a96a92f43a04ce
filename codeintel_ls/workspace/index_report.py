"""What a folder says of its index: the counts, and the sentences of all who have a part in it."""

from collections.abc import Sequence
from typing import Final

from codeintel_ls.index.index import Index
from codeintel_ls.index.status import IndexStatus
from codeintel_ls.settings import Settings
from codeintel_ls.workspace.following import follower_notice
from codeintel_ls.workspace.index_keeper import IndexKeeper
from codeintel_ls.workspace.refining import NoRefinement, Refining
from codeintel_ls.workspace.scope import FolderScope

_REOPEN: Final = (
    "The settings cache.directory and embedding take effect when the server is restarted."
)
_OFF: Final = 'Indexing is switched off by the setting "index.enabled".'


def report(
    index: Index,
    keeper: IndexKeeper,
    scope: FolderScope,
    refinement: Refining,
    *,
    embedder: str,
    notices: Sequence[str],
    opened_with: Settings,
    settings: Settings,
) -> IndexStatus:
    """The status now; `notices` are the folder's own. Raises the store's errors."""
    old = (opened_with.cache.directory, opened_with.embedding)
    # An endpoint that was taken away and comes back is asked after a restart only.
    stopped = bool(settings.embedding.endpoint) and isinstance(refinement, NoRefinement)
    reopen = stopped or old != (settings.cache.directory, settings.embedding)
    counts = index.counts
    return IndexStatus(
        state=keeper.health.state,
        files=index.store.count_files(),
        chunks=counts.chunks,
        pending=keeper.pending,
        generation=counts.number,
        primary_kind=counts.primary_kind,
        primary_vectors=counts.primary_vectors,
        primary_recall=counts.primary_recall,
        secondary_vectors=counts.secondary_vectors,
        tombstones=counts.tombstones,
        embedder=embedder,
        embedded=keeper.embedded,
        memory_bytes=counts.memory_bytes,
        disk_bytes=index.disk_bytes() + index.shared_bytes() + refinement.disk_bytes,
        skipped=keeper.upkeep.skipped(),
        last_error=keeper.health.last_error,
        notices=(
            *notices,
            *((_REOPEN,) if reopen else ()),
            *index.notices,
            *keeper.upkeep.notices,
            *scope.notices,
            *refinement.notices,
        ),
        remarks=(
            *scope.remarks,
            *(() if index.owned else (follower_notice(index),)),
            *(() if settings.index.enabled else (_OFF,)),
            *refinement.remarks,
        ),
    )
