"""Whether an index is what a fresh build of the same tree would be, and says only what is true."""

import random
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from attrs import frozen

from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.source import split_lines
from codeintel_ls.index.status import IndexState, IndexStatus
from codeintel_ls.search import SearchMode, SearchQuery, SearchResult
from codeintel_ls.workspace import WorkspaceFolder
from tests.faults.driver import settings_for
from tests.faults.trees import NAMES, SEED, WORDS

PATIENCE: Final = 60.0
_QUESTIONS: Final = 2
_TOP: Final = 10
_NEAR: Final = 20
_APART: Final = 0.002

Chunk = tuple[str, int, int, str | None, bytes]
"""Path, start line, end line, symbol and digest."""

Asked = tuple[str, SearchMode]

Ranked = list[tuple[str, int]]
"""Path and start line of each hit."""


@frozen(kw_only=True)
class Reference:
    """What a fresh build of a tree comes to.

    `vectors` are the keys of all that it embeds, `texts` of these without the paths of files.
    """

    chunks: list[Chunk]
    answers: Mapping[Asked, Ranked]
    vectors: frozenset[bytes]
    texts: frozenset[bytes]


@contextmanager
def opened(root: Path, cache: Path, *, watch: bool = False) -> Iterator[WorkspaceFolder]:
    """The folder, open."""
    folder = WorkspaceFolder.open(root, settings_for(cache), watch=watch)
    try:
        yield folder
    finally:
        folder.close()


def fresh(root: Path, *, ask: bool = True) -> Reference:
    """Build the tree's index somewhere else, and `ask` it."""
    with TemporaryDirectory() as place:
        with opened(root, Path(place)) as folder:
            folder.update()
            chunks = live_chunks(folder)
            answered = answers(folder, questions(folder) if ask else ())
        return Reference(
            chunks=chunks,
            answers=answered,
            vectors=vector_keys(Path(place)),
            texts=vector_keys(Path(place), texts=True),
        )


def live_chunks(folder: WorkspaceFolder) -> list[Chunk]:
    """Every chunk that a search can find; one that is there twice is twice in it.

    One that the store does not know has no path.
    """
    generation = folder._index.published
    ids = [
        number
        for segment, marks in zip(generation.segments, generation.tombstones, strict=True)
        for number in segment.chunk_ids(np.flatnonzero(~marks.dead)).tolist()
    ]
    places = folder._index.store.places(ids)
    unknown: Chunk = ("", 0, 0, "", b"")
    found = [
        (place.path, place.start_line, place.end_line, place.symbol, place.digest)
        if (place := places.get(number)) is not None
        else unknown
        for number in ids
    ]
    return sorted(found, key=lambda chunk: (chunk[0], chunk[1:3], str(chunk[3:])))


def questions(folder: WorkspaceFolder) -> list[Asked]:
    """Questions that have one right order of first answers, some for each mode.

    Which of two chunks that score the same comes first depends on when they came into the index.
    """
    chance, found = random.Random(SEED), list[Asked]()
    for mode in SearchMode:
        texts = iter(lambda: " ".join((*chance.sample(WORDS, 10), *chance.sample(NAMES, 30))), "")
        plain = (text for text in texts if _is_plain(folder, text, mode))
        found += [(text, mode) for text in islice(plain, _QUESTIONS)]
    return found


def _is_plain(folder: WorkspaceFolder, text: str, mode: SearchMode) -> bool:
    """Whether the first hits stand apart, and none of them, or near, has another's word score."""
    hits = folder.search(SearchQuery(text=text, limit=1_000, mode=mode, explain=True)).hits
    apart = all(a.score - b.score > _APART for a, b in pairwise(hits[: _TOP + 1]))
    scores = [hit.explanation.lexical_score for hit in hits if hit.explanation is not None]
    often = Counter(score for score in scores if score is not None)
    return apart and all(often[score] == 1 for score in scores[:_NEAR] if score is not None)


def answers(folder: WorkspaceFolder, questioned: Iterable[Asked]) -> dict[Asked, Ranked]:
    """The first hits for each question."""
    return {
        (text, mode): [(hit.path, hit.start_line) for hit in asked(folder, text, mode).hits]
        for text, mode in questioned
    }


def asked(
    folder: WorkspaceFolder, question: str = WORDS[0], mode: SearchMode = SearchMode.HYBRID
) -> SearchResult:
    """Search, and check that every line in the answer is a line of its file."""
    result = folder.search(SearchQuery(text=question, mode=mode, limit=_TOP))
    for hit in result.hits:
        if hit.stale:
            assert not hit.snippet, f"{hit.path} is stale and shows lines"
            continue
        lines = split_lines((folder.root / hit.path).read_text(encoding="utf-8"))
        first, shown = hit.snippet_start_line, hit.snippet.split("\n")
        assert lines[first : first + len(shown)] == shown, f"other lines than those of {hit.path}"
    return result


def vector_keys(cache: Path, *, texts: bool = False) -> frozenset[bytes]:
    """What is embedded in the stores of a cache, which stays as it is (its log, too).

    `texts`: without what is embedded of paths.
    """
    found: set[bytes] = set()
    for place in cache.glob("repositories/*/contents.sqlite3"):
        with TemporaryDirectory() as copies:
            for file in place.parent.glob("contents.sqlite3*"):
                shutil.copy(file, copies)
            connection = sqlite3.connect(Path(copies, place.name))
            try:
                keys = dict(connection.execute("SELECT id, key FROM vector"))
                rows = connection.execute("SELECT vectors FROM content WHERE length(digests) > 0")
                numbers = [number for (ids,) in rows for number in np.frombuffer(ids, "<i8")]
                found.update(keys[number] for number in (numbers if texts else keys))
            except sqlite3.OperationalError as error:
                # Killed before there were any tables.
                if "no such table" not in str(error):
                    raise
            finally:
                connection.close()
    return frozenset(found)


def recovered(folder: WorkspaceFolder, during: Callable[[], object] = lambda: None) -> IndexStatus:
    """Wait until the index is well, without asking for anything but searches meanwhile."""
    until, status = time.monotonic() + PATIENCE, None
    while True:
        during()
        try:
            status = folder.index_status()
            if status.state is IndexState.READY and asked(folder).freshness.complete:
                return status
        except CodeIntelError:
            pass
        assert time.monotonic() < until, f"not well in time: {status}"
        time.sleep(0.02)


def is_right(folder: WorkspaceFolder, reference: Reference) -> bool:
    """Whether it is what a fresh build comes to; not so while it cannot be asked."""
    try:
        return not differences(folder, reference)
    except CodeIntelError:
        return False


def differences(folder: WorkspaceFolder, reference: Reference) -> list[str]:
    """How an index differs from what a fresh build comes to; nothing where all is well."""
    found = live_chunks(folder)
    answered = answers(folder, reference.answers)
    problems = [
        f"{mode} {text!r}: {answered[text, mode]} instead of {hits}"
        for (text, mode), hits in reference.answers.items()
        if answered[text, mode] != hits
    ]
    if found != reference.chunks:
        there, wanted = set(found), set(reference.chunks)
        problems.append(
            f"{len(found)} chunks instead of {len(reference.chunks)}: "
            f"{_some(there - wanted)} too many, {_some(wanted - there)} missing"
        )
    return problems


def _some(chunks: set[Chunk]) -> str:
    return f"{len(chunks)} ({', '.join(sorted({chunk[0] for chunk in chunks})[:3])})"
