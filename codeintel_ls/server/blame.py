"""`blameRange`: who wrote lines of the client's buffer, or of a file that is not open.

Invariant: the answer is about one version of one text, and says which.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set

from attrs import evolve, frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import BlameHunk, BlameOptions, BlameResult, Commit, GitClient, Person
from codeintel_ls.server import wire
from codeintel_ls.server.folders import Place
from codeintel_ls.server.partial_results import PartialResults
from codeintel_ls.server.session import Session
from codeintel_ls.server.uris import shown
from codeintel_ls.settings import BlameSettings


@frozen
class Blame:
    """A blame of a `path` in a repository, and the version of the open document if any.

    `urls` are the pages of its commits, those that have one.
    """

    result: BlameResult
    path: str
    urls: Mapping[str, str]
    version: int | None

    def commit_of(self, hunk: BlameHunk) -> Commit | None:
        """The commit of a hunk; None where it is not committed."""
        return self.result.commits.get(hunk.commit) if hunk.commit is not None else None


@frozen
class Asked:
    """A file as it was when the client asked: its text and version where it is open."""

    place: Place
    text: str | None
    version: int | None

    @classmethod
    def now(cls, session: Session, uri: str) -> "Asked":
        """To be called before anything is waited for. Raises OutsideWorkspaceError."""
        place, document = session.folders.place(uri), session.documents.get(uri)
        if document is None:
            return cls(place, None, None)
        return cls(place, document.text, document.version)


@frozen
class Source:
    """Where the blame of lines comes from, and whether they are known without running git."""

    client: GitClient
    path: str
    options: BlameOptions
    known: bool


@frozen
class Overlooked:
    """What blame is to look past; None: as the settings say."""

    whitespace: bool | None = None
    moves: bool | None = None
    copies: bool | None = None


_AS_SET = Overlooked()


async def blame_text(
    session: Session,
    asked: Asked,
    first_line: int,
    last_line: int,
    overlooked: Overlooked = _AS_SET,
    tell: Callable[[Blame], None] | None = None,
) -> Blame:
    """Blame lines (0-based, inclusive) of the text that was asked about.

    `tell` is called by another thread with what git has found so far. What is known already is
    answered without waiting behind other blames; after what is not, the rest of the file follows.
    """
    source = await source_of(session, asked, first_line, last_line, overlooked)
    client, options = source.client, source.options

    def blame_of(result: BlameResult) -> Blame:
        pages = {commit: client.commit_url(commit) for commit in result.commits}
        urls = {commit: url for commit, url in pages.items() if url is not None}
        return Blame(result, source.path, urls, asked.version)

    def report(part: BlameResult) -> None:
        if tell is not None:
            tell(blame_of(part))

    def work(cancellation: Cancellation) -> Blame:
        result = client.blame_range(
            source.path,
            first_line,
            last_line,
            text=asked.text,
            options=options,
            cancellation=cancellation,
            partial=report if tell is not None else None,
        )
        return blame_of(result)

    blame = await (session.pools.files if source.known else session.pools.git).run(work)
    if not source.known:
        client.blame_ahead(source.path, options)
    return blame


async def source_of(
    session: Session,
    asked: Asked,
    first_line: int,
    last_line: int,
    overlooked: Overlooked = _AS_SET,
) -> Source:
    """The source of these lines' blame; runs no git."""
    settings = await asked.place.folder.settled()
    options = _options(settings.blame, overlooked)
    path = asked.place.path

    def locate(_: Cancellation) -> Source:
        client = session.repositories.of(path, settings)
        relative = client.relative_path(path)
        known = client.blame_is_cached(
            relative, options, lines=(first_line, last_line), text=asked.text
        )
        return Source(client, relative, options, known)

    return await session.pools.files.run(locate)


