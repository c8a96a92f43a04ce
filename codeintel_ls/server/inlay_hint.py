"""`textDocument/inlayHint`: at the end of a line, the commit that it comes from.

Invariant: a hint stands at the end of the line that it was computed for, as the document was when
it was asked for; nothing is asked of git while hints are off.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Final

from attrs import frozen
from lsprotocol import types

from codeintel_ls.daemon.text_edits import LINE_ENDINGS, units
from codeintel_ls.git import BlameHunk
from codeintel_ls.server.blame import Asked, Blame, blame_text
from codeintel_ls.server.commit_text import one_line
from codeintel_ls.server.hover import describe
from codeintel_ls.server.quietly import quietly
from codeintel_ls.server.search import lines_of_range
from codeintel_ls.server.session import Session
from codeintel_ls.settings import BlameHints

NOT_COMMITTED: Final = "You, not committed yet"
_MOST_LINES: Final = 2_000


@frozen
class _Lines:
    """The lines that were asked for, and the ends of their texts in units of the client."""

    first: int
    last: int
    ends: Mapping[int, int]


async def inlay_hint(session: Session, params: types.InlayHintParams) -> list[types.InlayHint]:
    """Hints for the one line that is asked for, or for each line that begins another commit.

    Servers are not told where the cursor is: with the setting `line`, the client asks for the
    cursor's line alone, and whoever asks for more gets nothing.
    """
    if session.ready.is_set() and session.settings.blame.inlay_hints is BlameHints.OFF:
        return []
    with quietly("inlay hints"):
        lines = _lines_asked(session, params)
        asked = Asked.now(session, params.text_document.uri)
        await session.ready.wait()
        wanted = session.settings.blame.inlay_hints
        only = wanted is BlameHints.LINE
        if lines is None or wanted is BlameHints.OFF or (only and lines.first != lines.last):
            return []
        # Whether a commit begins on the first line is told by the line above it.
        above = 0 if only else min(1, lines.first)
        blame = await blame_text(session, asked, lines.first - above, lines.last)
        begun = _first_hunks(blame, lines) if only else _begun_hunks(blame, lines)
        hints = [_hint(session, asked, blame, hunk, line, lines.ends[line]) for hunk, line in begun]
        return [hint for hint in hints if hint.label]
    return []


def _lines_asked(session: Session, params: types.InlayHintParams) -> _Lines | None:
    document = session.documents.get(params.text_document.uri)
    if document is None:
        return None
    first, last = lines_of_range(params.range)
    last = min(last, len(document.lines) - 1, first + _MOST_LINES - 1)
    texts = enumerate(document.lines[first : last + 1], first)
    ends = {line: units(text.rstrip(LINE_ENDINGS), session.encoding) for line, text in texts}
    return _Lines(first, last, ends) if ends else None


def _first_hunks(blame: Blame, lines: _Lines) -> Iterator[tuple[BlameHunk, int]]:
    for hunk in blame.result.hunks[:1]:
        yield hunk, lines.first


def _begun_hunks(blame: Blame, lines: _Lines) -> Iterator[tuple[BlameHunk, int]]:
    """The hunks whose first line is in the range and whose line above is of another commit."""
    above: BlameHunk | None = None
    for hunk in blame.result.hunks:
        begins = above is None or above.commit != hunk.commit
        if begins and lines.first <= hunk.start_line <= lines.last:
            yield hunk, hunk.start_line
        above = hunk


def _hint(
    session: Session, asked: Asked, blame: Blame, hunk: BlameHunk, line: int, end: int
) -> types.InlayHint:
    commit, settings = blame.commit_of(hunk), session.settings.blame
    label = NOT_COMMITTED
    if commit is not None:
        label = one_line(commit, settings.format, settings.date_format, time.time())
    return types.InlayHint(
        position=types.Position(line=line, character=end),
        label=label,
        tooltip=describe(session, asked, blame, hunk, line),
        padding_left=True,
    )
