"""`textDocument/hover`: the commit of the line.

Invariant: a hover never fails before a person: where there is no blame there is no hover.
"""

import logging
import time
from typing import Final

from lsprotocol import types

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git import GitError
from codeintel_ls.server.blame import Blame, blame_lines
from codeintel_ls.server.commit_text import markdown, plain
from codeintel_ls.server.folders import FolderFailedError
from codeintel_ls.server.session import Session

logger: Final = logging.getLogger(__name__)

NOT_COMMITTED: Final = "Not committed yet"


async def hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """Who wrote the line, when, and why."""
    if not session.settings.blame.hover:
        return None
    line = params.position.line
    try:
        blame = await blame_lines(session, params.text_document.uri, line, line)
    except (GitError, InvalidRequestError, FolderFailedError) as error:
        logger.info("No hover: %s", error)
        return None
    return _hover(session, blame)


def _hover(session: Session, blame: Blame) -> types.Hover | None:
    if not blame.result.hunks:
        return None
    kind = session.client.hover_format
    commit_id = blame.result.hunks[0].commit
    commit = blame.result.commits.get(commit_id) if commit_id is not None else None
    if commit is None:
        return types.Hover(contents=types.MarkupContent(kind=kind, value=NOT_COMMITTED))
    text = markdown if kind == types.MarkupKind.Markdown else plain
    value = text(
        commit, blame.client.commit_url(commit.id), session.settings.blame.date_format, time.time()
    )
    return types.Hover(contents=types.MarkupContent(kind=kind, value=value))
