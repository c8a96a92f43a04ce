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


class WorkerFailedError(IndexingError):
    """The indexing process died over a task, or could not carry it out."""


class WorkerUnavailableError(IndexingError):
    """There is no indexing process to be had: none can be started, or it was closed."""
