"""Hover, inlay hints and code lenses, on unsaved text too; all features where there is nothing."""

import asyncio
import json
from urllib.parse import unquote

import pytest
from lsprotocol import types

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.blame_editor import (
    ABLE,
    actions,
    arguments_of,
    close,
    command_of,
    execute,
    hints,
    hover_at,
    lenses,
    links,
    settings,
    span,
    tooltip_of,
)
from tests.e2e.conftest import environment_in
from tests.e2e.editor import Editor, eventually
from tests.e2e.project import ADDED, CACHE, commit, git, new_repository, write
from tests.e2e.slow_git import SlowGit
from tests.e2e.test_cancelling import cancelled

pytestmark = pytest.mark.asyncio(loop_scope="module")

LINES = CACHE.splitlines()


# -- hover ---------------------------------------------------------------------------------------


async def test_a_hover_has_links_to_commands_for_a_client_that_trusts_them(editor, folder, buffer):
    last = git(folder, "rev-parse", "HEAD")
    first = git(folder, "rev-list", "--max-parents=0", "HEAD")
    text = await editor.hover(buffer, 3)
    assert text is not None
    assert f"(https://github.com/example/project/commit/{first})" in text
    asked = {
        command: json.loads(unquote(argument.split(")")[0]))
        for command, argument in (link.split("?", 1) for link in text.split("(command:")[1:])
    }
    here = {"start": {"line": 3, "character": 0}, "end": {"line": 4, "character": 0}}
    assert asked["codeintel.fileHistory"] == [{"uri": buffer, "range": here}]
    then = uri_from_path(folder / "src/old.py")
    assert asked["codeintel.openFileAtRevision"] == [{"uri": then, "commit": first}]
    assert last not in text
    for command, arguments in asked.items():
        await editor.ask("workspace/executeCommand", types.ExecuteCommandParams(command, arguments))


async def test_hovering_only_at_the_end_of_a_line(module_environment, folder):
    editor = await Editor(settings(hover="lineEnd")).open(module_environment, [folder])
    line = 4
    text = CACHE.replace(LINES[line], '    """😀 it forgets."""')
    uri = editor.open_text(folder / "src/cache.py", text)
    end = len(text.splitlines()[line].encode("utf-16-le")) // 2
    assert await hover_at(editor, uri, line, 0) is None
    assert await hover_at(editor, uri, line, end - 2) is None
    for character in (end - 1, end, end + 50):
        assert await hover_at(editor, uri, line, character) == "Not committed yet"
    assert await hover_at(editor, uri, 10_000, 0) is None
    plain = await hover_at(editor, uri, 0, 80)
    assert plain is not None
    assert "command:" not in plain
    editor.set_configuration({"codeintel": {"blame": {"hover": "off"}}})
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))

    async def gone():
        return await hover_at(editor, uri, 0, 80) is None

    await eventually(gone)
    await editor.close()


# -- inlay hints ---------------------------------------------------------------------------------


async def test_hints_stand_where_another_commit_begins(editor, folder, buffer):
    last = git(folder, "rev-parse", "HEAD")[:10]
    found = await hints(editor, buffer, 0, len(LINES))
    changed = [number for number, line in enumerate(LINES) if "seconds" in line]
    assert [hint.position.line for hint in found] == [0, changed[0], changed[-1] + 1]
    assert found[1].label == f"Grace Example 2020-09-13: Call it seconds {{{last}}}"
    assert all(hint.position.character == len(LINES[hint.position.line]) for hint in found)
    assert tooltip_of(found[1]).startswith("**Grace Example** · 2020-09-13 · ")
    inside = await hints(editor, buffer, changed[0] + 1, changed[-1] + 1)
    assert inside == []


async def test_hints_follow_the_buffer_and_stand_in_units_of_the_client(editor, buffer):
    editor.change_text(buffer, 2, ((0, 0, 0, 0), "# 😀\n"))
    found = await hints(editor, buffer, 0, 3)
    assert [(hint.position.line, hint.position.character) for hint in found] == [
        (0, 4),
        (1, len(LINES[0])),
    ]
    assert found[0].label == "You, not committed yet"
    assert tooltip_of(found[0]) == "Not committed yet"


