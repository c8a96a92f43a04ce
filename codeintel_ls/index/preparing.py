"""Files become contents: read, screened, cut into chunks, embedded, written to the store.

What a file's bytes became before, in any branch or worktree of the repository, is found by its
key and neither parsed nor embedded again.
"""

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from threading import Condition

from attrs import evolve, frozen

from codeintel_ls.embedding import Encoder
from codeintel_ls.index.chunking import chunk_source
from codeintel_ls.index.contents import ContentRecord, ContentStore, content_key
from codeintel_ls.index.embedded_text import (
    document_text,
    path_text,
    placed_text,
    text_digest,
    vector_key,
)
from codeintel_ls.index.languages import language_of
from codeintel_ls.index.schema import ChunkRecord, FileRecord, storable_mtime
from codeintel_ls.index.screening import SkipReason, screen_text
from codeintel_ls.index.source import SkippedFileError, SourceText, read_source, split_lines
from codeintel_ls.index.tasks import (
    FileToIndex,
    MissingFile,
    PreparedFile,
    PrepareTask,
    SkippedFile,
    UnchangedFile,
)
from codeintel_ls.index.terms import pack_terms
from codeintel_ls.index.vectors import pack_vector


@frozen
class _Read:
    """A file that was read and is to be indexed: its record, and what its content is made of."""

    record: FileRecord
    text: str


class _Claims:
    """Contents that a thread is making right now: whoever wants the same waits, and finds them.

    All keys are claimed at once, so that no two can wait for each other.
    """

    def __init__(self) -> None:
        self._held: set[bytes] = set()
        self._changed = Condition()

    @contextmanager
    def holding(self, keys: set[bytes]) -> Generator[None]:
        """Have these keys for the block alone."""
        with self._changed:
            self._changed.wait_for(lambda: self._held.isdisjoint(keys))
            self._held |= keys
        try:
            yield
        finally:
            with self._changed:
                self._held -= keys
                self._changed.notify_all()


_claims = _Claims()


class _Texts:
    """The texts that have to be embedded for some contents, by their keys."""

    def __init__(self, identity: str) -> None:
        self._identity = identity
        self._texts: dict[bytes, str] = {}

    def key(self, text: str) -> bytes:
        """Remember a text; returns its vector's key."""
        key = vector_key(self._identity, text)
        self._texts[key] = text
        return key

    def embedded(self, encoder: Encoder, keys: Sequence[bytes] | None) -> dict[bytes, bytes]:
        """Packed vectors of those keys, of all for None."""
        wanted = list(self._texts) if keys is None else list(keys)
        vectors = encoder.embed_documents([self._texts[key] for key in wanted])
        return dict(zip(wanted, map(pack_vector, vectors), strict=True))

    def __iter__(self):
        return iter(self._texts)


def prepare(task: PrepareTask, encoder: Encoder, contents: ContentStore) -> list[PreparedFile]:
    """One answer for each file, in order. Raises the store's errors."""
    prepared = [_prepare_file(task, encoder, file) for file in task.files]
    read = [file for file in prepared if isinstance(file, _Read)]
    embedded = _write_new(read, encoder, contents, embed_all=task.embed_all)
    counts = contents.chunk_counts(file.record.content for file in read)
    return [
        evolve(
            file.record,
            chunks=counts.get(file.record.content, 0),
            embedded=embedded.get(file.record.content, 0),
        )
        if isinstance(file, _Read)
        else file
        for file in prepared
    ]


