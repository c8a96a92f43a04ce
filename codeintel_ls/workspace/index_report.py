"""What a folder says of its index: the counts, and the sentences of all who have a part in it."""

from collections.abc import Sequence

from codeintel_ls.index.index import Index
from codeintel_ls.index.status import IndexStatus
from codeintel_ls.workspace.following import follower_notice
from codeintel_ls.workspace.index_keeper import IndexKeeper
from codeintel_ls.workspace.refinement import Refinement
from codeintel_ls.workspace.refining import NoRefinement
from codeintel_ls.workspace.scope import FolderScope


def report(
    index: Index,
    keeper: IndexKeeper,
    scope: FolderScope,
    refinement: Refinement | NoRefinement,
    *,
    embedder: str,
    notices: Sequence[str],
    remarks: Sequence[str],
) -> IndexStatus:
    """The status now; `notices` and `remarks` are the folder's own. Raises the store's errors."""
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
            *index.notices,
            *keeper.upkeep.notices,
            *scope.notices,
            *refinement.notices,
        ),
        remarks=(
            *scope.remarks,
            *(() if index.owned else (follower_notice(index),)),
            *remarks,
            *refinement.remarks,
        ),
    )
