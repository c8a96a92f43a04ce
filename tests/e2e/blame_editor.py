"""An editor that can do everything with blame, and how a test asks it for what it shows."""

from collections.abc import Sequence
from typing import Any

import attrs
from lsprotocol import types

from tests.e2e.editor import CAPABILITIES, Editor

ABLE = attrs.evolve(
    CAPABILITIES,
    text_document=types.TextDocumentClientCapabilities(
        hover=types.HoverClientCapabilities(content_format=[types.MarkupKind.Markdown]),
        document_link=types.DocumentLinkClientCapabilities(tooltip_support=True),
        code_action=types.CodeActionClientCapabilities(
            code_action_literal_support=types.ClientCodeActionLiteralOptions(
                code_action_kind=types.ClientCodeActionKindOptions(value_set=[])
            ),
            data_support=True,
            resolve_support=types.ClientCodeActionResolveOptions(properties=["edit", "command"]),
        ),
    ),
    window=types.WindowClientCapabilities(
        show_document=types.ShowDocumentClientCapabilities(support=True)
    ),
    workspace=attrs.evolve(
        CAPABILITIES.workspace,
        inlay_hint=types.InlayHintWorkspaceClientCapabilities(refresh_support=True),
        code_lens=types.CodeLensWorkspaceClientCapabilities(refresh_support=True),
    ),
    experimental={"codeintel": {"trustedMarkdown": True}},
)


def settings(**blame: object) -> dict[str, object]:
    return {"": {"codeintel": {"blame": {"dateFormat": "iso", **blame}}}}


def close(editor: Editor, uri: str) -> None:
    editor.text_document_did_close(
        types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
    )


def span(first: int, last: int, end: int = 0) -> types.Range:
    return types.Range(types.Position(first, 0), types.Position(last, end))


async def hints(
    editor: Editor, uri: str, first: int, last: int, end: int = 0
) -> list[types.InlayHint]:
    params = types.InlayHintParams(types.TextDocumentIdentifier(uri), span(first, last, end))
    found = await editor.text_document_inlay_hint_async(params)
    assert found is not None
    return list(found)


def tooltip_of(hint: types.InlayHint) -> str:
    assert isinstance(hint.tooltip, types.MarkupContent)
    return hint.tooltip.value


async def lenses(editor: Editor, uri: str) -> list[types.CodeLens]:
    params = types.CodeLensParams(types.TextDocumentIdentifier(uri))
    found = await editor.text_document_code_lens_async(params)
    assert found is not None
    return list(found)


async def _offered(
    editor: Editor, uri: str, place: types.Range, context: types.CodeActionContext
) -> Sequence[types.Command | types.CodeAction]:
    params = types.CodeActionParams(types.TextDocumentIdentifier(uri), place, context)
    found = await editor.text_document_code_action_async(params)
    assert found is not None
    return found


async def actions(
    editor: Editor,
    uri: str,
    place: types.Range,
    *,
    only: Sequence[str] | None = None,
    trigger_kind: types.CodeActionTriggerKind | None = None,
) -> list[types.CodeAction]:
    """What a client that knows code action literals is offered."""
    context = types.CodeActionContext(diagnostics=[], only=only, trigger_kind=trigger_kind)
    found: list[types.CodeAction] = []
    for one in await _offered(editor, uri, place, context):
        assert isinstance(one, types.CodeAction)
        found.append(one)
    return found


async def commands(editor: Editor, uri: str, place: types.Range) -> list[types.Command]:
    """What a client that knows no code action literals is offered."""
    found: list[types.Command] = []
    for one in await _offered(editor, uri, place, types.CodeActionContext(diagnostics=[])):
        assert isinstance(one, types.Command)
        found.append(one)
    return found


def command_of(one: types.CodeAction | types.CodeLens) -> types.Command:
    assert one.command is not None
    return one.command


def arguments_of(command: types.Command) -> list[Any]:
    assert command.arguments is not None
    return list(command.arguments)


async def execute(editor: Editor, command: types.Command) -> Any:
    params = types.ExecuteCommandParams(command.command, command.arguments)
    return await editor.ask(types.WORKSPACE_EXECUTE_COMMAND, params)


async def links(editor: Editor, uri: str) -> list[types.DocumentLink]:
    params = types.DocumentLinkParams(types.TextDocumentIdentifier(uri))
    found = await editor.text_document_document_link_async(params)
    assert found is not None
    return list(found)


async def hover_at(editor: Editor, uri: str, line: int, character: int) -> str | None:
    params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, character))
    found = await editor.text_document_hover_async(params)
    if found is None:
        return None
    assert isinstance(found.contents, types.MarkupContent)
    return found.contents.value
