"""The files that the editor watches for the server: what is asked for, and what comes of it."""

import pytest_asyncio
from attrs import evolve
from lsprotocol import types

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import CAPABILITIES, Editor, eventually
from tests.e2e.project import filler, make_project, write

assert CAPABILITIES.workspace is not None
RELATIVE = evolve(
    CAPABILITIES,
    workspace=evolve(
        CAPABILITIES.workspace,
        did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(
            dynamic_registration=True, relative_pattern_support=True
        ),
    ),
)
# The server's own watcher would hide what the editor's events do.
UNWATCHED = {"": {"codeintel": {"index": {"watch": False}}}}


class WatchingEditor(Editor):
    """Keeps what it is asked to watch."""

    def __init__(self) -> None:
        super().__init__(UNWATCHED)
        self.unregistered: list[str] = []
        self.feature(types.CLIENT_UNREGISTER_CAPABILITY)(
            lambda params: self.unregistered.extend(one.id for one in params.unregisterations)
        )

    def watched(self) -> list[object]:
        """The patterns that hold now."""
        return [
            watcher["globPattern"] if isinstance(watcher, dict) else watcher.glob_pattern
            for registration in self.registrations
            if registration.method == types.WORKSPACE_DID_CHANGE_WATCHED_FILES
            and registration.id not in self.unregistered
            for watcher in _watchers(registration.register_options)
        ]

    def tell(self, *uris: str) -> None:
        events = [types.FileEvent(uri, types.FileChangeType.Changed) for uri in uris]
        self.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams(events))

    def change_folders(self, added=(), removed=()) -> None:
        event = types.WorkspaceFoldersChangeEvent(list(added), list(removed))
        self.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))


def _watchers(options) -> list:
    return options["watchers"] if isinstance(options, dict) else options.watchers


def _base(pattern) -> str:
    return pattern["baseUri"] if isinstance(pattern, dict) else pattern.base_uri


@pytest_asyncio.fixture
async def folder(tmp_path):
    make_project(tmp_path / "project")
    return tmp_path / "project"


async def test_each_folder_is_watched_as_long_as_it_is_open(environment, folder, tmp_path):
    other = tmp_path / "other"
    write(other, {"a.py": "a = 1\n"})
    library = types.WorkspaceFolder(uri_from_path(other), "other")
    editor = WatchingEditor()
    await editor.open(environment, [folder], RELATIVE)
    await eventually(lambda: len(editor.watched()) == 1)
    editor.change_folders(added=[library])
    await eventually(lambda: len(editor.watched()) == 2)
    assert {_base(pattern) for pattern in editor.watched()} == {uri_from_path(folder), library.uri}
    editor.change_folders(removed=[library])
    await eventually(lambda: len(editor.watched()) == 1)
    assert _base(editor.watched()[0]) == uri_from_path(folder)
    await editor.close()


async def test_an_editor_without_relative_patterns_watches_all_its_folders(environment, folder):
    editor = WatchingEditor()
    await editor.open(environment, [folder])
    await eventually(lambda: editor.watched() == ["**/*"])
    await editor.close()


async def test_thousands_of_events_are_heeded_and_a_save_does_not_wait_for_them(
    environment, folder
):
    editor = WatchingEditor()
    await editor.open(environment, [folder], RELATIVE)
    await editor.ready()
    before = (await editor.call("request", "indexStatus"))["folders"][0]
    write(folder, {f"many/f{number}.py": filler(number) for number in range(300)})
    write(folder, {"src/retry.py": "def insist_politely():\n    pass\n"})
    retry = uri_from_path(folder / "src/retry.py")
    editor.text_document_did_save(
        types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(retry))
    )
    for number in range(5000):
        editor.tell(uri_from_path(folder / f"many/f{number % 300}.py"))

    async def saved():
        return bool(await editor.search("insist_politely", mode="lexical"))

    async def all_found():
        status = (await editor.call("request", "indexStatus"))["folders"][0]
        return status["files"] == before["files"] + 300 and status["pending"] == 0

    await eventually(saved)
    await eventually(all_found)
    await editor.close()
