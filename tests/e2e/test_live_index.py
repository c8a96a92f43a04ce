"""The index follows the files: saves, creations, renames, deletions, changes from outside."""

import pytest
import pytest_asyncio
from lsprotocol import types

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import Editor, eventually
from tests.e2e.project import make_project, write

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live") / "project"
    make_project(folder)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(module_environment, folder):
    # The watcher has tests of its own: here it would hide what the editor's events do.
    configuration = {"": {"codeintel": {"index": {"watch": False}}}}
    editor = await Editor(configuration).open(module_environment, [folder])
    await editor.ready()
    yield editor
    await editor.close()


async def paths(editor: Editor, words: str) -> list[str]:
    hits = await editor.search(words, mode="lexical")
    return [hit["path"] for hit in hits if words in hit["snippet"]]


async def found_in(editor: Editor, words: str, path: str) -> None:
    async def found():
        return await paths(editor, words) == [path]

    await eventually(found)


async def test_a_save_is_found_and_the_old_text_is_not(editor, folder):
    assert await paths(editor, "retry_with_backoff") == ["src/retry.py"]
    text = (folder / "src/retry.py").read_text().replace("retry_with_backoff", "insist_politely")
    (folder / "src/retry.py").write_text(text)
    uri = uri_from_path(folder / "src/retry.py")
    editor.text_document_did_save(
        types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri))
    )
    assert await paths(editor, "retry_with_backoff") == []
    await found_in(editor, "insist_politely", "src/retry.py")


async def test_files_are_created_renamed_and_deleted(editor, folder):
    write(folder, {"src/fresh.py": "def quokka_counter():\n    return 0\n"})
    fresh, moved = uri_from_path(folder / "src/fresh.py"), uri_from_path(folder / "src/moved.py")
    editor.workspace_did_create_files(types.CreateFilesParams([types.FileCreate(fresh)]))
    await found_in(editor, "quokka_counter", "src/fresh.py")
    (folder / "src/fresh.py").rename(folder / "src/moved.py")
    editor.workspace_did_rename_files(types.RenameFilesParams([types.FileRename(fresh, moved)]))
    await found_in(editor, "quokka_counter", "src/moved.py")
    (folder / "src/moved.py").unlink()
    editor.workspace_did_delete_files(types.DeleteFilesParams([types.FileDelete(moved)]))
    assert await paths(editor, "quokka_counter") == []

    async def forgotten():
        listed = await editor.call("request", "listPaths", {"path": "src"})
        return "src/moved.py" not in listed["paths"]

    await eventually(forgotten)


async def test_a_directory_is_deleted_whole(editor, folder):
    write(folder, {"extra/one.py": "wombat = 1\n", "extra/two.py": "numbat = 2\n"})
    await editor.call("request", "updateIndex", {"uris": [uri_from_path(folder / "extra")]})
    assert await paths(editor, "wombat") == ["extra/one.py"]
    for path in (folder / "extra").iterdir():
        path.unlink()
    (folder / "extra").rmdir()
    gone = types.FileDelete(uri_from_path(folder / "extra"))
    editor.workspace_did_delete_files(types.DeleteFilesParams([gone]))

    async def forgotten():
        listed = await editor.call("request", "listPaths", {"path": "extra"})
        return listed["paths"] == []

    await eventually(forgotten)


async def test_watched_files_are_hints(editor, folder):
    write(folder, {"src/watched.py": "def bandicoot():\n    pass\n"})
    event = types.FileEvent(uri_from_path(folder / "src/watched.py"), types.FileChangeType.Created)
    outside = types.FileEvent("file:///elsewhere/x.py", types.FileChangeType.Created)
    editor.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([outside, event]))
    await found_in(editor, "bandicoot", "src/watched.py")


async def test_update_index_answers_when_the_files_can_be_found(editor, folder):
    write(folder, {"src/asked.py": "def echidna():\n    pass\n"})
    uri = uri_from_path(folder / "src/asked.py")
    await editor.call("command", "updateIndex", {"uris": [uri]})
    assert await paths(editor, "echidna") == ["src/asked.py"]


async def test_folders_come_and_go(editor, folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "library"
    write(other, {"platypus.py": "def platypus():\n    pass\n"})
    library = types.WorkspaceFolder(uri_from_path(other), "library")

    def change(added=(), removed=()):
        event = types.WorkspaceFoldersChangeEvent(list(added), list(removed))
        editor.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))

    change(added=[library])
    await editor.call("request", "updateIndex", {"uris": [library.uri]})
    hits = await editor.search("platypus", mode="lexical")
    assert [hit["uri"] for hit in hits] == [uri_from_path(other / "platypus.py")]
    both = (await editor.call("request", "indexStatus"))["folders"]
    assert [status["uri"] for status in both] == [uri_from_path(folder), library.uri]
    change(removed=[library])
    assert await editor.search("platypus", mode="lexical") == []
    change(added=[library])
    change(removed=[library])
    assert len((await editor.call("request", "indexStatus"))["folders"]) == 1


async def test_nested_folders_show_a_place_once_and_own_what_is_theirs(editor, folder):
    nested = types.WorkspaceFolder(uri_from_path(folder / "steps"), "steps")
    event = types.WorkspaceFoldersChangeEvent([nested], [])
    editor.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
    await editor.ready()
    hits = await editor.search("step_7", mode="lexical", limit=50)
    uris = [hit["uri"] for hit in hits if "step_7" in hit["snippet"]]
    assert uris == [uri_from_path(folder / "steps/step_7.py")]
    params = {"query": "pipeline", "folders": [nested.uri]}
    found = await editor.call("request", "semanticSearch", params)
    assert all("/" not in hit["path"] for hit in found["hits"])
    event = types.WorkspaceFoldersChangeEvent([], [nested])
    editor.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))


async def test_changes_from_outside_the_editor_are_noticed(environment, tmp_path):
    folder = tmp_path / "outside"
    write(folder, {"one.py": "def cassowary():\n    pass\n"})
    editor = await Editor().open(environment, [folder])
    await editor.ready()
    write(folder, {"two.py": "def kookaburra():\n    pass\n", "one.py": "def emu():\n    pass\n"})
    await found_in(editor, "kookaburra", "two.py")
    await found_in(editor, "emu", "one.py")
    assert await paths(editor, "cassowary") == []
    await editor.close()
