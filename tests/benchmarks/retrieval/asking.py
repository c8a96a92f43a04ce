"""One repository asked through the product's public door: a folder is opened, indexed, searched.

Candidates before ranking are seen through `explain` and a hit filter that lets everything pass, so
the search room's own functions are not called.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.search import Hit, SearchMode, SearchQuery
from codeintel_ls.settings import (
    CacheSettings,
    DeepSearch,
    EmbeddingSettings,
    SearchSettings,
    Settings,
)
from codeintel_ls.workspace import WorkspaceFolder
from tests.benchmarks.retrieval.metric import DEPTH, Place, Target, hit_ranks

_LAST_LINE = sys.maxsize
_BETWEEN_LOOKS = 0.5


class IndexingFailedError(Exception):
    """A folder could not be indexed."""


@frozen(kw_only=True)
class IndexedFolder:
    """An open folder and what indexing it from nothing took."""

    folder: WorkspaceFolder
    root: str
    files: int
    chunks: int
    seconds: float
    encoder: str


@frozen(kw_only=True)
class Candidates:
    """Everything that was ranked for one question, in each order, the best first."""

    fused: Sequence[Place]
    dense: Sequence[Place]
    lexical: Sequence[Place]


class _Everything:
    """Lets every hit pass, so that all of the pool comes back."""

    def first(
        self, hits: Iterator[Hit], wanted: int, cancellation: Cancellation, /
    ) -> tuple[list[Hit], bool]:
        return list(hits), False


@contextmanager
def indexed(tree: Path, root: str, model: str, *, deep: bool) -> Iterator[IndexedFolder]:
    """Index a tree from nothing into a temporary cache. Raises IndexingFailedError.

    `root` is where the tree lies in its repository, `model` as in the setting `embedding.model`.
    `deep`: the deep model has read all of it, too, which the seconds leave out.
    """
    with tempfile.TemporaryDirectory(prefix="codeintel-retrieval-") as cache:
        settings = Settings(
            cache=CacheSettings(directory=cache),
            embedding=EmbeddingSettings(model=model),
            search=SearchSettings(
                deep=DeepSearch.AUTO if deep else DeepSearch.OFF, deep_percent=100
            ),
        )
        # The deep model reads only what stays open.
        folder = WorkspaceFolder.open(tree, settings, watch=deep)
        try:
            started = time.perf_counter()
            folder.start()
            folder.wait_until_ready()
            seconds = time.perf_counter() - started
            status = folder.index_status()
            if status.last_error or not status.chunks:
                raise IndexingFailedError(status.last_error or "no file of it can be indexed")
            folder.settle()
            while deep and folder.refinement.share(status.chunks) < 1:
                time.sleep(_BETWEEN_LOOKS)
            yield IndexedFolder(
                folder=folder,
                root=root,
                files=status.files,
                chunks=status.chunks,
                seconds=seconds,
                encoder=status.embedder,
            )
        finally:
            folder.close()


def unreachable(index: IndexedFolder, targets: Sequence[Target]) -> list[str]:
    """Paths of the targets that no indexed file has: nothing can find them."""
    paths, _ = index.folder.list_paths(limit=index.files)
    places = [Place(_path(path, index.root), 1, _LAST_LINE) for path in paths]
    ranks = hit_ranks(places, targets)
    return sorted({one.path for one, rank in zip(targets, ranks, strict=True) if rank is None})


def ask(index: IndexedFolder, text: str, mode: SearchMode) -> tuple[Sequence[Place], float]:
    """The first results as a user gets them, and the milliseconds that they took."""
    query = SearchQuery(text=text, limit=DEPTH, mode=mode)
    started = time.perf_counter()
    hits = index.folder.search(query).hits
    milliseconds = (time.perf_counter() - started) * 1000
    return [_place(hit, index.root) for hit in hits], milliseconds


def candidates(index: IndexedFolder, text: str, mode: SearchMode) -> Candidates:
    """The pool behind a question. With a filter it is deeper than without: five hundred a list."""
    query = SearchQuery(text=text, limit=DEPTH, mode=mode, snippet_lines=0, explain=True)
    hits = index.folder.search(query, only=_Everything()).hits

    def ordered(key: Callable[[Hit], float | None]) -> list[Place]:
        keyed = [(value, hit) for hit in hits if (value := key(hit)) is not None]
        keyed.sort(key=lambda each: (each[0], each[1].path, each[1].start_line))
        return [_place(hit, index.root) for _, hit in keyed]

    return Candidates(
        fused=ordered(lambda hit: -hit.explanation.fused_score if hit.explanation else None),
        dense=ordered(lambda hit: hit.explanation.dense_rank if hit.explanation else None),
        lexical=ordered(lambda hit: hit.explanation.lexical_rank if hit.explanation else None),
    )


def _place(hit: Hit, root: str) -> Place:
    # The product counts lines from 0 and the end is exclusive.
    return Place(_path(hit.path, root), hit.start_line + 1, hit.end_line)


def _path(path: str, root: str) -> str:
    return f"{root}/{path}" if root else path