async def test_a_hint_for_the_cursors_line_alone(module_environment, folder):
    line_only = settings(inlayHints="line", format="{id}")
    editor = await Editor(line_only).open(module_environment, [folder], ABLE)
    uri = editor.open_text(folder / "src/cache.py", CACHE)
    first = git(folder, "rev-list", "--max-parents=0", "HEAD")[:10]
    for end in ((3, 0), (2, 5)):
        (hint,) = await hints(editor, uri, 2, *end)
        assert (hint.position.line, hint.label) == (2, first)
    assert await hints(editor, uri, 2, 4) == []
    await editor.close()


async def test_hints_are_off_until_set_and_the_client_is_told_when_that_changes(
    module_environment, folder
):
    editor = Editor({"": {"codeintel": {}}})
    asked_again: list[str] = []
    for method in (types.WORKSPACE_INLAY_HINT_REFRESH, types.WORKSPACE_CODE_LENS_REFRESH):
        editor.feature(method)(lambda _params, method=method: asked_again.append(method))
    await editor.open(module_environment, [folder], ABLE)
    uri = editor.open_text(folder / "src/cache.py", CACHE)
    assert await hints(editor, uri, 0, 10) == []
    assert await lenses(editor, uri) == []
    editor.set_configuration({"codeintel": {"blame": {"inlayHints": "visible"}}})
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    await eventually(lambda: len(asked_again) == 2)
    assert len(await hints(editor, uri, 0, 10)) == 3
    await editor.close()


async def test_a_wrong_template_is_named(module_environment, folder):
    editor = await Editor(settings(format="{autor}: {summary}")).open(module_environment, [folder])
    await editor.call("request", "printDebugInformation")
    (message,) = await eventually(lambda: editor.messages)
    assert "blame.format" in message.message
    assert "{autor}, which is no placeholder" in message.message
    await editor.close()


# -- code lens -----------------------------------------------------------------------------------


async def resolved(editor: Editor, lens: types.CodeLens) -> types.CodeLens:
    assert lens.command is None
    return await editor.code_lens_resolve_async(lens)


async def test_a_lens_tells_the_authors_of_a_definition(editor, folder, buffer):
    (lens,) = await lenses(editor, buffer)
    assert lens.range == types.Range(types.Position(3, 0), types.Position(3, len(LINES[3])))
    command = command_of(await resolved(editor, lens))
    assert command.title == "Ada Example and 1 other, 2020-09-13"
    assert command.command == "codeintel.fileHistory"
    page = await execute(editor, command)
    assert [entry["summary"] for entry in page["entries"]] == ["Call it seconds", "Add the project"]


async def test_lenses_follow_the_buffer(editor, buffer):
    (before,) = await lenses(editor, buffer)
    editor.change_text(buffer, 2, ((0, 0, 0, 0), "import time\n\n"))
    editor.change_text(buffer, 3, ((8, 0, 8, 0), "    # Seconds.\n"))
    (after,) = await lenses(editor, buffer)
    assert after.range.start.line == 5
    for lens in (before, after):
        command = command_of(await resolved(editor, lens))
        assert command.title == "Ada Example and 1 other, uncommitted changes"
        assert arguments_of(command)[0]["range"]["start"]["line"] == 5
    editor.change_text(buffer, 4, ((5, 6, 5, 19), "Forgetful"))
    (renamed,) = await lenses(editor, buffer)
    assert renamed.range.start.line == 5
    editor.change_text(buffer, 5, ((0, 0, 100, 0), ""))
    assert await lenses(editor, buffer) == []
    assert (await editor.code_lens_resolve_async(after)).command is None


async def test_a_file_that_was_saved_this_moment_has_its_lenses(editor, folder):
    text = "".join(
        f"def part_{number}():\n" + "".join(f"    step({line})\n" for line in range(30)) + "\n\n"
        for number in range(3)
    )
    write(folder, {"parts.py": text})
    uri = editor.open_text(folder / "parts.py", text)
    found = await lenses(editor, uri)
    assert [lens.range.start.line for lens in found] == [0, 33, 66]
    command = command_of(await resolved(editor, found[0]))
    assert (command.title, command.command) == ("Not committed yet", "")
    close(editor, uri)


# -- all of them ---------------------------------------------------------------------------------


