"""What the server's process and the indexing process say to each other.

Plain values, pickled over the pipe between a parent and a child it started itself; nothing of
this ever comes from a file or a network.
"""

from attrs import frozen

from codeintel_ls.index.schema import FileRecord
from codeintel_ls.index.source import ReadLimits


@frozen
class FileToIndex:
    """A file to be read, by folder-relative path; work is spared if `known_digest` still holds."""

    path: str
    known_digest: bytes | None


@frozen
class PrepareTask:
    """Read, screen and chunk these files; remember their texts until the next `PrepareTask`."""

    root: str
    files: tuple[FileToIndex, ...]
    limits: ReadLimits


@frozen
class EmbedTask:
    """Embed remembered texts by their vector keys."""

    keys: tuple[bytes, ...]


@frozen
class StartTask:
    """The first task of a process: which model to load and how polite to be."""

    model: str
    niceness: int


@frozen
class UnchangedFile:
    """Its content is what the store already holds."""

    path: str
    digest: bytes
    size: int
    mtime_ns: int
    seen_ns: int


@frozen
class SkippedFile:
    """Left out, with the reason that `status` counts."""

    path: str
    reason: str
    size: int
    mtime_ns: int


@frozen
class MissingFile:
    """Not there (any more)."""

    path: str


PreparedFile = FileRecord | UnchangedFile | SkippedFile | MissingFile


@frozen
class TaskFailure:
    """The task failed as a whole; `message` is a sentence without source text or paths."""

    message: str
