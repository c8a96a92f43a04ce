"""`textDocument/codeLens` and `codeLens/resolve`: who wrote a definition, and when it changed.

Invariant: no lens costs a blame before it is shown; a lens that is resolved after further typing
is about its definition as it stands then, or stays without a text.
"""

import time
from collections import Counter
from typing import Any, Final, cast

from attrs import frozen
from lsprotocol import types

from codeintel_ls.daemon.text_edits import LINE_ENDINGS, units
from codeintel_ls.git import NoCommitsYetError, PathNotTrackedError
from codeintel_ls.index.symbols import Symbol
from codeintel_ls.server.blame import Asked, Blame, blame_text
from codeintel_ls.server.commit_text import date_text
from codeintel_ls.server.quietly import quietly
from codeintel_ls.server.session import Session
from codeintel_ls.server.validation import read_params, write_result
from codeintel_ls.settings import DateFormat

_HISTORY: Final = "codeintel.fileHistory"
# A command without a name is a text that cannot be chosen.
_NOTHING_COMMITTED: Final = types.Command(title="Not committed yet", command="")


@frozen(kw_only=True)
class _LensData:
    """What a lens needs to be resolved: its definition, and lines (inclusive) at a version."""

    uri: str
    version: int | None
    symbol: str
    start_line: int
    end_line: int


async def code_lens(session: Session, params: types.CodeLensParams) -> list[types.CodeLens]:
    """A lens without a text for each definition of an open document."""
    if session.ready.is_set() and not session.settings.blame.code_lens:
        return []
    uri = params.text_document.uri
    document = session.documents.get(uri)
    with quietly("code lenses"):
        if document is None:
            return []
        asked, lines = Asked.now(session, uri), tuple(document.lines)
        await session.ready.wait()
        if not session.settings.blame.code_lens:
            return []
        await _require_repository(session, asked)
        return [
            _lens(uri, asked.version, symbol, lines[symbol.start_line], session.encoding)
            for symbol in await _symbols(session, asked)
            if symbol.start_line < len(lines)
        ]
    return []


def _lens(
    uri: str, version: int | None, symbol: Symbol, text: str, encoding: str
) -> types.CodeLens:
    line, end = symbol.start_line, units(text.rstrip(LINE_ENDINGS), encoding)
    data = _LensData(
        uri=uri,
        version=version,
        symbol=symbol.name,
        start_line=line,
        end_line=max(line, symbol.end_line - 1),
    )
    place = types.Range(types.Position(line, 0), types.Position(line, end))
    return types.CodeLens(range=place, data=write_result(data))


async def _require_repository(session: Session, asked: Asked) -> None:
    """Raises GitError for a file outside every repository."""
    settings = await asked.place.folder.settled()
    path = asked.place.path
    await session.pools.files.run(lambda _: session.repositories.of(path, settings))


async def _symbols(session: Session, asked: Asked) -> list[Symbol]:
    live = await asked.place.folder.live()
    path, text = asked.place.relative, asked.text or ""
    return list(
        await session.pools.index.run(lambda cancellation: live.symbols(path, text, cancellation))
    )


async def resolve_code_lens(session: Session, lens: types.CodeLens) -> types.CodeLens:
    """The same lens with its authors and their last change, where that is known."""
    with quietly("code lens"):
        data = read_params(_LensData, cast("Any", lens.data))
        asked = Asked.now(session, data.uri)
        lines = await _lines_now(session, asked, data)
        if lines is None:
            return lens
        try:
            blame = await blame_text(session, asked, *lines)
        except (PathNotTrackedError, NoCommitsYetError):
            lens.command = _NOTHING_COMMITTED
        else:
            lens.command = _command(blame, data.uri, lines, session.settings.blame.date_format)
    return lens


def _command(
    blame: Blame, uri: str, lines: tuple[int, int], date_format: DateFormat
) -> types.Command:
    title = _title(blame, date_format, time.time())
    if title is None:
        return _NOTHING_COMMITTED
    start, end = ({"line": line, "character": 0} for line in (lines[0], lines[1] + 1))
    argument = {"uri": uri, "range": {"start": start, "end": end}}
    return types.Command(title=title, command=_HISTORY, arguments=[argument])


async def _lines_now(session: Session, asked: Asked, data: _LensData) -> tuple[int, int] | None:
    """The definition's lines in the text as it is now; None where it is gone."""
    if asked.version == data.version:
        return data.start_line, data.end_line
    same = [one for one in await _symbols(session, asked) if one.name == data.symbol]
    if not same:
        return None
    nearest = min(same, key=lambda one: abs(one.start_line - data.start_line))
    return nearest.start_line, max(nearest.start_line, nearest.end_line - 1)


def _title(blame: Blame, date_format: DateFormat, now: float) -> str | None:
    """`Ann and 2 others, 3 weeks ago`: who wrote most of the lines, and the last change.

    None where no line is committed.
    """
    lines: Counter[str] = Counter()
    committed = [
        (hunk, commit)
        for hunk in blame.result.hunks
        if (commit := blame.commit_of(hunk)) is not None
    ]
    for hunk, commit in committed:
        lines[commit.author.name] += hunk.end_line - hunk.start_line + 1
    if not committed:
        return None
    names = [name for name, _ in lines.most_common()]
    others = len(names) - 1
    who = names[0]
    if others:
        who = f"{who} and {others} other{'' if others == 1 else 's'}"
    if len(committed) < len(blame.result.hunks):
        return f"{who}, uncommitted changes"
    last = max((commit for _, commit in committed), key=lambda commit: commit.author.time)
    return f"{who}, {date_text(last, date_format, now)}"