async def test_nothing_is_no_error(module_environment, tmp_path):
    write(tmp_path / "plain", {"notes.py": "def remember():\n    pass  # 1234567a #12\n"})
    empty = new_repository(tmp_path / "empty")
    write(empty, {"draft.py": "def draft():\n    pass\n"})
    on = settings(inlayHints="visible", codeLens=True)
    editor = await Editor(on).open(module_environment, [tmp_path / "plain", empty], ABLE)
    await editor.ready()
    for place in (tmp_path / "plain/notes.py", empty / "draft.py", tmp_path / "elsewhere.py"):
        uri = editor.open_text(place, "def remember():\n    pass  # 1234567a #12\n")
        assert await hints(editor, uri, 0, 2) == []
        assert await links(editor, uri) == []
        assert await editor.hover(uri, 0) is None
        offered = {action.kind for action in await actions(editor, uri, span(0, 1))}
        assert offered <= {"codeintel.findSimilar", "codeintel.fileHistory"} | (
            {"codeintel.openFileAtRevision"} if place.parent == empty else set()
        )
        for lens in await lenses(editor, uri):
            assert place.parent == empty
            command = command_of(await editor.code_lens_resolve_async(lens))
            assert (command.title, command.command) == ("Not committed yet", "")
    for uri in ("untitled:1", uri_from_path(empty / "draft.py") + "x"):
        assert await hints(editor, uri, 0, 2) == []
        assert await lenses(editor, uri) == []
        assert await links(editor, uri) == []
    assert await hints(editor, uri_from_path(tmp_path / "plain/notes.py"), 5_000, 6_000) == []
    assert not editor.messages
    await editor.close()


async def test_a_folder_below_the_root_of_its_repository(module_environment, tmp_path):
    root = new_repository(tmp_path / "mono")
    git(root, "remote", "add", "origin", "git@gitlab.com:group/mono.git")
    write(root, {"app/src/old.py": CACHE, "other.py": "x = 1\n"})
    first = commit(root, "Begin")
    git(root, "mv", "app/src/old.py", "app/src/cache.py")
    commit(root, "Rename", time=ADDED + 10)
    editor = await Editor(settings()).open(module_environment, [root / "app"], ABLE)
    uri = editor.open_text(root / "app/src/cache.py", CACHE + "# !12\n")
    found = await actions(editor, uri, span(0, 0), only=["codeintel.openFileAtRevision"])
    action = await editor.code_action_resolve_async(found[0])
    then = uri_from_path(root / "app/src/old.py")
    assert arguments_of(command_of(action)) == [{"uri": then, "commit": first}]
    (request,) = await links(editor, uri)
    assert request.target == "https://gitlab.com/group/mono/-/merge_requests/12"
    await editor.close()


async def test_the_features_are_announced(editor):
    can = editor.initialized_with.capabilities
    assert can.inlay_hint_provider is not None
    assert can.code_lens_provider.resolve_provider is True
    assert can.document_link_provider.resolve_provider is True
    assert can.code_action_provider.resolve_provider is True
    assert set(can.code_action_provider.code_action_kinds) == {
        "codeintel.findSimilar",
        "codeintel.fileHistory",
        "codeintel.openCommit",
        "codeintel.openFileAtRevision",
    }


@pytest.mark.parametrize(
    ("method", "settings_needed"),
    [
        (types.TEXT_DOCUMENT_INLAY_HINT, {"inlayHints": "visible"}),
        (types.CODE_LENS_RESOLVE, {"codeLens": True}),
        (types.CODE_ACTION_RESOLVE, {}),
    ],
)
async def test_cancelling_ends_the_process_of_git(tmp_path, method, settings_needed):
    folder = new_repository(tmp_path / "app")
    write(folder, {"cache.py": CACHE})
    commit(folder, "Begin")
    slow = SlowGit(tmp_path)
    editor = await Editor(settings(**settings_needed)).open(
        slow.environment(environment_in(tmp_path)), [folder], ABLE
    )
    await editor.ready()
    uri = editor.open_text(folder / "cache.py", CACHE)
    if method == types.TEXT_DOCUMENT_INLAY_HINT:
        params: object = types.InlayHintParams(types.TextDocumentIdentifier(uri), span(0, 15))
    elif method == types.CODE_LENS_RESOLVE:
        (params,) = await lenses(editor, uri)
    else:
        params = (await actions(editor, uri, span(0, 0)))[-1]
    request = asyncio.wrap_future(editor.protocol.send_request(method, params, msg_id="slow"))
    await eventually(slow.runs)
    await cancelled(editor, request, "slow")
    await eventually(lambda: not slow.runs())
    await editor.close()
