"""The indexing process: files become chunks, terms and vectors, away from the server.

Started as `python -P -m codeintel_ls.index.worker` with pipes for stdin and stdout. Parsing holds
Python's interpreter lock for as long as a file takes, so it must never run in the process that
answers an editor. It ends when its stdin closes, that is, when its parent is gone for whatever
reason; it writes nothing anywhere.
"""

import os
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import IO

from codeintel_ls.embedding import Encoder, ModelUnavailableError, load_encoder
from codeintel_ls.index.chunking import chunk_source
from codeintel_ls.index.embedded_text import (
    document_text,
    path_text,
    text_digest,
    vector_key,
)
from codeintel_ls.index.languages import language_of
from codeintel_ls.index.schema import ChunkRecord, FileRecord, storable_mtime
from codeintel_ls.index.screening import SkipReason, screen_text
from codeintel_ls.index.source import SkippedFileError, SourceText, read_source, split_lines
from codeintel_ls.index.tasks import (
    EmbedTask,
    FileToIndex,
    MissingFile,
    PreparedFile,
    PrepareTask,
    SkippedFile,
    StartTask,
    TaskFailure,
    UnchangedFile,
)
from codeintel_ls.index.terms import pack_terms
from codeintel_ls.index.vectors import pack_vector


class TextPreparer:
    """Reads files and remembers the texts that may have to be embedded."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._texts: dict[bytes, str] = {}

    def prepare(self, task: PrepareTask) -> list[PreparedFile]:
        """One answer for each file, in order."""
        self._texts = {}
        return [self._prepare_file(task, file) for file in task.files]

    def embed(self, task: EmbedTask) -> dict[bytes, bytes]:
        """Packed vectors by key."""
        texts = [self._texts[key] for key in task.keys]
        vectors = self._encoder.embed_documents(texts)
        return dict(zip(task.keys, map(pack_vector, vectors), strict=True))

    def _prepare_file(self, task: PrepareTask, file: FileToIndex) -> PreparedFile:
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
        return self._record(file.path, source, mtime_ns, seen_ns)

    def _record(self, path: str, source: SourceText, mtime_ns: int, seen_ns: int) -> FileRecord:
        lines = split_lines(source.text)
        language = language_of(path, lines[0] if lines else "")
        chunks = tuple(self._chunks(path, source.text, lines, language))
        return FileRecord(
            path=path,
            digest=source.digest,
            size=source.size,
            mtime_ns=mtime_ns,
            seen_ns=seen_ns,
            language=language,
            path_vector=self._remember(path_text(path)),
            chunks=chunks,
        )

    def _chunks(
        self, path: str, text: str, lines: list[str], language: str
    ) -> Iterator[ChunkRecord]:
        for chunk in chunk_source(text, language):
            body = "\n".join(lines[chunk.start_line : chunk.end_line])
            yield ChunkRecord(
                start_line=chunk.start_line,
                end_line=chunk.end_line,
                symbol=chunk.symbol,
                kind=chunk.kind,
                digest=text_digest(body),
                vector=self._remember(document_text(chunk, body)),
                terms=pack_terms(body, chunk.symbol, path),
            )

    def _remember(self, text: str) -> bytes:
        key = vector_key(self._encoder.identity, text)
        self._texts[key] = text
        return key


def main() -> None:
    """Serve tasks until the parent closes the pipe."""
    # A stray print must not get between the answers: fd 1 becomes stderr.
    with os.fdopen(os.dup(0), "rb") as tasks, os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        serve(tasks, answers)


def serve(tasks: IO[bytes], answers: IO[bytes]) -> None:
    """Answer each task in turn until `tasks` ends."""
    preparer: TextPreparer | None = None
    while True:
        try:
            task: object = pickle.load(tasks)  # noqa: S301 (our own parent wrote it)
        except EOFError:
            return
        try:
            if isinstance(task, StartTask):
                preparer = _started(task)
                answer: object = True
            else:
                answer = _answer(preparer, task)
        except ModelUnavailableError as error:
            answer = TaskFailure(str(error))
        # Whatever else goes wrong must reach the parent as an answer, or it would wait for one.
        except Exception as error:  # noqa: BLE001
            answer = TaskFailure(f"Indexing failed with {type(error).__name__}.")
        try:
            pickle.dump(answer, answers)
            answers.flush()
        except BrokenPipeError:
            return


def _started(task: StartTask) -> TextPreparer:
    if hasattr(os, "nice"):
        os.nice(task.niceness)
    return TextPreparer(load_encoder(task.model))


def _answer(preparer: TextPreparer | None, task: object) -> object:
    if preparer is not None and isinstance(task, PrepareTask):
        return preparer.prepare(task)
    if preparer is not None and isinstance(task, EmbedTask):
        return preparer.embed(task)
    return TaskFailure("The indexing process was asked for something it does not know.")


if __name__ == "__main__":
    main()