def _prepare_file(
    task: PrepareTask, encoder: Encoder, file: FileToIndex
) -> _Read | UnchangedFile | SkippedFile | MissingFile:
    path = Path(task.root, file.path)
    try:
        # A link that came after the listing may lead anywhere.
        stat = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return MissingFile(file.path)
    except OSError:
        return SkippedFile(file.path, SkipReason.UNREADABLE, 0, 0)
    size, mtime_ns = stat.st_size, storable_mtime(stat)
    if not S_ISREG(stat.st_mode):
        return SkippedFile(file.path, SkipReason.NOT_A_FILE, size, mtime_ns)
    # Before reading: what is written after this moment has a later mtime or is racy.
    seen_ns = time.time_ns()
    try:
        source = read_source(
            path,
            max_bytes=task.limits.max_file_bytes,
            max_line_characters=task.limits.max_line_characters,
        )
    except SkippedFileError as error:
        return SkippedFile(file.path, error.reason, size, mtime_ns)
    if source.digest == file.known_digest:
        return UnchangedFile(file.path, source.digest, size, mtime_ns, seen_ns)
    reason = screen_text(file.path, source.text, task.limits.max_line_characters)
    if reason is not None:
        return SkippedFile(file.path, reason, size, mtime_ns)
    return _Read(_record(task, encoder, file.path, source, mtime_ns, seen_ns), source.text)


def _record(
    task: PrepareTask,
    encoder: Encoder,
    path: str,
    source: SourceText,
    mtime_ns: int,
    seen_ns: int,
) -> FileRecord:
    first_line = source.text[:1_000].partition("\n")[0].rstrip("\r")
    language = language_of(path, first_line)
    return FileRecord(
        path=path,
        digest=source.digest,
        size=source.size,
        mtime_ns=mtime_ns,
        seen_ns=seen_ns,
        language=language,
        content=content_key(
            task.recipe,
            language,
            source.digest,
            placed_text(path, "") if encoder.reads_paths else "",
        ),
        path_content=vector_key(encoder.identity, path_text(path)),
        chunks=0,
    )


def _write_new(
    files: Sequence[_Read], encoder: Encoder, contents: ContentStore, *, embed_all: bool
) -> dict[bytes, int]:
    """Write the contents that are not there yet; how many texts of each had to be embedded."""
    if not files:
        return {}
    keys = {key for file in files for key in (file.record.content, file.record.path_content)}
    with _claims.holding(keys):
        known: set[bytes] = set() if embed_all else contents.known(keys)
        return _write_missing(files, encoder, contents, known, embed_all=embed_all)


def _write_missing(
    files: Sequence[_Read],
    encoder: Encoder,
    contents: ContentStore,
    known: set[bytes],
    *,
    embed_all: bool,
) -> dict[bytes, int]:
    texts = _Texts(encoder.identity)
    records: dict[bytes, ContentRecord] = {}
    for file in files:
        record = file.record
        if record.content not in known and record.content not in records:
            records[record.content] = _content(record, file.text, texts, encoder)
        if record.path_content not in known and record.path_content not in records:
            # Of an empty text the vector is zeros, and adds nothing to the others.
            key = texts.key("" if encoder.reads_paths else path_text(record.path))
            records[record.path_content] = ContentRecord(record.path_content, (), (key,))
    wanted = None if embed_all else contents.missing_vectors(texts)
    vectors = texts.embedded(encoder, wanted)
    if records:
        try:
            contents.write(list(records.values()), vectors)
        except KeyError:
            # Vectors that nothing named were collected since they were found.
            vectors |= texts.embedded(
                encoder, contents.missing_vectors(set(texts).difference(vectors))
            )
            contents.write(list(records.values()), vectors)
    left = set(vectors)
    embedded: dict[bytes, int] = {}
    for key, record in records.items():
        own = left.intersection(record.vectors)
        left -= own
        embedded[key] = len(own)
    return embedded


def _content(record: FileRecord, text: str, texts: _Texts, encoder: Encoder) -> ContentRecord:
    lines = split_lines(text)
    chunks: list[ChunkRecord] = []
    vectors: list[bytes] = []
    for chunk in chunk_source(text, record.language):
        body = "\n".join(lines[chunk.start_line : chunk.end_line])
        document = document_text(chunk, body)
        embedded = placed_text(record.path, document) if encoder.reads_paths else document
        vectors.append(texts.key(embedded))
        chunks.append(
            ChunkRecord(
                start_line=chunk.start_line,
                end_line=chunk.end_line,
                symbol=chunk.symbol,
                kind=chunk.kind,
                digest=text_digest(body),
                terms=pack_terms(document, chunk.symbol),
            )
        )
    return ContentRecord(record.content, tuple(chunks), tuple(vectors))
