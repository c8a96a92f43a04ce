"""Files in the stores as the indexing process would put them there, from plain texts."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import numpy as np

from codeintel_ls.embedding import Encoder, Vectors
from codeintel_ls.index.chunking import Chunk
from codeintel_ls.index.contents import ContentRecord, ContentStore, content_key
from codeintel_ls.index.embedded_text import document_text, path_text, text_digest, vector_key
from codeintel_ls.index.schema import ChunkRecord, FileRecord
from codeintel_ls.index.source import digest_of
from codeintel_ls.index.store import Store
from codeintel_ls.index.terms import pack_terms
from codeintel_ls.index.vectors import pack_vector


class FakeEncoder:
    """Short vectors that depend on the text alone, without any meaning in them."""

    identity = "fake"
    reads_paths = False

    def __init__(self, dimension: int = 8) -> None:
        self.dimension = dimension

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32 (len(texts), dimension)."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
            row[:] = np.random.default_rng(seed).standard_normal(self.dimension)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    embed_queries = embed_documents


@contextmanager
def stores(folder: Path) -> Generator[Store]:
    """A store and its contents, both in `folder`."""
    with (
        ContentStore(folder / "contents.sqlite3") as contents,
        Store(folder / "index.sqlite3", contents) as store,
    ):
        yield store


def make_contents(
    encoder: Encoder, path: str, texts: Sequence[str]
) -> tuple[ContentRecord, ContentRecord, dict[bytes, bytes]]:
    """The content of a file whose chunks are the texts, that of its path, and their vectors."""
    wanted: dict[bytes, str] = {}

    def remember(text: str) -> bytes:
        key = vector_key(encoder.identity, text)
        wanted[key] = text
        return key

    chunks: list[ChunkRecord] = []
    keys: list[bytes] = []
    line = 0
    for text in texts:
        chunk = Chunk(line, line + text.count("\n") + 1, None, None)
        line = chunk.end_line
        keys.append(remember(document_text(chunk, text)))
        chunks.append(
            ChunkRecord(
                start_line=chunk.start_line,
                end_line=chunk.end_line,
                symbol=None,
                kind=None,
                digest=text_digest(text),
                terms=pack_terms(text, None),
            )
        )
    path_key = remember(path_text(path))
    key = content_key("r", "python", digest_of("\n".join(texts).encode()))
    vectors = encoder.embed_documents(list(wanted.values()))
    return (
        ContentRecord(key, tuple(chunks), tuple(keys)),
        ContentRecord(path_key, (), (path_key,)),
        dict(zip(wanted, map(pack_vector, vectors), strict=True)),
    )


def make_file(
    contents: ContentStore,
    encoder: Encoder,
    path: str,
    texts: Sequence[str],
    *,
    seen_ns: int = 0,
) -> FileRecord:
    """A file whose chunks are the texts, with its contents written already."""
    text, path_content, vectors = make_contents(encoder, path, texts)
    contents.write([text, path_content], vectors)
    body = "\n".join(texts).encode()
    return FileRecord(
        path=path,
        digest=digest_of(body),
        size=len(body),
        mtime_ns=1,
        seen_ns=seen_ns,
        language="python",
        content=text.key,
        path_content=path_content.key,
        chunks=len(texts),
    )


def save(store: Store, encoder: Encoder, files: Mapping[str, Sequence[str]]) -> int:
    """Commit files as one generation; returns its number."""
    return store.commit(
        replaced=[make_file(store.contents, encoder, path, texts) for path, texts in files.items()]
    )