def _options(settings: BlameSettings, overlooked: Overlooked) -> BlameOptions:
    whitespace, moves, copies = overlooked.whitespace, overlooked.moves, overlooked.copies
    return BlameOptions(
        ignore_whitespace=settings.ignore_whitespace if whitespace is None else whitespace,
        detect_moves=settings.detect_moves if moves is None else moves,
        detect_copies=settings.detect_copies if copies is None else copies,
    )


async def blame_range(session: Session, params: wire.BlameRangeParams) -> wire.BlameRangeResult:
    """The hunks of lines `start_line` to `end_line`, and their commits."""
    return _wire_blame(await _asked_range(session, params, None))


async def stream_blame_range(
    session: Session, params: wire.BlameRangeParams, parts: PartialResults[wire.BlameRangeResult]
) -> wire.BlameRangeResult:
    """The same, with hunks as parts as soon as git finds them."""
    told: set[int] = set()

    def tell(part: Blame) -> None:
        for hunk in part.result.hunks:
            told.update(range(hunk.start_line, hunk.end_line + 1))
        parts.add(_wire_blame(part))

    blame = await _asked_range(session, params, tell)
    parts.finish()
    left = tuple(piece for hunk in blame.result.hunks for piece in _without(hunk, told))
    named = {hunk.commit for hunk in left}
    commits = {id_: commit for id_, commit in blame.result.commits.items() if id_ in named}
    return _wire_blame(evolve(blame, result=evolve(blame.result, hunks=left, commits=commits)))


def part_of_blame(found: Sequence[wire.BlameRangeResult]) -> wire.BlameRangeResult:
    """One result that holds those of `found`."""
    return wire.BlameRangeResult(
        hunks=tuple(hunk for part in found for hunk in part.hunks),
        commits={id_: commit for part in found for id_, commit in part.commits.items()},
        version=found[-1].version,
        cut_off=tuple(sorted({id_ for part in found for id_ in part.cut_off})),
    )


async def _asked_range(
    session: Session, params: wire.BlameRangeParams, tell: Callable[[Blame], None] | None
) -> Blame:
    if params.end_line < params.start_line:
        raise InvalidRequestError("`endLine` must not be before `startLine`.")
    overlooked = Overlooked(params.ignore_whitespace, params.detect_moves, params.detect_copies)
    asked = Asked.now(session, params.uri)
    return await blame_text(session, asked, params.start_line, params.end_line, overlooked, tell)


def _without(hunk: BlameHunk, lines: Set[int]) -> Iterator[BlameHunk]:
    """The pieces of a hunk that are none of these lines."""
    start = hunk.start_line
    for line in range(hunk.start_line, hunk.end_line + 2):
        if line > hunk.end_line or line in lines:
            if start < line:
                moved = hunk.original_line + start - hunk.start_line
                original = hunk.original_line if hunk.commit is None else moved
                yield evolve(hunk, start_line=start, end_line=line - 1, original_line=original)
            start = line + 1


def _wire_blame(blame: Blame) -> wire.BlameRangeResult:
    return wire.BlameRangeResult(
        hunks=tuple(
            wire.BlameHunk(
                start_line=hunk.start_line,
                end_line=hunk.end_line,
                commit=hunk.commit,
                original_line=hunk.original_line,
                original_path=shown(hunk.original_path),
            )
            for hunk in blame.result.hunks
        ),
        commits={
            commit.id: wire_commit(commit, blame.urls.get(commit.id))
            for commit in blame.result.commits.values()
        },
        version=blame.version,
        cut_off=tuple(sorted(blame.result.cut_off)),
    )


def wire_person(person: Person) -> wire.Person:
    """A person as the protocol has it."""
    return wire.Person(name=person.name, email=person.email, time=person.time, offset=person.offset)


def wire_commit(commit: Commit, url: str | None) -> wire.Commit:
    """A commit as the protocol has it."""
    return wire.Commit(
        id=commit.id,
        short_id=commit.short_id,
        author=wire_person(commit.author),
        committer=wire_person(commit.committer),
        summary=commit.summary,
        message=commit.message,
        parents=commit.parents,
        url=url,
    )
