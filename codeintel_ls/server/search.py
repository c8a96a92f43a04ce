"""`semanticSearch` and `findSimilar`: asked of every folder at once, merged by score.

Invariant: a hit's URI and range are those of the client's own spelling and encoding, and a place
that two nested folders both hold is shown once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve, frozen
from lsprotocol.types import Range

from codeintel_ls.cancellation import CancelledError
from codeintel_ls.errors import CodeIntelError, InvalidRequestError
from codeintel_ls.git import NotARepositoryError
from codeintel_ls.search.values import (
    Explanation,
    Freshness,
    Hit,
    SearchFilter,
    SearchMode,
    SearchQuery,
    SearchResult,
)
from codeintel_ls.server import wire
from codeintel_ls.server.commit_search import moment
from codeintel_ls.server.folders import Folder
from codeintel_ls.server.partial_results import PartialResults
from codeintel_ls.server.positions import hit_range
from codeintel_ls.server.session import Session
from codeintel_ls.server.together import all_or_none
from codeintel_ls.server.uris import shown
from codeintel_ls.server.validation import wire_name
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import WorkspaceFolder
from codeintel_ls.workspace.change_filter import ChangedBy, ChangeFilter

_Found = tuple[Folder, SearchResult]
_REST_SECONDS: Final = 0.1
"""Longer than most wait between two keys."""


@frozen(eq=False)
class _Scope:
    folder: Folder
    under: tuple[str, ...]


async def semantic_search(session: Session, params: wire.SemanticSearchParams) -> wire.SearchResult:
    """The best places of all folders, or of those that were named."""
    search = _Search(session, params)
    return await search.told(await search.ask(search.scopes))


async def stream_semantic_search(
    session: Session, params: wire.SemanticSearchParams, parts: PartialResults[wire.SearchResult]
) -> wire.SearchResult:
    """The same; where a better order comes a little later, what is known at once is a part."""
    search = _Search(session, params)
    found = await search.ask(search.scopes)
    told = await search.told(found)
    better = await search.could_be_better()
    # What is read between two pages would order the second another way.
    if not better or params.offset:
        return told
    parts.add(told)
    # Whoever types on wants another answer, and ends this one.
    await asyncio.sleep(_REST_SECONDS)
    try:
        found = {**found, **await search.ask(better, patient=True)}
    except CancelledError:
        raise
    except CodeIntelError:
        # Lost, or made anew at this moment: what is known stays true.
        return told
    return await search.told(found)


def part_of_search(results: Sequence[wire.SearchResult]) -> wire.SearchResult:
    """There is never more than one part of an answer."""
    return results[-1]


class _Search:
    """One question of a client, asked of one folder or several."""

    def __init__(self, session: Session, params: wire.SemanticSearchParams) -> None:
        self.scopes = _scopes(session, params.folders)
        self._session = session
        self._params = params
        self._limit = _limit(params.limit, self.scopes[0].folder.settings)
        self._changed = _changed(params)

    async def ask(
        self, scopes: Sequence[_Scope], *, patient: bool = False
    ) -> dict[_Scope, SearchResult]:
        """What each folder answers."""
        answers = await all_or_none(self._ask(scope, patient) for scope in scopes)
        return dict(zip(scopes, answers, strict=True))

    async def could_be_better(self) -> list[_Scope]:
        """The folders that would answer better if they were given some time."""
        if self._changed is not None:
            return []
        lives = [(scope, await scope.folder.live()) for scope in self.scopes]
        return [
            scope
            for scope, live in lives
            if live.would_read(_query(self._params, scope.folder.settings, scope.under))
        ]

    async def told(self, found: Mapping[_Scope, SearchResult]) -> wire.SearchResult:
        """The page of all of them together."""
        answers = [(scope.folder, found[scope]) for scope in self.scopes]
        hits = _merge(answers)[self._params.offset : self._params.offset + self._limit]
        if self._changed is not None and not hits:
            lives = [await scope.folder.live() for scope in self.scopes]
            if all(live.git is None for live in lives):
                raise NotARepositoryError
        results = list(found.values())
        return wire.SearchResult(
            hits=tuple(_wire_hit(folder, hit, self._session.encoding) for folder, hit in hits),
            freshness=_freshness([result.freshness for result in results]),
            stopped_early=_stopped_early(results),
        )

    async def _ask(self, scope: _Scope, patient: bool) -> SearchResult:
        live = await scope.folder.live(retry=True)
        settings = scope.folder.settings
        query = _query(self._params, settings, scope.under)
        only = _filter(self._session, live, settings, self._changed)
        if query.mode is not SearchMode.LEXICAL:
            # On the loop, together with other questions: no thread waits for an endpoint.
            await live.embed_ahead(query.text)
        pools = self._session.pools
        # What waits for git, or reads for long, must not keep other searches waiting.
        pool = pools.deep if patient else pools.search if only is None else pools.git
        return await pool.run(
            lambda cancellation: live.search(query, cancellation, only=only, patient=patient)
        )


def _changed(params: wire.SemanticSearchParams) -> ChangedBy | None:
    """Who has to have changed a hit, and when; None where that is all the same."""
    given = (params.author, params.changed_since, params.changed_before)
    if all(value is None for value in given):
        return None
    return ChangedBy(
        author=params.author or "",
        since=moment(params.changed_since, "changedSince"),
        before=moment(params.changed_before, "changedBefore"),
    )


def _filter(
    session: Session, live: WorkspaceFolder, settings: Settings, changed: ChangedBy | None
) -> ChangeFilter | None:
    if changed is None:
        return None
    repositories = session.repositories
    return ChangeFilter(live.root, changed, lambda path: repositories.of(path, settings))


def _stopped_early(results: Sequence[SearchResult]) -> bool | None:
    told = [result.stopped_early for result in results if result.stopped_early is not None]
    return any(told) if told else None


def _query(
    params: wire.SemanticSearchParams, settings: Settings, under: tuple[str, ...]
) -> SearchQuery:
    return SearchQuery(
        text=params.query,
        # Every folder may hold all of the page and of what comes before it.
        limit=params.offset + _limit(params.limit, settings),
        mode=params.mode,
        filter=SearchFilter(globs=params.globs, languages=frozenset(params.languages), under=under),
        snippet_lines=_snippet_lines(params.snippet_lines, settings),
        explain=params.explain,
    )


def _similar_query(params: wire.FindSimilarParams, settings: Settings) -> SearchQuery:
    return SearchQuery(
        text="",
        limit=_limit(params.limit, settings),
        offset=params.offset,
        filter=SearchFilter(globs=params.globs, languages=frozenset(params.languages)),
        snippet_lines=_snippet_lines(params.snippet_lines, settings),
    )


def _limit(given: int | None, settings: Settings) -> int:
    return settings.search.limit if given is None else given


def _snippet_lines(given: int | None, settings: Settings) -> int:
    return settings.search.snippet_lines if given is None else given


def _scopes(session: Session, uris: Sequence[str]) -> list[_Scope]:
    if not uris:
        return [_Scope(folder, ()) for folder in session.folders.named(None)]
    under: dict[Folder, set[str]] = {}
    for uri in uris:
        place = session.folders.place(uri)
        under.setdefault(place.folder, set()).add(place.relative)
    return [
        _Scope(folder, () if "" in parts else tuple(sorted(parts)))
        for folder, parts in under.items()
    ]


def _merge(answers: Sequence[_Found]) -> list[tuple[Folder, Hit]]:
    """All hits, the best first, each place once.

    A folder that holds nothing of the kind must not put its best beside what another really has.
    """
    most = max((result.evidence for _, result in answers), default=0.0)
    ranked = sorted(
        (
            (folder, evolve(hit, score=round(hit.score * result.evidence / most, 4)))
            if most > 0
            else (folder, hit)
            for folder, result in answers
            for hit in result.hits
        ),
        key=lambda found: -found[1].score,
    )
    merged: dict[tuple[str, int, int], tuple[Folder, Hit]] = {}
    for folder, hit in ranked:
        merged.setdefault((folder.uri_of(hit.path), hit.start_line, hit.end_line), (folder, hit))
    return list(merged.values())


def _freshness(parts: Sequence[Freshness]) -> wire.Freshness:
    return wire.Freshness(
        generation=sum(part.generation for part in parts),
        pending=sum(part.pending for part in parts),
        complete=all(part.complete for part in parts),
        refined=min(part.refined for part in parts),
    )


def _wire_hit(folder: Folder, hit: Hit, encoding: str) -> wire.Hit:
    return wire.Hit(
        uri=folder.uri_of(hit.path),
        path=shown(hit.path),
        range=hit_range(hit, encoding),
        symbol=hit.symbol,
        kind=hit.kind,
        language=hit.language,
        score=hit.score,
        snippet=hit.snippet,
        snippet_start_line=hit.snippet_start_line,
        stale=hit.stale,
        explanation=_wire_explanation(hit.explanation),
        shared_identifiers=hit.shared,
    )


def _wire_explanation(explanation: Explanation | None) -> wire.Explanation | None:
    if explanation is None:
        return None
    return wire.Explanation(
        dense_rank=explanation.dense_rank,
        dense_score=explanation.dense_score,
        lexical_rank=explanation.lexical_rank,
        lexical_score=explanation.lexical_score,
        fused_score=explanation.fused_score,
        boosts={wire_name(name): boost for name, boost in explanation.boosts.items()},
    )


def lines_of_range(place: Range) -> tuple[int, int]:
    """The first and the last line (inclusive) that a range touches.

    A range that ends at the very beginning of a line does not touch that line.

    Raises:
        InvalidRequestError: it ends before it begins.

    """
    start, end = place.start, place.end
    if (end.line, end.character) < (start.line, start.character):
        raise InvalidRequestError("`range` ends before it begins.")
    ends_before_line = end.character == 0 and end.line > start.line
    return start.line, end.line - 1 if ends_before_line else end.line


async def find_similar(session: Session, params: wire.FindSimilarParams) -> wire.SearchResult:
    """Places of the same folder that are like the given one, without that one."""
    place = session.folders.place(params.uri)
    first, last = lines_of_range(params.range)
    document = session.documents.get(params.uri)
    text = document.text if document is not None else None
    encoding = session.encoding
    live = await place.folder.live(retry=True)
    query = _similar_query(params, place.folder.settings)
    result = await session.pools.search.run(
        lambda cancellation: live.find_similar(
            place.relative, first, last, query=query, text=text, cancellation=cancellation
        )
    )
    return wire.SearchResult(
        hits=tuple(_wire_hit(place.folder, hit, encoding) for hit in result.hits),
        freshness=_freshness([result.freshness]),
    )
