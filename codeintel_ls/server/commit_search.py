"""`searchHistory`: commits by what they say and touch, of the repositories of all open folders.

Invariant: a commit is shown once, however many folders reach it; the bar of an indexing that was
begun is taken away however that ends.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from attrs import asdict

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git import NotARepositoryError
from codeintel_ls.git.dates import InvalidDateError, parse_date
from codeintel_ls.search.commits import CommitQuery
from codeintel_ls.server import wire
from codeintel_ls.server.blame import wire_commit
from codeintel_ls.server.session import Session
from codeintel_ls.server.together import all_or_none
from codeintel_ls.server.uris import shown
from codeintel_ls.server.validation import InvalidParamsError
from codeintel_ls.server.work_done import WorkDone
from codeintel_ls.workspace import WorkspaceFolder
from codeintel_ls.workspace.commit_search import CommitAnswer, CommitHit, CommitSearch


def moment(text: str | None, field: str) -> float | None:
    """Unix seconds of a date that was given in `field`. Raises InvalidParamsError."""
    if text is None:
        return None
    try:
        return parse_date(text, time.time())
    except InvalidDateError as error:
        raise InvalidParamsError(str(error), field) from error


class CommitBar:
    """The progress bar of an indexing of commits. `progress` may be called from any thread."""

    def __init__(self, session: Session, commits: CommitSearch, name: str) -> None:
        self._session = session
        self._commits = commits
        self._title = f"Indexing the commits of {name}"
        self._loop = asyncio.get_running_loop()
        self._bar: WorkDone | None = None
        self._wanted = False

    def progress(self, done: int, total: int | None, message: str) -> None:
        """How far it is; the last call has `done` equal to `total`."""
        with suppress(RuntimeError):  # the loop has ended: nobody is told any more
            self._loop.call_soon_threadsafe(self._progressed, done, total, message)

    def _progressed(self, done: int, total: int | None, message: str) -> None:
        if done == total:
            self._wanted = False
            if self._bar is not None:
                self._bar.end()
        elif self._bar is not None:
            self._bar.report(self._loop.time(), done, total, message)
        elif not self._wanted:
            self._wanted = True
            self._session.protocol.in_background(self._begin(), "progress of indexing commits")

    async def _begin(self) -> None:
        tokens, client = self._session.tokens, self._session.client
        token = tokens.make()
        if await client.create_progress(token) and self._wanted:
            self._bar = WorkDone(client, tokens, token, self._commits.cancel_indexing)
            self._bar.begin(self._title)


async def search_history(
    session: Session, params: wire.SearchHistoryParams
) -> wire.SearchHistoryResult:
    """The best commits of all folders; folders outside a repository have none.

    Raises:
        NotARepositoryError: every folder is outside one.

    """
    query = CommitQuery(
        text=params.query,
        limit=params.limit,
        author=params.author or "",
        since=moment(params.since, "since"),
        before=moment(params.before, "before"),
        paths=params.paths,
    )
    lives = [await folder.live(retry=True) for folder in session.folders.named(None)]
    answers = await all_or_none(
        _ask(session, live, live.commits, query) for live in lives if live.commits is not None
    )
    if not answers:
        raise NotARepositoryError
    return _merged(answers, params.limit)


_Asked = tuple[WorkspaceFolder, CommitAnswer, Sequence[str | None]]
"""A folder, what its history answers, and the page of each commit."""


async def _ask(
    session: Session, live: WorkspaceFolder, commits: CommitSearch, query: CommitQuery
) -> _Asked:
    bar = CommitBar(session, commits, live.name)

    def work(cancellation: Cancellation) -> _Asked:
        answer = commits.search(query, cancellation, progress=bar.progress)
        urls = [live.git.commit_url(hit.commit.id) if live.git else None for hit in answer.hits]
        return live, answer, urls

    return await session.pools.git.run(work)


def _merged(answers: Sequence[_Asked], limit: int) -> wire.SearchHistoryResult:
    found = [
        (hit, url)
        for _, answer, urls in answers
        for hit, url in zip(answer.hits, urls, strict=True)
    ]
    found.sort(key=lambda one: -one[0].score)
    by_id: dict[str, wire.CommitHit] = {}
    for hit, url in found:
        by_id.setdefault(hit.commit.id, _wire_hit(hit, url))
    indexed: dict[object, int] = {}
    for live, answer, _ in answers:
        repository = live.git.common_dir if live.git is not None else live.root
        indexed[repository] = max(answer.indexed, indexed.get(repository, 0))
    return wire.SearchHistoryResult(
        commits=tuple(by_id.values())[:limit],
        complete=all(answer.complete for _, answer, _ in answers),
        indexed=sum(indexed.values()),
    )


def _wire_hit(hit: CommitHit, url: str | None) -> wire.CommitHit:
    return wire.CommitHit(
        **asdict(wire_commit(hit.commit, url), recurse=False),
        score=hit.score,
        paths=tuple(shown(path) for path in hit.paths[: wire.MOST_PATHS]),
    )
