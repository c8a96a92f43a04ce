"""Records for the store as the indexing process would make them, from plain texts."""

from codeintel_ls.embedding import StaticEncoder
from codeintel_ls.index.chunking import Chunk
from codeintel_ls.index.embedded_text import document_text, path_text, text_digest, vector_key
from codeintel_ls.index.schema import ChunkRecord, FileRecord
from codeintel_ls.index.source import digest_of
from codeintel_ls.index.terms import pack_terms
from codeintel_ls.index.vectors import pack_vector


def make_file(
    encoder: StaticEncoder, path: str, texts: list[str], *, seen_ns: int = 0
) -> tuple[FileRecord, dict[bytes, bytes]]:
    """A file whose chunks are the texts, with the vectors it needs."""
    wanted: dict[bytes, str] = {}

    def remember(text: str) -> bytes:
        key = vector_key(encoder.identity, text)
        wanted[key] = text
        return key

    chunks: list[ChunkRecord] = []
    line = 0
    for text in texts:
        chunk = Chunk(line, line + text.count("\n") + 1, None, None)
        line = chunk.end_line
        chunks.append(
            ChunkRecord(
                start_line=chunk.start_line,
                end_line=chunk.end_line,
                symbol=None,
                kind=None,
                digest=text_digest(text),
                vector=remember(document_text(chunk, text)),
                terms=pack_terms(text, None, path),
            )
        )
    body = "\n".join(texts).encode()
    record = FileRecord(
        path=path,
        digest=digest_of(body),
        size=len(body),
        mtime_ns=1,
        seen_ns=seen_ns,
        language="python",
        path_vector=remember(path_text(path)),
        chunks=tuple(chunks),
    )
    vectors = encoder.embed_documents(list(wanted.values()))
    return record, dict(zip(wanted, map(pack_vector, vectors), strict=True))
