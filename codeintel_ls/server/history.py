"""`fileHistory`, `fileAtRevision` and the virtual documents of the scheme `codeintel-git`.

Invariant: a virtual document names an open folder and a path within it, and no other file can
be read through one.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

from attrs import asdict, frozen
from lsprotocol import types

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import GitClient, HistoryEntry, HistoryPage
from codeintel_ls.server import wire
from codeintel_ls.server.blame import wire_commit
from codeintel_ls.server.folders import Place
from codeintel_ls.server.partial_results import PartialResults
from codeintel_ls.server.search import lines_of_range
from codeintel_ls.server.session import Session
from codeintel_ls.server.uris import shown

SCHEME: Final = "codeintel-git"


async def file_history(session: Session, params: wire.FileHistoryParams) -> wire.FileHistoryResult:
    """The commits that changed a file, some lines of it or a folder, the newest first."""
    page = await _page(session, params, lambda _: None)
    return page.result(page.entries)


async def stream_file_history(
    session: Session,
    params: wire.FileHistoryParams,
    parts: PartialResults[wire.HistoryEntry],
) -> wire.FileHistoryResult:
    """The same, with the entries as parts."""
    page = await _page(session, params, parts.add)
    parts.finish()
    return page.result(())


def part_of_history(entries: Sequence[wire.HistoryEntry]) -> wire.FileHistoryResult:
    """A result of these entries alone."""
    return wire.FileHistoryResult(entries=tuple(entries))


@frozen
class _Page:
    entries: Sequence[wire.HistoryEntry]
    page: HistoryPage

    def result(self, entries: Sequence[wire.HistoryEntry]) -> wire.FileHistoryResult:
        return wire.FileHistoryResult(
            entries=tuple(entries), next_cursor=self.page.next_cursor, boundary=self.page.boundary
        )


async def _page(
    session: Session, params: wire.FileHistoryParams, add: Callable[[wire.HistoryEntry], None]
) -> _Page:
    """A page of the history; `add` is given each entry by the thread that found it."""
    place = session.folders.place(params.uri)
    lines = lines_of_range(params.range) if params.range is not None else None
    document = session.documents.get(params.uri) if lines is not None else None
    text = document.text if document is not None else None
    settings = await place.folder.settled()

    def work(cancellation: Cancellation) -> _Page:
        client = session.repositories.of(place.path, settings)
        entries: list[wire.HistoryEntry] = []

        def tell(entry: HistoryEntry) -> None:
            entries.append(_wire_entry(entry, client.commit_url(entry.commit.id)))
            add(entries[-1])

        page = _history(client, place, params, lines, text, cancellation, tell)
        return _Page(entries, page)

    return await session.pools.git.run(work)


def _history(
    client: GitClient,
    place: Place,
    params: wire.FileHistoryParams,
    lines: tuple[int, int] | None,
    text: str | None,
    cancellation: Cancellation,
    tell: Callable[[HistoryEntry], None],
) -> HistoryPage:
    path = client.relative_path(place.path)
    if lines is None and client.is_folder(path, cancellation):
        return client.folder_history(
            path,
            limit=params.limit,
            cursor=params.cursor,
            counts=params.counts,
            cancellation=cancellation,
            tell=tell,
        )
    return client.file_history(
        path,
        lines=lines,
        text=text,
        limit=params.limit,
        cursor=params.cursor,
        follow=params.follow,
        counts=params.counts,
        cancellation=cancellation,
        tell=tell,
    )


def _wire_entry(entry: HistoryEntry, url: str | None) -> wire.HistoryEntry:
    previous = entry.previous_path
    return wire.HistoryEntry(
        **asdict(wire_commit(entry.commit, url), recurse=False),
        path=shown(entry.path),
        previous_path=shown(previous) if previous is not None else None,
        status=str(entry.status),
        additions=entry.additions,
        deletions=entry.deletions,
    )


async def file_at_revision(session: Session, params: wire.FileAtRevisionParams) -> wire.TextResult:
    """The text of a file as it was at a commit."""
    text = await text_of_file(session, session.folders.place(params.uri), params.commit)
    return wire.TextResult(text=text)


async def text_of_file(session: Session, place: Place, commit: str, *, diff: bool = False) -> str:
    """The text of a file as it was at a commit, or what that did to it. Raises GitError."""
    settings = await place.folder.settled()

    def work(cancellation: Cancellation) -> str:
        client = session.repositories.of(place.path, settings)
        ask = client.file_diff if diff else client.file_at_revision
        return ask(client.relative_path(place.path), commit, cancellation)

    return await session.pools.git.run(work)


async def text_document_content(
    session: Session, params: types.TextDocumentContentParams
) -> types.TextDocumentContentResult:
    """`workspace/textDocumentContent`: a virtual document of the scheme `codeintel-git`.

    Its URI is `codeintel-git:/<path in the folder>?<JSON>`, where the JSON (percent-encoded)
    has the fields `commit` and `folder` (a folder's URI), and `diff` where the text wanted is what
    the commit did to the file.
    """
    parts = urlsplit(params.uri)
    if parts.scheme != SCHEME:
        raise InvalidRequestError(f"only URIs of the scheme {SCHEME} have a text here.")
    path = PurePosixPath(unquote(parts.path, errors="surrogateescape").lstrip("/"))
    fields = _query(parts.query)
    folder = session.folders.named(fields.folder)[0]
    if not path.parts or ".." in path.parts:
        raise InvalidRequestError("the URI names no file within its folder.")
    place = session.folders.place(folder.uri_of(str(path)))
    text = await text_of_file(session, place, fields.commit, diff=fields.diff)
    return types.TextDocumentContentResult(text=text)


@frozen
class _Query:
    commit: str
    folder: str
    diff: bool = False


def _query(query: str) -> _Query:
    # Some clients encode what is encoded already: the JSON appears after one or two rounds.
    for _ in range(3):
        try:
            fields = json.loads(query)
        except ValueError:
            query = unquote(query)
            continue
        found = _read_query(fields)
        if found is not None:
            return found
        break
    raise InvalidRequestError(
        'the query of the URI must be {"commit": …, "folder": …}, maybe with "diff": true.'
    )


def _read_query(fields: Any) -> _Query | None:
    if not isinstance(fields, dict):
        return None
    values = cast("dict[str, Any]", fields)
    commit, folder, diff = values.get("commit"), values.get("folder"), values.get("diff", False)
    known = set(values) <= {"commit", "folder", "diff"}
    if not known or not isinstance(commit, str) or not isinstance(folder, str):
        return None
    return _Query(commit, folder, diff) if isinstance(diff, bool) else None
