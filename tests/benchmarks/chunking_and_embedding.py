"""Text to vectors on one processor, and opening the model: each time in a new process."""

import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final, TypeVar

from codeintel_ls.embedding import bundled_encoder
from codeintel_ls.index.chunking import chunk_source
from codeintel_ls.index.embedded_text import document_text
from codeintel_ls.index.languages import language_of
from codeintel_ls.index.source import digest_of, read_source, split_lines
from tests.benchmarks.measuring import Goal, Row
from tests.benchmarks.workbench import Workbench

_FILES: Final = 700
_ROUNDS: Final = 5
_OPENINGS: Final = 20
_TEXTS_AT_ONCE: Final = 500
"""About as many as a batch of files has when it is indexed."""
_ANY_SIZE: Final = 1 << 24

T = TypeVar("T")


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Two rows."""
    # Files of one package are alike: some of each are taken.
    some = workbench.files[:: max(1, len(workbench.files) // _FILES)]
    paths = [str(workbench.tree / path) for path in some]
    done = [_in_a_new_process(partial(_chunked_and_embedded, paths)) for _ in range(_ROUNDS)]
    floors = [_in_a_new_process(partial(_read_and_hashed, paths)) for _ in range(_ROUNDS)]
    chunks = done[0][1]
    yield Row(
        name="chunking and embedding, one processor, ms for 1,000 chunks",
        values=[seconds * 1e6 / chunks for seconds, _ in done],
        peer="read and hash once",
        peer_values=[seconds * 1e6 / chunks for seconds in floors],
        goal=Goal("p50", 1e6 / 3_000),
        note=f"{chunks:,} chunks of {len(paths):,} files, words met for the first time.",
    )
    yield Row(
        name="opening the bundled model",
        values=[1e3 * _in_a_new_process(_opened) for _ in range(_OPENINGS)],
        goal=Goal("p50", 50),
    )


def _in_a_new_process(work: Callable[[], T]) -> T:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_on_one_processor, work).result()


def _on_one_processor(work: Callable[[], T]) -> T:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return work()


def _chunked_and_embedded(paths: Sequence[str]) -> tuple[float, int]:
    """Seconds, files' reading and the model's opening not counted, and the number of chunks."""
    encoder = bundled_encoder()
    sources = [
        read_source(Path(path), max_bytes=_ANY_SIZE, max_line_characters=_ANY_SIZE).text
        for path in paths
    ]
    waiting: list[str] = []
    chunks = 0
    began = time.perf_counter()
    for path, text in zip(paths, sources, strict=True):
        lines = split_lines(text)
        for chunk in chunk_source(text, language_of(path, lines[0] if lines else "")):
            body = "\n".join(lines[chunk.start_line : chunk.end_line])
            waiting.append(document_text(chunk, body))
        if len(waiting) >= _TEXTS_AT_ONCE:
            chunks += len(encoder.embed_documents(waiting))
            waiting = []
    chunks += len(encoder.embed_documents(waiting))
    return time.perf_counter() - began, chunks


def _read_and_hashed(paths: Sequence[str]) -> float:
    began = time.perf_counter()
    for path in paths:
        digest_of(Path(path).read_bytes())
    return time.perf_counter() - began


def _opened() -> float:
    began = time.perf_counter()
    bundled_encoder()
    return time.perf_counter() - began
