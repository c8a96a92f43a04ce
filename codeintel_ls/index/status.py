"""What an index says of itself."""

from collections.abc import Mapping
from enum import StrEnum

from attrs import frozen


class IndexState(StrEnum):
    """Where an index stands; it answers searches in every state but a first `SCANNING`."""

    SCANNING = "scanning"
    INDEXING = "indexing"
    READY = "ready"
    MERGING = "merging"
    FAILED = "failed"


@frozen(kw_only=True)
class IndexStatus:
    """Counts of one workspace folder's index.

    `pending` files are known to have changed and not yet searchable. `skipped` counts files that
    are never indexed, by reason. `memory_bytes` and `disk_bytes` are estimates of the index alone.
    `notices` are sentences a person should know (a damaged cache was set aside, another process
    keeps this index, watching covers only a part).
    """

    state: IndexState
    files: int
    chunks: int
    pending: int
    generation: int
    primary_kind: str
    primary_vectors: int
    secondary_vectors: int
    tombstones: int
    embedder: str
    memory_bytes: int
    disk_bytes: int
    skipped: Mapping[str, int]
    last_error: str | None = None
    notices: tuple[str, ...] = ()
