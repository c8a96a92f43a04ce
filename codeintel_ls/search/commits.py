"""A question about history becomes ranked commits: by meaning and by letters, then fused.

This room reads a view of the commit store; which commits count at all is told by the caller.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import Encoder
from codeintel_ls.index.commit_store import CommitStore
from codeintel_ls.index.commit_view import CommitSegment, CommitView
from codeintel_ls.index.globs import GlobSet
from codeintel_ls.index.terms import query_terms
from codeintel_ls.search.candidates import (
    FusedChunk,
    LexicalCandidates,
    RankedChunk,
    fuse,
    weighed,
)
from codeintel_ls.search.errors import InvalidQueryError
from codeintel_ls.search.filtering import Mask

_POOL: Final = 200
_WIDER: Final = 8
_LONGEST_QUERY: Final = 10_000
_MERGE: Final = 0.8
"""A merge mostly repeats what the commits that it brings say."""


@frozen(kw_only=True)
class CommitQuery:
    """A question. `since` and `before` are Unix seconds; empty fields restrict nothing.

    `author` is part of a name or e-mail in any case; `paths` are globs of which a touched path,
    relative to the repository's root, must match one.
    """

    text: str
    limit: int = 20
    author: str = ""
    since: float | None = None
    before: float | None = None
    paths: tuple[str, ...] = ()


@frozen
class RankedCommit:
    """A commit that answers; `score` in 0..1, `paths` those touched that the query let through."""

    id: str
    score: float
    paths: tuple[str, ...]


Allowed = Sequence[NDArray[np.bool_]]
"""For each segment of a view, which of its commits may be found: bool (n,)."""


def checked(query: CommitQuery) -> CommitQuery:
    """The same query. Raises InvalidQueryError, InvalidGlobError for one that has no answer."""
    if not query.text.strip():
        raise InvalidQueryError("The query is empty: type what the commit should have done.")
    if len(query.text) > _LONGEST_QUERY:
        raise InvalidQueryError(
            f"The query has {len(query.text):,} characters; at most {_LONGEST_QUERY:,} are "
            "searched for."
        )
    GlobSet.compile(query.paths)
    return query


def within_time(view: CommitView, query: CommitQuery) -> Iterator[NDArray[np.bool_]]:
    """For each segment, which commits were written in the query's span of time."""
    for segment in view.segments:
        wanted = np.ones(len(segment), np.bool_)
        if query.since is not None:
            wanted &= segment.times >= query.since
        if query.before is not None:
            wanted &= segment.times < query.before
        yield wanted


def rank_commits(
    view: CommitView,
    store: CommitStore,
    encoder: Encoder,
    query: CommitQuery,
    allowed: Allowed,
    cancellation: Cancellation,
) -> list[RankedCommit]:
    """The best commits of those `allowed`. Raises the store's errors and CancelledError."""
    masks = [Mask.of(wanted) for wanted in allowed]
    most = sum(mask.count for mask in masks)
    globs = GlobSet.compile(query.paths)
    vector = encoder.embed_queries([query.text])[0]
    pool = _POOL + query.limit
    while True:
        cancellation.raise_if_cancelled()
        fused = fuse(
            _by_meaning(view, masks, vector, pool), _by_words(view, masks, query.text, pool)
        )
        found = _found(_merges_last(view, fused), store, globs, query)
        # Paths are looked at last, because few questions name any: then more has to be looked at.
        if len(found) >= query.limit or not query.paths or pool >= most:
            return found[: query.limit]
        pool *= _WIDER


def _by_meaning(
    view: CommitView, masks: Sequence[Mask], vector: NDArray[np.float32], k: int
) -> list[RankedChunk]:
    found: list[RankedChunk] = []
    for segment, mask in zip(view.segments, masks, strict=True):
        if vector.any():
            positions, scores = segment.dense.search(vector, k, mask.bits, mask.count)
            found += _ranked(segment, positions, scores)
    return _best(found, k)


def _by_words(view: CommitView, masks: Sequence[Mask], text: str, k: int) -> LexicalCandidates:
    def frequency(term: int) -> int:
        return sum(one.postings.document_frequency(term) for one in view.segments)

    weighted, highest = weighed(query_terms(text), len(view), frequency)
    found: list[RankedChunk] = []
    for segment, mask in zip(view.segments, masks, strict=True):
        found += _ranked(segment, *segment.postings.best(weighted, k, mask.allowed))
    return LexicalCandidates.of(_best(found, k), highest)


def _ranked(
    segment: CommitSegment, positions: NDArray[np.int64], scores: NDArray[np.float32]
) -> list[RankedChunk]:
    """Commits stand in lists of candidates by their numbers."""
    numbers = segment.numbers[positions]
    return list(map(RankedChunk, numbers.tolist(), scores.tolist()))


def _best(found: list[RankedChunk], k: int) -> list[RankedChunk]:
    return sorted(found, key=lambda commit: (-commit.score, commit.chunk_id))[:k]


def _merges_last(view: CommitView, fused: Sequence[FusedChunk]) -> list[tuple[int, float]]:
    """Numbers and scores, the best first, merges behind what they brought."""
    numbers = np.array([one.chunk_id for one in fused], np.int64)
    of_merges = [segment.numbers[segment.merges] for segment in view.segments]
    merged = np.isin(numbers, np.concatenate(of_merges)) if of_merges else numbers < 0
    scored = [
        (one.chunk_id, one.fused * (_MERGE if is_merge else 1.0))
        for one, is_merge in zip(fused, merged.tolist(), strict=True)
    ]
    return sorted(scored, key=lambda one: (-one[1], one[0]))


def _found(
    ranked: Sequence[tuple[int, float]], store: CommitStore, globs: GlobSet, query: CommitQuery
) -> list[RankedCommit]:
    shown = ranked if query.paths else ranked[: query.limit]
    details = store.details(number for number, _ in shown)
    found: list[RankedCommit] = []
    for number, score in shown:
        if number not in details:
            continue
        identity, paths = details[number]
        if query.paths:
            paths = tuple(path for path in paths if globs.matches(path))
        if paths or not query.paths:
            found.append(RankedCommit(identity, round(min(score, 1.0), 4), paths))
    return found
