"""The indexing process's side of a fold or a merge: files of the store become a segment on disk.

Memory is bounded whatever the size: vectors are spooled to a file, postings are sorted run by run.
Invariant: what is answered was written whole, synced, opened again and tried; the name that marks
a folder as unfinished is taken away last.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.dense import DenseIndex
from codeintel_ls.index.errors import DamagedCacheError
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.lexical import merge_runs, moved, require_size
from codeintel_ls.index.manifest import settle, staging
from codeintel_ls.index.rows import read_rows
from codeintel_ls.index.schema import FileToView
from codeintel_ls.index.segment import Segment, starts_of
from codeintel_ls.index.segment_files import new_segment_name, open_segment, spool, write_segment
from codeintel_ls.index.store import Store

_CHUNKS_PER_BLOCK: Final = 8_192
_BLOCKS_PER_RUN: Final = 16
_PROBES: Final = 16


@frozen(kw_only=True)
class BuildTask:
    """Make a segment of the files that were born after generation `since` and live now.

    `folder` is the cache, `database` the store in it, `contents` the file of the repository's
    contents. Training may use so many `threads`.
    """

    folder: str
    database: str
    contents: str
    dimension: int
    since: int
    kind: PrimaryKind
    threads: int


@frozen(kw_only=True)
class BuiltSegment:
    """A segment's folder (no name: there was no chunk to put in it), and what it covers.

    `last_file` is the largest file id of generation `upto`. `lost` files are not in it: parts of
    their contents are gone, and they must be indexed again.
    """

    name: str
    since: int
    upto: int
    chunks: int
    last_file: int
    lost: tuple[FileToView, ...]


def build(task: BuildTask) -> BuiltSegment:
    """Carry out the task; where that fails, nothing of it is left on disk.

    Raises the stores' errors, SegmentTooLargeError, OSError and MemoryError.
    """
    folder = Path(task.folder)
    with (
        ContentStore.existing(Path(task.contents)) as contents,
        Store(Path(task.database), contents) as store,
    ):
        changes = store.changes_since(task.since)
        name, chunks, lost = "", 0, list[FileToView]()
        if any(file.chunks for file in changes.born):
            name = new_segment_name()
            staged = staging(folder, name)
            try:
                lost = _build(task, contents, changes.born, staged)
                chunks = _tried(staged, task.kind)
                settle(staged)
            except BaseException:
                # A cancelled or interrupted build must leave no spool behind either.
                shutil.rmtree(staged, ignore_errors=True)
                raise
        return BuiltSegment(
            name=name,
            since=task.since,
            upto=changes.generation,
            chunks=chunks,
            last_file=changes.last_file,
            lost=tuple(lost),
        )


def _build(
    task: BuildTask, contents: ContentStore, files: Sequence[FileToView], staged: Path
) -> list[FileToView]:
    total = sum(file.chunks for file in files)
    require_size(total)
    spooled = staged / "vectors.spool"
    vectors = spool(spooled, total, task.dimension)
    ids: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    runs: list[NDArray[np.uint64]] = []
    pending: list[NDArray[np.uint64]] = []
    lost: list[FileToView] = []
    done = 0
    for block in _blocks(files):
        rows, gone = read_rows(contents, block, task.dimension)
        lost += gone
        vectors[done : done + len(rows)] = rows.vectors
        ids.append(rows.files)
        counts.append(rows.counts)
        pending.append(moved(rows.postings, done))
        done += len(rows)
        if len(pending) == _BLOCKS_PER_RUN:
            runs.append(_run(pending))
            pending = []
    if pending or not runs:
        runs.append(_run(pending))
    dense = DenseIndex.build(task.kind, vectors[:done], threads=task.threads)
    segment = Segment(
        files=_joined(ids),
        starts=starts_of(_joined(counts)),
        postings=merge_runs(runs, done),
        dense=dense,
    )
    write_segment(staged, segment)
    del vectors
    spooled.unlink()
    return lost


def _blocks(files: Sequence[FileToView]) -> Iterator[Sequence[FileToView]]:
    block: list[FileToView] = []
    size = 0
    for file in files:
        block.append(file)
        size += file.chunks
        if size >= _CHUNKS_PER_BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _run(parts: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    keys = np.concatenate(parts) if parts else np.empty(0, dtype=np.uint64)
    keys.sort()
    return keys


def _joined(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def _tried(staged: Path, kind: PrimaryKind) -> int:
    """Open what was written and look some of its vectors up in it. Raises DamagedCacheError."""
    segment = open_segment(staged)
    size = len(segment)
    for position in np.linspace(0, size - 1, min(size, _PROBES)).astype(np.int64).tolist():
        (vector,) = segment.dense.vectors_at(np.array([position]))
        positions, scores = segment.dense.search(vector, 10)
        if not len(positions) or not np.isfinite(scores).all() or positions.max() >= size:
            raise DamagedCacheError(f"A new index of kind {kind} does not answer.")
    return size


def low_priority_threads() -> int:
    """How many threads training may use: half the processors, so that the rest stays free."""
    return max(1, (os.cpu_count() or 1) // 2)
