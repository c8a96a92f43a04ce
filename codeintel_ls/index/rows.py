"""Chunks read back from the stores, column by column: what every view is built from.

The same columns serve the small segments in the server's memory and the large ones that the
indexing process writes.
"""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.embedding import Vectors
from codeintel_ls.index.contents import ContentStore, StoredContent
from codeintel_ls.index.lexical import kept, moved, placed, posting_keys
from codeintel_ls.index.schema import FileToView
from codeintel_ls.index.terms import pack_path_terms, posting_bytes, unpack_terms
from codeintel_ls.index.vectors import join_vectors


@frozen(eq=False)
class ChunkRows:
    """n chunks of f files: `files` int64 (f,) ascending ids, `counts` int64 (f,) chunks of each.

    `vectors` float32 (n, d), unit rows; `postings` uint64 (p,), the keys of
    `codeintel_ls.index.lexical` over positions 0 to n - 1.
    """

    files: NDArray[np.int64]
    counts: NDArray[np.int64]
    vectors: Vectors
    postings: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.vectors)

    def without(self, dead: NDArray[np.bool_]) -> "ChunkRows":
        """The rows of the files that have a live chunk; `dead` bool (n,) marks whole files."""
        if not dead.any():
            return self
        starts = np.concatenate([[0], np.cumsum(self.counts)[:-1]]).astype(np.int64)
        held = self.counts > 0
        live_files = held.copy()
        live_files[held] = ~dead[starts[held]]
        return ChunkRows(
            files=self.files[live_files],
            counts=self.counts[live_files],
            vectors=self.vectors[~dead],
            postings=kept(self.postings, ~dead),
        )


def joined(parts: Sequence[ChunkRows]) -> ChunkRows:
    """One set of rows from several, in the order of their files' ids."""
    if len(parts) == 1:
        return parts[0]
    files = np.concatenate([part.files for part in parts])
    counts = np.concatenate([part.counts for part in parts])
    starts = np.cumsum(counts) - counts
    # What was published by paths may stand between what was published later.
    order = np.argsort(files)
    files, counts, starts = files[order], counts[order], starts[order]
    own_starts = np.cumsum(counts) - counts
    size = int(counts.sum())
    rows: NDArray[np.int64] = np.repeat(starts - own_starts, counts) + np.arange(size)
    places = np.empty_like(rows)
    places[rows] = np.arange(len(rows))
    before = 0
    postings: list[NDArray[np.uint64]] = []
    for part in parts:
        postings.append(moved(part.postings, before))
        before += len(part)
    return ChunkRows(
        files=files,
        counts=counts,
        vectors=np.concatenate([part.vectors for part in parts])[rows],
        postings=placed(np.concatenate(postings), places),
    )


def read_rows(
    contents: ContentStore, files: Sequence[FileToView], dimension: int
) -> tuple[ChunkRows, list[FileToView]]:
    """The rows of files in the order of their ids, and the files of which something was lost.

    What is lost (a crash of the whole machine, damaged bytes) has to be indexed again. Raises
    the store's errors.
    """
    stored = contents.contents(key for file in files for key in (file.content, file.path_content))
    lost = [file for file in files if not _is_stored(file, stored)]
    files = [file for file in files if _is_stored(file, stored)]
    texts = [stored[file.content] for file in files]
    counts = np.array([len(text.counts) for text in texts], dtype=np.int64)
    paths = np.array([stored[file.path_content].vectors[0] for file in files], dtype=np.int64)
    own = _concatenated([text.vectors for text in texts])
    vectors, found = contents.vectors(np.concatenate([own, paths]), dimension)
    owners = np.repeat(np.arange(len(files)), counts)
    whole = found[len(own) :].copy()
    np.logical_and.at(whole, owners, found[: len(own)])
    rows = ChunkRows(
        files=np.array([file.id for file in files], dtype=np.int64),
        counts=counts,
        vectors=join_vectors(vectors[: len(own)], vectors[len(own) :][owners]),
        postings=_postings(files, texts),
    )
    if not whole.all():
        lost += [file for file, is_whole in zip(files, whole, strict=True) if not is_whole]
        rows = rows.without(~whole[owners])
    return rows, lost


def _is_stored(file: FileToView, stored: dict[bytes, StoredContent]) -> bool:
    text, path = stored.get(file.content), stored.get(file.path_content)
    return (
        text is not None
        and path is not None
        and len(path.vectors) == 1
        and len(text.counts) == len(text.vectors) == file.chunks
    )


def _postings(files: Sequence[FileToView], texts: Sequence[StoredContent]) -> NDArray[np.uint64]:
    """Each chunk has the terms of its own text and those of its file's path."""
    packed: list[bytes] = []
    counts: list[int] = []
    size = posting_bytes()
    for file, text in zip(files, texts, strict=True):
        path = pack_path_terms(file.path)
        first = 0
        for count in text.counts.tolist():
            packed += (text.terms[first : first + count * size], path)
            counts.append(count + len(path) // size)
            first += count * size
    return posting_keys(unpack_terms(b"".join(packed)), np.array(counts, dtype=np.int64))


def _concatenated(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
