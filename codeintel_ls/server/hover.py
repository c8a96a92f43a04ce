"""`textDocument/hover`: the commit of the line.

Invariant: a hover never fails before a person: where there is no blame there is no hover.
"""

import time
from typing import Final

from lsprotocol import types

from codeintel_ls.daemon.text_edits import LINE_ENDINGS, units
from codeintel_ls.git import BlameHunk, Commit
from codeintel_ls.server.blame import Asked, Blame, blame_text
from codeintel_ls.server.commit_text import command_link, markdown, plain
from codeintel_ls.server.quietly import quietly
from codeintel_ls.server.session import Session
from codeintel_ls.server.showing import uri_then
from codeintel_ls.settings import BlameHover

NOT_COMMITTED: Final = "Not committed yet"


async def hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """Who wrote the line, when, and why."""
    uri, position = params.text_document.uri, params.position
    at_end = _is_at_end(session, uri, position)
    with quietly("hover"):
        asked = Asked.now(session, uri)
        await session.ready.wait()
        where = session.settings.blame.hover
        if where is BlameHover.OFF or (where is BlameHover.LINE_END and not at_end):
            return None
        blame = await blame_text(session, asked, position.line, position.line)
        if blame.result.hunks:
            contents = describe(session, asked, blame, blame.result.hunks[0], position.line)
            return types.Hover(contents=contents)
    return None


def _is_at_end(session: Session, uri: str, position: types.Position) -> bool:
    """Whether a place is on the last character of its line (a block cursor's end) or after it."""
    document = session.documents.get(uri)
    if document is None or position.line >= len(document.lines):
        return False
    content = document.lines[position.line].rstrip(LINE_ENDINGS)
    return position.character >= units(content[:-1], session.encoding)


def describe(
    session: Session, asked: Asked, blame: Blame, hunk: BlameHunk, line: int
) -> types.MarkupContent:
    """All about the commit of a line (0-based) of a hunk, in a markup that the client can show."""
    kind = session.client.hover_format
    commit = blame.commit_of(hunk)
    if commit is None:
        return types.MarkupContent(kind=kind, value=NOT_COMMITTED)
    url = blame.urls.get(commit.id)
    dates, now = session.settings.blame.date_format, time.time()
    if kind is types.MarkupKind.PlainText:
        return types.MarkupContent(kind=kind, value=plain(commit, url, dates, now))
    actions = _actions(session, asked, blame, hunk, commit, line)
    return types.MarkupContent(kind=kind, value=markdown(commit, url, dates, now, actions))


def _actions(
    session: Session, asked: Asked, blame: Blame, hunk: BlameHunk, commit: Commit, line: int
) -> list[str]:
    if not session.client.trusts_markdown:
        return []
    place = asked.place
    uri = place.folder.uri_of(place.relative)
    here = {"start": {"line": line, "character": 0}, "end": {"line": line + 1, "character": 0}}
    links = [command_link("History", "codeintel.fileHistory", {"uri": uri, "range": here})]
    then = uri_then(place, blame, hunk.original_path)
    if then is not None:
        argument = {"uri": then, "commit": commit.id}
        links.append(command_link("File then", "codeintel.openFileAtRevision", argument))
    return links
