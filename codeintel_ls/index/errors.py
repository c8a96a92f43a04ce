"""What can go wrong with an index, in sentences for the person who owns it."""

from codeintel_ls.errors import CodeIntelError


class IndexingError(CodeIntelError):
    """The root of this room's errors."""


class DamagedCacheError(IndexingError):
    """The cache cannot be read; it is set aside and built anew."""


class DamagedSegmentError(DamagedCacheError):
    """A segment holds what cannot be: it is set aside and written anew from the store."""


class NewerCacheError(IndexingError):
    """The cache was written by a newer version of this program."""


class CacheUnavailableError(IndexingError):
    """The cache folder cannot be used (permissions, no space)."""


class SegmentsUnavailableError(CacheUnavailableError):
    """Segments cannot be read now (open files, memory, permissions); nothing says they are damaged.

    They stay where they are, and are tried again later.
    """


class OwnershipLostError(CacheUnavailableError):
    """The cache is not this process's any more: what was to be written is not."""


class SegmentTooLargeError(IndexingError):
    """More chunks than the postings of one segment can tell apart; nothing is written."""


class WorkerFailedError(IndexingError):
    """The indexing process died over a task, or could not carry it out."""


class WorkerUnavailableError(IndexingError):
    """There is no indexing process to be had: none can be started, or it was closed."""
