"""What the server's process and the indexing process say to each other.

Plain values, pickled over the pipe between a parent and a child it started itself; nothing of
this ever comes from a file or a network. Large things (chunks, terms, vectors) never travel: the
child writes them into the store of contents.
"""

from attrs import frozen

from codeintel_ls.embedding import Model
from codeintel_ls.index.schema import FileRecord
from codeintel_ls.index.source import ReadLimits


@frozen
class FileToIndex:
    """A file to be read, by folder-relative path; work is spared if `known_digest` still holds."""

    path: str
    known_digest: bytes | None


@frozen(kw_only=True)
class StartTask:
    """The first task of a process: which model to load, how polite and how large to be."""

    model: Model
    niceness: int
    memory_bytes: int


@frozen(kw_only=True)
class PrepareTask:
    """Read, screen, chunk and embed these files; what is new goes into the `contents` file.

    `recipe` names what decides chunks and vectors. `embed_all`: also what is there already.
    `urgent`: somebody waits for it, so it goes beside whatever else is done.
    """

    root: str
    files: tuple[FileToIndex, ...]
    limits: ReadLimits
    contents: str
    recipe: str
    embed_all: bool = False
    urgent: bool = False


@frozen(kw_only=True)
class CollectTask:
    """Delete contents that none of the `databases` names and that were long not used."""

    contents: str
    databases: tuple[str, ...]
    unused_days: int


@frozen
class VerifyTask:
    """Read every byte of these segments' folders, to see whether they are as they were written."""

    folders: tuple[str, ...]


@frozen(kw_only=True)
class CommitToIndex:
    """A commit as it is to be found: what it says, and the names of what it touched."""

    id: str
    parents: int
    name: str
    email: str
    time: int
    message: str
    paths: tuple[str, ...]
    symbols: tuple[str, ...]


@frozen(kw_only=True)
class PrepareCommitsTask:
    """Embed these commits; they go into the commit store at `database`."""

    database: str
    commits: tuple[CommitToIndex, ...]


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


@frozen
class Numbered:
    """A task or an answer with the number that brings the two together."""

    number: int
    body: object
