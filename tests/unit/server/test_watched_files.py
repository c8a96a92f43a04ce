"""What the client's watcher sees is gathered; what it watches follows the folders."""

import asyncio
from typing import Any

import pytest
from lsprotocol import types

from codeintel_ls.server.client import Client
from codeintel_ls.server.folders import Folder, Folders
from codeintel_ls.server.protocol import Routes
from codeintel_ls.server.watched_files import LONGEST_SECONDS, QUIET_SECONDS, WatchedFiles
from tests.unit.server.talking import Talk


class Watching:
    """Watched files, with what was told and what was sent."""

    def __init__(self, **capabilities: bool) -> None:
        self.talk = Talk(Routes(requests={}, notifications={}))
        self.client = Client(self.talk.protocol)
        watched = types.DidChangeWatchedFilesClientCapabilities(**capabilities)
        workspace = types.WorkspaceClientCapabilities(did_change_watched_files=watched)
        self.client.capabilities = types.ClientCapabilities(workspace=workspace)
        self.told: list[set[str]] = []
        self.heard = asyncio.Event()
        self.files = WatchedFiles(self.client, self.talk.protocol.in_background, self._tell)
        self.folders = Folders(_never, _never)

    async def _tell(self, uris: set[str]) -> None:
        self.told.append(uris)
        self.heard.set()

    def folder(self, name: str) -> Folder:
        folder = self.folders.add(f"file:///work/{name}")
        assert folder is not None
        return folder

    def watched(self) -> list[tuple[Any, str]]:
        """Base and pattern of what is registered at first."""
        found = []
        for registration in self.files.registrations(self.folders):
            options = registration.register_options
            assert isinstance(options, types.DidChangeWatchedFilesRegistrationOptions)
            for watcher in options.watchers:
                pattern = watcher.glob_pattern
                if isinstance(pattern, types.RelativePattern):
                    found.append((pattern.base_uri, pattern.pattern))
                else:
                    found.append((None, pattern))
        return found


async def _never(_: Any) -> Any:
    await asyncio.Event().wait()


async def until_told(watching: Watching) -> None:
    await asyncio.wait_for(watching.heard.wait(), LONGEST_SECONDS * 4)


async def test_thousands_of_notifications_are_told_once() -> None:
    watching = Watching()
    for number in range(5000):
        watching.files.changed([f"file:///work/a/f{number}.py", "file:///work/a/same.py"])
        if number % 100 == 0:
            await asyncio.sleep(0)
    assert watching.told == []
    await until_told(watching)
    await asyncio.sleep(QUIET_SECONDS * 2)
    (uris,) = watching.told
    assert len(uris) == 5001


async def test_changes_that_never_pause_are_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("codeintel_ls.server.watched_files.QUIET_SECONDS", 3600.0)
    monkeypatch.setattr("codeintel_ls.server.watched_files.LONGEST_SECONDS", 0.1)
    watching = Watching()
    watching.files.changed(["file:///work/a/f.py"])
    watching.files.changed(["file:///work/a/g.py"])
    await until_told(watching)
    assert watching.told == [{"file:///work/a/f.py", "file:///work/a/g.py"}]


async def test_what_git_keeps_for_itself_is_left_out() -> None:
    watching = Watching()
    watching.files.changed(["file:///work/a/.git/index.lock"])
    watching.files.changed(["file:///work/a/.git/HEAD", "file:///work/a/.gitignore"])
    await until_told(watching)
    assert watching.told == [{"file:///work/a/.gitignore"}]


async def test_a_client_that_cannot_register_is_not_asked() -> None:
    watching = Watching(relative_pattern_support=True)
    folder = watching.folder("a")
    assert watching.watched() == []
    watching.files.folder_added(folder)
    watching.files.folder_removed(folder)
    await watching.talk.settle()
    assert watching.talk.sent == []


async def test_without_relative_patterns_one_pattern_is_for_all_folders() -> None:
    watching = Watching(dynamic_registration=True)
    folder = watching.folder("a")
    assert watching.watched() == [(None, "**/*")]
    watching.files.folder_added(folder)
    watching.files.folder_removed(folder)
    await watching.talk.settle()
    assert watching.talk.sent == []


async def test_with_relative_patterns_what_is_watched_follows_the_folders() -> None:
    watching = Watching(dynamic_registration=True, relative_pattern_support=True)
    first = watching.folder("a")
    watching.files.folder_added(first)
    assert watching.watched() == [("file:///work/a", "**/*")]
    await watching.talk.settle()
    assert watching.talk.sent == []
    second = watching.folder("b")
    watching.files.folder_added(second)
    watching.files.folder_removed(second)
    watching.files.folder_removed(first)
    await watching.talk.settle()
    added, *removed = watching.talk.sent
    assert added["method"] == "client/registerCapability"
    (registration,) = added["params"]["registrations"]
    assert registration["method"] == "workspace/didChangeWatchedFiles"
    (watcher,) = registration["registerOptions"]["watchers"]
    assert watcher["globPattern"] == {"baseUri": "file:///work/b", "pattern": "**/*"}
    assert [one["method"] for one in removed] == ["client/unregisterCapability"] * 2
    ids = [one["params"]["unregisterations"][0]["id"] for one in removed]
    assert ids[0] == registration["id"]
    assert len({*ids}) == 2
    for message in watching.talk.sent:
        watching.talk.send(id=message["id"], result=None)
    await watching.talk.settle()
    assert watching.talk.protocol._request_futures == {}
