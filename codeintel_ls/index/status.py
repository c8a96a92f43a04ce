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
    are never indexed, by reason. `memory_bytes` are those of the index, in memory or mapped (0
    while it is unloaded); `disk_bytes` count the contents that the repository's folders share, too.
    `embedded` texts had to be embedded since the folder was opened.
    `primary_recall` is the share of the true ten nearest that the primary was calibrated to find.
    `notices` are sentences a person should know and may do something about (a damaged cache was
    set aside, watching covers only a part); `remarks` only tell how things are (another process
    keeps this index, the folder is looked through now and then).
    """

    state: IndexState
    files: int
    chunks: int
    pending: int
    generation: int
    primary_kind: str
    primary_vectors: int
    primary_recall: float | None = None
    secondary_vectors: int
    tombstones: int
    embedder: str
    embedded: int = 0
    memory_bytes: int
    disk_bytes: int
    skipped: Mapping[str, int]
    last_error: str | None = None
    notices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def of_none(cls, error: str | None) -> "IndexStatus":
        """Of an index that was lost and cannot be made anew yet."""
        return cls(
            state=IndexState.FAILED,
            files=0,
            chunks=0,
            pending=0,
            generation=0,
            primary_kind="none",
            primary_vectors=0,
            secondary_vectors=0,
            tombstones=0,
            embedder="none",
            memory_bytes=0,
            disk_bytes=0,
            skipped={},
            last_error=error or "The index cache was damaged or removed.",
        )
