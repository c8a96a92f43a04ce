"""`fileHistory`, `fileAtRevision` and the virtual documents of the scheme `codeintel-git`.

Invariant: a virtual document names an open folder and a path within it, and no other file can
be read through one.
"""

import json
from pathlib import PurePosixPath
from typing import Any, Final, cast
from urllib.parse import unquote, urlsplit

from attrs import asdict
from lsprotocol import types

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import GitClient, HistoryEntry, HistoryPage
from codeintel_ls.server import wire
from codeintel_ls.server.blame import wire_commit
from codeintel_ls.server.folders import Place
from codeintel_ls.server.search import lines_of_range
from codeintel_ls.server.session import Session
from codeintel_ls.server.uris import shown

SCHEME: Final = "codeintel-git"


async def file_history(session: Session, params: wire.FileHistoryParams) -> wire.FileHistoryResult:
    """The commits that changed a file, or the given lines of it, the newest first."""
    place = session.folders.place(params.uri)
    lines = lines_of_range(params.range) if params.range is not None else None
    document = session.documents.get(params.uri) if lines is not None else None
    text = document.text if document is not None else None
    settings = (await place.folder.live()).settings

    def work(cancellation: Cancellation) -> tuple[HistoryPage, GitClient]:
        client = session.repositories.of(place.path, settings)
        page = client.file_history(
            client.relative_path(place.path),
            lines=lines,
            text=text,
            limit=params.limit,
            cursor=params.cursor,
            follow=params.follow,
            cancellation=cancellation,
        )
        return page, client

    page, client = await session.pools.git.run(work)
    return wire.FileHistoryResult(
        entries=tuple(
            _wire_entry(entry, client.commit_url(entry.commit.id)) for entry in page.entries
        ),
        next_cursor=page.next_cursor,
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
    text = await _text_at(session, session.folders.place(params.uri), params.commit)
    return wire.TextResult(text=text)


async def _text_at(session: Session, place: Place, commit: str) -> str:
    settings = (await place.folder.live()).settings

    def work(cancellation: Cancellation) -> str:
        client = session.repositories.of(place.path, settings)
        return client.file_at_revision(client.relative_path(place.path), commit, cancellation)

    return await session.pools.git.run(work)


async def text_document_content(
    session: Session, params: types.TextDocumentContentParams
) -> types.TextDocumentContentResult:
    """`workspace/textDocumentContent`: a virtual document of the scheme `codeintel-git`.

    Its URI is `codeintel-git:/<path in the folder>?<JSON>`, where the JSON (percent-encoded)
    has the fields `commit` and `folder` (a folder's URI).
    """
    parts = urlsplit(params.uri)
    if parts.scheme != SCHEME:
        raise InvalidRequestError(f"only URIs of the scheme {SCHEME} have a text here.")
    path = PurePosixPath(unquote(parts.path, errors="surrogateescape").lstrip("/"))
    fields = _query(parts.query)
    folder = session.folders.named(fields["folder"])[0]
    if not path.parts or ".." in path.parts:
        raise InvalidRequestError("the URI names no file within its folder.")
    place = session.folders.place(folder.uri_of(str(path)))
    text = await _text_at(session, place, fields["commit"])
    return types.TextDocumentContentResult(text=text)


def _query(query: str) -> dict[str, str]:
    # Some clients encode what is encoded already: the JSON appears after one or two rounds.
    for _ in range(3):
        try:
            fields = json.loads(query)
        except ValueError:
            query = unquote(query)
            continue
        if _is_query(fields):
            return fields
        break
    raise InvalidRequestError('the query of the URI must be {"commit": …, "folder": …}.')


def _is_query(fields: Any) -> bool:
    if not isinstance(fields, dict):
        return False
    values = cast("dict[str, Any]", fields)
    return set(values) == {"commit", "folder"} and all(
        isinstance(value, str) for value in values.values()
    )
