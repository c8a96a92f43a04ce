"""`textDocument/documentLink` and `documentLink/resolve`: commit ids and issue numbers.

Invariant: finding links reads nothing but the text and the name of the remote; whether hexadecimal
digits name a commit is asked when a person follows them. All links lead to https pages.
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, cast

from attrs import frozen
from lsprotocol import types

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.daemon.text_edits import units
from codeintel_ls.git import (
    BadRevisionError,
    BinaryFileError,
    FileTooLargeError,
    GitClient,
    NoCommitsYetError,
    PathNotTrackedError,
)
from codeintel_ls.server.blame import Asked
from codeintel_ls.server.quietly import quietly
from codeintel_ls.server.session import Session
from codeintel_ls.server.site import Site, https_page
from codeintel_ls.server.validation import read_params, write_result

MOST_LINKS: Final = 500
MOST_BYTES: Final = 1_000_000
_LINES_AT_ONCE: Final = 1_000

# Not within words, paths, file names, colours, UUIDs; but on both sides of `a..b`.
_COMMIT: Final = (
    r"(?:(?<![\w#/@.-])|(?<=\.\.))"
    r"(?P<commit>(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,40})(?![\w/@-])(?!\.\w)"
)
_ISSUE: Final = r"(?:(?<![\w&#/.-])#|\bGH-)(?P<issue>[1-9]\d{0,6})(?![\w-])"
_MERGE_REQUEST: Final = r"(?<![^\s([,;])!(?P<request>[1-9]\d{0,6})(?![\w-])"
_CANDIDATES: Final = re.compile(f"{_COMMIT}|{_ISSUE}|{_MERGE_REQUEST}")
_TOOLTIPS: Final = "text_document.document_link.tooltip_support"
_WITH_COLOURS: Final = frozenset({"css", "scss", "sass", "less", "stylus", "html", "svg"})


@frozen(kw_only=True)
class _LinkData:
    """What a link to a commit needs to be resolved."""

    uri: str
    commit: str


@frozen(kw_only=True)
class _Writing:
    """How the links of a document are written down for its client."""

    uri: str
    encoding: str
    has_colours: bool
    tooltips: bool


@frozen
class _Found:
    """A candidate: a match in a line."""

    line: int
    text: str
    match: re.Match[str]


async def document_link(
    session: Session, params: types.DocumentLinkParams
) -> list[types.DocumentLink]:
    """The commits and issues that an open document names; at most `MOST_LINKS`."""
    uri = params.text_document.uri
    document = session.documents.get(uri)
    if document is None or sum(map(len, document.lines)) > MOST_BYTES:
        return []
    writing = _Writing(
        uri=uri,
        encoding=session.encoding,
        has_colours=document.language in _WITH_COLOURS,
        tooltips=session.client.can(_TOOLTIPS),
    )
    lines = tuple(document.lines)
    with quietly("document links"):
        asked = Asked.now(session, uri)
        settings = await asked.place.folder.settled()
        path = asked.place.path

        def work(cancellation: Cancellation) -> list[types.DocumentLink]:
            site = Site.of(session.repositories.of(path, settings))
            if site is None:
                return []
            links = (
                link
                for found in _candidates(lines, cancellation)
                if (link := _link(found, site, writing)) is not None
            )
            return list(islice(links, MOST_LINKS))

        return await session.pools.files.run(work)
    return []


def _candidates(lines: tuple[str, ...], cancellation: Cancellation) -> Iterator[_Found]:
    for number, text in enumerate(lines):
        if number % _LINES_AT_ONCE == 0:
            cancellation.raise_if_cancelled()
        for match in _CANDIDATES.finditer(text):
            yield _Found(number, text, match)


def _link(found: _Found, site: Site, writing: _Writing) -> types.DocumentLink | None:
    match = found.match
    start = units(found.text[: match.start()], writing.encoding)
    end = start + units(match[0], writing.encoding)
    place = types.Range(types.Position(found.line, start), types.Position(found.line, end))
    if match["commit"] is not None:
        data = _LinkData(uri=writing.uri, commit=match["commit"])
        return types.DocumentLink(range=place, data=write_result(data))
    pages, number = site.issues, match["issue"]
    if match["request"] is not None:
        pages, number = site.merge_requests, match["request"]
    if not pages or (writing.has_colours and match[0].startswith("#")):
        return None
    tooltip = f"{match[0]} on {site.name}" if writing.tooltips else None
    return types.DocumentLink(range=place, target=f"{pages}{number}", tooltip=tooltip)


async def resolve_document_link(session: Session, link: types.DocumentLink) -> types.DocumentLink:
    """The same link with its page; without one where the digits name no commit."""
    if link.target is not None:
        return link
    with quietly("document link"):
        data = read_params(_LinkData, cast("Any", link.data))
        place = session.folders.place(data.uri)
        settings = await place.folder.settled()

        def work(cancellation: Cancellation) -> str | None:
            client = session.repositories.of(place.path, settings)
            path = client.relative_path(place.path)
            if not _names_commit(client, path, data.commit, cancellation):
                return None
            return https_page(client, data.commit)

        link.target = await session.pools.git.run(work)
    if link.target is None and session.client.can(_TOOLTIPS):
        link.tooltip = "No commit of this repository"
    return link


def _names_commit(client: GitClient, path: str, digits: str, cancellation: Cancellation) -> bool:
    """Whether the digits name one commit; some file is asked for, which it need not have."""
    try:
        client.file_at_revision(path, digits, cancellation)
    except (BadRevisionError, NoCommitsYetError):
        return False
    except (PathNotTrackedError, BinaryFileError, FileTooLargeError):
        return True
    return True
