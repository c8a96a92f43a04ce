"""Every kind of dense index: building, size, recall, and searching beside exact search.

The vectors are windows of the tree's lines under the bundled encoder. Where they are too few, the
rest are the same with noise of the data's own shape (a part of the difference of two others). The
queries are questions, names and words: texts of another sort than the data.
"""

import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codeintel_ls.embedding import bundled_encoder
from codeintel_ls.index.dense import DenseIndex
from codeintel_ls.index.ladder import PrimaryKind, estimate_memory_usage
from tests.benchmarks.measuring import SECONDS, Goal, Row, in_turn
from tests.benchmarks.questions import two_hundred
from tests.benchmarks.workbench import Workbench

_BUILD_GOALS = {5_000: 1.0, 50_000: 5.0, 100_000: 10.0}
_MOST = max(_BUILD_GOALS)
_RATIO_GOALS = {
    PrimaryKind.SQ8: 0.45,
    PrimaryKind.RABITQ: 0.45,
    PrimaryKind.IVF_SQ8: 0.10,
    PrimaryKind.IVF_RABITQ: 0.10,
    PrimaryKind.IVF_FLAT: 0.10,
}
_WINDOW, _STEP = 30, 10
_BATCH = 2000
_NOISE = 0.5
_PEER = "exact flat"
_BLOCK = 20
"""Queries in a row for each side: an exact search reads 100 MB, more than any cache holds, and
would leave nothing of the other's in it. A row of its own tells what it takes after that."""


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of building, by kind and size, then of searching 100 K vectors, by kind."""
    vectors, real = _vectors(workbench.tree, workbench.files)
    on = f"{real:,} windows of the tree, the rest with noise" if real < _MOST else ""
    questions = two_hundred(workbench.tree, workbench.files)
    queries = list(bundled_encoder().embed_queries(questions))
    built: dict[PrimaryKind, DenseIndex] = {}
    for kind in PrimaryKind:
        for size, seconds in _BUILD_GOALS.items():
            started = time.perf_counter()
            built[kind] = DenseIndex.build(kind, vectors[:size], threads=2)
            yield Row(
                name=f"build {kind}, {size:,} vectors",
                values=[time.perf_counter() - started],
                unit=SECONDS,
                on=on,
                goal=None if kind is PrimaryKind.OPQ_IVF_PQ else Goal("p50", seconds),
            )
    opened = {kind: _reopened(index, workbench.folder) for kind, index in built.items()}
    del built
    flat = opened.pop(PrimaryKind.FLAT)
    for kind, index in opened.items():
        for k, block in ((10, _BLOCK), (10, 1), (120, _BLOCK)):
            own, exact = await in_turn(
                [*queries[:_BLOCK], *queries],
                lambda query, index=index, k=k: index.search(query, k),
                lambda query, k=k: flat.search(query, k),
                block=block,
            )
            measured = block > 1 and k == 10
            ratio = _RATIO_GOALS.get(kind) if measured else None
            yield Row(
                name=f"search {kind}, k = {k}{'' if block > 1 else ', caches emptied'}",
                values=own[_BLOCK:],
                on=on,
                peer=_PEER,
                peer_values=exact[_BLOCK:],
                goal=Goal("ratio", ratio) if ratio else None,
                note=_facts(index, flat, queries) if measured else "",
            )


def _facts(index: DenseIndex, flat: DenseIndex, queries: Sequence[NDArray[np.float32]]) -> str:
    estimate = estimate_memory_usage(index.kind, len(index), index.dimension) / index.nbytes
    recalls = ", ".join(f"recall@{k} {_recall(index, flat, queries, k):.3f}" for k in (10, 100))
    size = f"{index.nbytes / len(index):.0f} B a vector, estimate {estimate:.2f} of it"
    return f"{recalls}, {size}, {index.effort}"


def _recall(
    index: DenseIndex, flat: DenseIndex, queries: Sequence[NDArray[np.float32]], k: int
) -> float:
    """The share of answers that are as near as the true k nearest are."""
    hits = 0
    for query in queries:
        found, _ = index.search(query, k)
        _, scores = flat.search(query, k)
        hits += int((flat.vectors_at(found) @ query >= scores[-1] - 1e-5).sum())
    return hits / k / len(queries)


def _reopened(index: DenseIndex, folder: Path) -> DenseIndex:
    path = folder / f"{index.kind}.vectors"
    index.save(path)
    return DenseIndex.open(path, index.parameters())


def _vectors(tree: Path, files: Sequence[str]) -> tuple[NDArray[np.float16], int]:
    """`_MOST` unit vectors, and how many of them are of real windows."""
    texts: dict[str, None] = {}
    for path in files:
        lines = (tree / path).read_text(errors="replace").splitlines()
        for first in range(0, len(lines), _STEP):
            texts.setdefault("\n".join(lines[first : first + _WINDOW]))
        if len(texts) >= _MOST:
            break
    windows = list(texts)[:_MOST]
    chance = np.random.default_rng(1)
    chance.shuffle(windows)
    encoder = bundled_encoder()
    batches = [windows[start : start + _BATCH] for start in range(0, len(windows), _BATCH)]
    real = np.concatenate([encoder.embed_documents(batch) for batch in batches])
    one, two, three = chance.integers(0, len(real), (3, _MOST - len(real)))
    shifted = real[one] + _NOISE / np.sqrt(2) * (real[two] - real[three])
    shifted /= np.maximum(np.linalg.norm(shifted, axis=1, keepdims=True), 1e-9)
    return np.concatenate([real, shifted]).astype(np.float16), len(real)
