"""`blameRange`: who wrote lines of the client's buffer, or of a file that is not open.

Invariant: the answer is about one version of one text, and says which.
"""

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import BlameOptions, BlameResult, Commit, GitClient, Person
from codeintel_ls.server import wire
from codeintel_ls.server.session import Session
from codeintel_ls.server.uris import shown
from codeintel_ls.settings import Settings


@frozen
class Blame:
    """A blame, the repository that it is from, and the version of the open document if any."""

    result: BlameResult
    client: GitClient
    version: int | None


async def blame_lines(
    session: Session,
    uri: str,
    first_line: int,
    last_line: int,
    *,
    ignore_whitespace: bool | None = None,
    detect_moves: bool | None = None,
) -> Blame:
    """Blame lines (0-based, inclusive) of the document as it is when this is called.

    Options that are None are as the settings say. What is known already is answered without
    waiting behind other blames.
    """
    place = session.folders.place(uri)
    document = session.documents.get(uri)
    text, version = (document.text, document.version) if document else (None, None)
    settings = (await place.folder.live()).settings
    options = _options(settings, ignore_whitespace, detect_moves)

    def locate(_: Cancellation) -> tuple[GitClient, str, bool]:
        client = session.repositories.of(place.path, settings)
        path = client.relative_path(place.path)
        return client, path, client.blame_is_cached(path, options)

    client, path, known = await session.pools.files.run(locate)
    pool = session.pools.files if known else session.pools.git
    result = await pool.run(
        lambda cancellation: client.blame_range(
            path, first_line, last_line, text=text, options=options, cancellation=cancellation
        )
    )
    return Blame(result, client, version)


def _options(settings: Settings, whitespace: bool | None, moves: bool | None) -> BlameOptions:
    return BlameOptions(
        ignore_whitespace=settings.blame.ignore_whitespace if whitespace is None else whitespace,
        detect_moves=settings.blame.detect_moves if moves is None else moves,
    )


async def blame_range(session: Session, params: wire.BlameRangeParams) -> wire.BlameRangeResult:
    """The hunks of lines `start_line` to `end_line`, and their commits."""
    if params.end_line < params.start_line:
        raise InvalidRequestError("`endLine` must not be before `startLine`.")
    blame = await blame_lines(
        session,
        params.uri,
        params.start_line,
        params.end_line,
        ignore_whitespace=params.ignore_whitespace,
        detect_moves=params.detect_moves,
    )
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
            commit.id: wire_commit(commit, blame.client.commit_url(commit.id))
            for commit in blame.result.commits.values()
        },
        version=blame.version,
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
