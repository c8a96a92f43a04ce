"""`textDocument/codeAction` and `codeAction/resolve`: what can be asked about a line or selection.

Every action is one of our commands, so that the server itself can run it where a client does not
show results in its own way. Invariant: offering actions runs no git: what is not known yet is
found out by `resolve`, when somebody has chosen.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from attrs import frozen
from lsprotocol import types
from pygls.capabilities import get_capability

from codeintel_ls.errors import CodeIntelError
from codeintel_ls.git import GitError
from codeintel_ls.server.blame import Asked, Blame, blame_text, source_of
from codeintel_ls.server.quietly import quietly
from codeintel_ls.server.search import lines_of_range
from codeintel_ls.server.session import Session
from codeintel_ls.server.showing import uri_then
from codeintel_ls.server.site import Site
from codeintel_ls.server.validation import read_params, write_result

FIND_SIMILAR: Final = "codeintel.findSimilar"
HISTORY: Final = "codeintel.fileHistory"
OPEN_COMMIT: Final = "codeintel.openCommit"
FILE_THEN: Final = "codeintel.openFileAtRevision"
KINDS: Final = (FIND_SIMILAR, HISTORY, OPEN_COMMIT, FILE_THEN)
"""The kinds of our actions, which are the names of their commands."""


class NothingToShowError(CodeIntelError):
    """A chosen action came to nothing."""


@frozen(kw_only=True)
class _ActionData:
    """What an action needs to be resolved: its command and the line of a document's version."""

    command: str
    uri: str
    version: int | None
    line: int


@frozen
class _Here:
    """What was asked about: the lines (inclusive) of a file, and the range as it came."""

    asked: Asked
    uri: str
    range: types.Range
    first: int
    last: int


async def code_action(
    session: Session, params: types.CodeActionParams
) -> Sequence[types.CodeAction | types.Command]:
    """Actions for the range; none where the editor asks by itself, at every move of the cursor."""
    kinds = _wanted(params.context)
    if not kinds:
        return []
    actions: list[types.CodeAction] = []
    with quietly("code actions"):
        uri = params.text_document.uri
        here = _Here(Asked.now(session, uri), uri, params.range, *lines_of_range(params.range))
        if params.range.start != params.range.end:
            actions.append(_action(FIND_SIMILAR, "Find similar code", _place(here)))
        if kinds - {FIND_SIMILAR}:
            actions += await _history_actions(session, here)
    wanted = [action for action in actions if action.kind in kinds]
    if session.client.can("text_document.code_action.code_action_literal_support"):
        return wanted
    return [action.command for action in wanted if action.command is not None]


def _wanted(context: types.CodeActionContext) -> frozenset[str]:
    """The kinds that are asked for: all of them where none are named and a person asks."""
    if context.only is None:
        automatic = context.trigger_kind is types.CodeActionTriggerKind.Automatic
        return frozenset() if automatic else frozenset(KINDS)
    named = [str(getattr(kind, "value", kind)) for kind in context.only]
    return frozenset(
        kind
        for kind in KINDS
        if any(not name or kind == name or kind.startswith(f"{name}.") for name in named)
    )


async def _history_actions(session: Session, here: _Here) -> list[types.CodeAction]:
    """What there is to ask of git; nothing outside a repository."""
    try:
        source = await source_of(session, here.asked, here.first, here.first)
    except GitError:
        return []
    many = here.last > here.first
    history = f"Show history of {'these lines' if many else 'this line'}"
    actions = [_action(HISTORY, history, _place(here))]
    site = await session.pools.files.run(lambda _: Site.of(source.client))
    if source.known:
        blame = await _blame(session, here)
        return actions if blame is None else actions + _known_actions(here, blame, site)
    if _resolves(session):
        if site is not None:
            actions.append(_unresolved(OPEN_COMMIT, f"Open the commit on {site.name}", here))
        actions.append(_unresolved(FILE_THEN, "Show this file at the line's commit", here))
    return actions


def _known_actions(here: _Here, blame: Blame, site: Site | None) -> list[types.CodeAction]:
    actions: list[types.CodeAction] = []
    for command, argument, short in _arguments(here, blame):
        if command == OPEN_COMMIT and site is not None:
            actions.append(_action(command, f"Open commit {short} on {site.name}", argument))
        elif command == FILE_THEN:
            actions.append(_action(command, f"Show this file at {short}", argument))
    return actions


def _arguments(here: _Here, blame: Blame) -> list[tuple[str, Mapping[str, Any], str]]:
    """The commands about the commit of the first line, their argument, and its short id."""
    hunk = next(iter(blame.result.hunks), None)
    commit = blame.commit_of(hunk) if hunk is not None else None
    if hunk is None or commit is None:
        return []
    found: list[tuple[str, Mapping[str, Any], str]] = []
    if blame.urls.get(commit.id, "").startswith("https://"):
        found.append((OPEN_COMMIT, {"uri": here.uri, "commit": commit.id}, commit.short_id))
    then = uri_then(here.asked.place, blame, hunk.original_path)
    if then is not None:
        found.append((FILE_THEN, {"uri": then, "commit": commit.id}, commit.short_id))
    return found


async def _blame(session: Session, here: _Here) -> Blame | None:
    try:
        return await blame_text(session, here.asked, here.first, here.first)
    except GitError:
        return None


async def resolve_code_action(session: Session, action: types.CodeAction) -> types.CodeAction:
    """The chosen action with its command.

    Raises CodeIntelError, which tells the person who chose it why it cannot be done.
    """
    if action.command is not None:
        return action
    data = read_params(_ActionData, cast("Any", action.data))
    asked = Asked.now(session, data.uri)
    if asked.version != data.version:
        raise NothingToShowError("The document has changed meanwhile: ask for its actions again.")
    line = types.Position(data.line, 0)
    here = _Here(asked, data.uri, types.Range(line, line), data.line, data.line)
    blame = await blame_text(session, asked, data.line, data.line)
    for command, argument, short in _arguments(here, blame):
        if command == data.command:
            action.command = _command(command, f"{action.title} ({short})", argument)
            return action
    raise NothingToShowError("This line is not committed yet, or its commit has nothing to show.")


def _resolves(session: Session) -> bool:
    name = "text_document.code_action.resolve_support.properties"
    properties = get_capability(session.client.capabilities, name, ())
    return "command" in properties and session.client.can("text_document.code_action.data_support")


def _place(here: _Here) -> Mapping[str, Any]:
    start, end = here.range.start, here.range.end
    return {
        "uri": here.uri,
        "range": {
            "start": {"line": start.line, "character": start.character},
            "end": {"line": end.line, "character": end.character},
        },
    }


def _command(command: str, title: str, argument: Mapping[str, Any]) -> types.Command:
    return types.Command(title=title, command=command, arguments=[argument])


def _action(command: str, title: str, argument: Mapping[str, Any]) -> types.CodeAction:
    return types.CodeAction(title=title, kind=command, command=_command(command, title, argument))


def _unresolved(command: str, title: str, here: _Here) -> types.CodeAction:
    data = _ActionData(command=command, uri=here.uri, version=here.asked.version, line=here.first)
    return types.CodeAction(title=title, kind=command, data=write_result(data))
