"""What a server finds when it starts: a damaged cache, settings that are wrong."""

import pytest
from lsprotocol import types

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import Editor, eventually
from tests.e2e.project import write


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "app", {"notes.py": "def remember():\n    pass\n"})
    return tmp_path / "app"


async def test_a_cache_that_is_damaged_is_set_aside_and_said_so(folder, tmp_path, environment):
    first = await Editor().open(environment, [folder])
    await first.ready()
    await first.close()
    databases = [path for path in (tmp_path / "cache").rglob("*") if path.suffix == ".sqlite3"]
    assert databases
    for database in databases:
        database.write_bytes(b"this is no database" * 1_000)
    second = await Editor().open(environment, [folder])
    await second.ready()
    (status,) = (await second.call("request", "indexStatus"))["folders"]
    assert status["notices"]
    assert [hit["path"] for hit in await second.search("remember")] == ["notes.py"]
    await eventually(lambda: any(one["health"] == "warning" for one in second.statuses))
    await second.close()


async def test_settings_that_are_wrong_are_shown_once_and_the_rest_holds(folder, environment):
    write(folder, {".codeintel.toml": '[search]\nlimit = "many"\nsnippet_lines = 1\n'})
    configuration = {"": {"codeintel": {"search": {"limit": 0}, "blame": {"hoover": True}}}}
    editor = await Editor(configuration).open(environment, [folder])
    await editor.ready()
    await editor.search("remember")
    shown = " ".join(message.message for message in editor.messages)
    assert all(message.type == types.MessageType.Warning for message in editor.messages)
    for words in ("search.limit", "blame.hoover", "blame.hover"):
        assert words in shown
    assert shown.count("hoover") == 1
    hits = await editor.search("remember")
    assert hits[0]["path"] == "notes.py"
    assert "\n" not in hits[0]["snippet"].strip("\n")
    editor.set_configuration({"codeintel": {"blame": {"hoover": True}}})
    before = len(editor.messages)
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    await editor.call("request", "printDebugInformation")
    assert len(editor.messages) == before
    assert {one.method for one in editor.registrations} == {
        types.WORKSPACE_DID_CHANGE_CONFIGURATION,
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
    }
    await editor.close()


async def test_initialization_options_and_pushed_settings_hold(folder, environment):
    capabilities = types.ClientCapabilities()
    options = {"search": {"workspaceSymbols": "always"}}
    editor = await Editor().open(environment, [folder], capabilities, options)
    await editor.ready()

    async def symbols():
        return await editor.workspace_symbol_async(types.WorkspaceSymbolParams("remember"))

    assert [symbol.name for symbol in await symbols() or ()] == ["remember"]
    settings = {"codeintel": {"search": {"workspaceSymbols": "off"}}}
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings))

    async def silent():
        return await symbols() is None

    await eventually(silent)
    assert editor.progress_reports == {}
    assert not editor.registrations
    await editor.close()


async def test_a_folder_that_is_not_there_fails_alone(folder, environment):
    editor = await Editor().open(environment, [folder / "gone", folder])
    statuses = (await editor.call("request", "indexStatus"))["folders"]
    assert [status["state"] == "failed" for status in statuses] == [True, False]
    assert "gone" in statuses[0]["lastError"]
    params = {"query": "remember", "folders": [uri_from_path(folder)]}
    await editor.call("request", "updateIndex", {"uris": [uri_from_path(folder)]})
    found = await editor.call("request", "semanticSearch", params)
    assert [hit["path"] for hit in found["hits"]] == ["notes.py"]
    await eventually(lambda: any(one["health"] == "error" for one in editor.statuses))
    await editor.close()
