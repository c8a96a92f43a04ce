"""Code actions and document links, and what they open."""

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.e2e.blame_editor import (
    ABLE,
    actions,
    arguments_of,
    close,
    command_of,
    commands,
    execute,
    links,
    settings,
    span,
)
from tests.e2e.editor import Editor, eventually
from tests.e2e.project import CACHE, git

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINES = CACHE.splitlines()


# -- code actions --------------------------------------------------------------------------------


async def test_actions_without_a_known_blame_are_resolved(module_environment, folder):
    editor = await Editor(settings()).open(module_environment, [folder], ABLE)
    uri = editor.open_text(folder / "src/cache.py", CACHE)
    found = await actions(editor, uri, span(3, 3))
    assert [(action.kind, action.title) for action in found] == [
        ("codeintel.fileHistory", "Show history of this line"),
        ("codeintel.openCommit", "Open the commit on GitHub"),
        ("codeintel.openFileAtRevision", "Show this file at the line's commit"),
    ]
    assert [action.command is None for action in found] == [False, True, True]
    first = git(folder, "rev-list", "--max-parents=0", "HEAD")
    page, then = [await editor.code_action_resolve_async(action) for action in found[1:]]
    assert arguments_of(command_of(page)) == [{"uri": uri, "commit": first}]
    known = {action.title for action in await actions(editor, uri, span(3, 3))}
    assert {f"Open commit {first[:10]} on GitHub", f"Show this file at {first[:10]}"} <= known
    for action, shown, external in (
        (page, f"https://github.com/example/project/commit/{first}", True),
        (then, "codeintel-git:/src/old.py?", False),
    ):
        result = await execute(editor, command_of(action))
        assert result["shown"] is True
        assert result["uri"].startswith(shown)
        assert editor.shown_documents[-1].uri == result["uri"]
        assert bool(editor.shown_documents[-1].external) is external
    content = await editor.ask(
        types.WORKSPACE_TEXT_DOCUMENT_CONTENT,
        types.TextDocumentContentParams(editor.shown_documents[-1].uri),
    )
    text = content["text"] if isinstance(content, dict) else content.text
    assert text == CACHE.replace("seconds", "ttl")
    editor.change_text(uri, 2, ((0, 0, 0, 0), "\n"))
    with pytest.raises(JsonRpcException, match="changed meanwhile"):
        await editor.code_action_resolve_async(found[1])
    await editor.close()


async def test_a_selection_can_be_searched_for(editor, buffer):
    found = await actions(editor, buffer, span(3, 9))
    (similar,) = [action for action in found if action.kind == "codeintel.findSimilar"]
    result = await execute(editor, command_of(similar))
    assert result["hits"]


async def test_only_what_is_asked_for_is_offered(editor, buffer):
    async def kinds(
        only: list[str] | None = None, trigger_kind: types.CodeActionTriggerKind | None = None
    ) -> set[str | None]:
        found = await actions(editor, buffer, span(3, 9), only=only, trigger_kind=trigger_kind)
        return {action.kind for action in found}

    automatic = types.CodeActionTriggerKind.Automatic
    everything = await kinds()
    assert "codeintel.fileHistory" in everything
    assert await kinds(only=["codeintel"]) == everything
    assert await kinds(only=["codeintel.findSimilar"]) == {"codeintel.findSimilar"}
    assert await kinds(only=["quickfix"]) == set()
    assert await kinds(only=["codeintel.find"]) == set()
    assert await kinds(trigger_kind=automatic) == set()
    assert await kinds(trigger_kind=automatic, only=["codeintel"]) == everything


async def test_a_client_without_literals_gets_commands(module_environment, folder):
    editor = await Editor().open(module_environment, [folder])
    uri = editor.open_text(folder / "src/cache.py", CACHE)
    found = await commands(editor, uri, span(0, 2))
    assert {command.command for command in found} == {
        "codeintel.findSimilar",
        "codeintel.fileHistory",
    }
    await editor.hover(uri, 0)
    await eventually(lambda: _offers_commit(editor, uri))
    result = await editor.call(
        "command", "openCommit", {"uri": uri, "commit": git(folder, "rev-parse", "HEAD")}
    )
    assert result["shown"] is False
    assert result["uri"].startswith("https://github.com/")
    await editor.close()


async def _offers_commit(editor: Editor, uri: str) -> bool:
    found = await commands(editor, uri, span(0, 0))
    return "codeintel.openCommit" in {command.command for command in found}


async def test_no_page_is_opened_that_is_not_known(editor, folder, buffer):
    before = list(editor.shown_documents)
    for wrong in ("not-a-commit", "../../evil", "a" * 5):
        with pytest.raises(JsonRpcException, match="no site is known"):
            await editor.call("request", "openCommit", {"uri": buffer, "commit": wrong})
    with pytest.raises(JsonRpcException, match="names no commit"):
        await editor.call("request", "openFileAtRevision", {"uri": buffer, "commit": "f" * 40})
    assert editor.shown_documents == before


# -- document links ------------------------------------------------------------------------------


async def test_commits_and_issues_are_links(editor, folder):
    head = git(folder, "rev-parse", "HEAD")
    number = next(length for length in range(7, 41) if not head[:length].isdigit())
    short = head[: max(number, next(at for at, one in enumerate(head, 1) if one.isdigit()))]
    text = f"😀 see {short}, {head} and #12 (GH-7); deadbeef1 0xdeadbeef1 #a1b2c3d4 !5 /x/abc1234\n"
    uri = editor.open_text(folder / "notes.md", text)
    found = await links(editor, uri)
    wide = text.encode("utf-16-le")

    def words(link: types.DocumentLink) -> str:
        start, end = link.range.start.character, link.range.end.character
        return wide[2 * start : 2 * end].decode("utf-16-le")

    assert [words(link) for link in found] == [short, head, "#12", "GH-7", "deadbeef1"]
    issues = "https://github.com/example/project/issues/"
    assert [link.target for link in found[2:4]] == [f"{issues}12", f"{issues}7"]
    for link, commit_id in zip(found[:2], (short, head), strict=True):
        assert link.target is None
        there = await editor.document_link_resolve_async(link)
        assert there.target == f"https://github.com/example/project/commit/{commit_id}"
    assert (await editor.document_link_resolve_async(found[4])).target is None
    editor.change_text(uri, 2, ((0, 0, 0, 0), "#34\n"))
    assert (await links(editor, uri))[0].target == f"{issues}34"
    close(editor, uri)


async def test_links_are_bounded(editor, folder):
    uri = editor.open_text(folder / "many.md", "#1 " * 2_000)
    assert len(await links(editor, uri)) == 500
    close(editor, uri)
    uri = editor.open_text(folder / "many.md", "#1 " + "x" * 1_000_000)
    assert await links(editor, uri) == []
    close(editor, uri)
