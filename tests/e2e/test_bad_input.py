"""What cannot be right gets a clear error or an empty answer: no traceback, no wrong answer."""

from pathlib import Path

import pytest
import pytest_asyncio
from pygls.exceptions import JsonRpcException

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import DOORS, Editor
from tests.e2e.project import new_repository, write

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("door", DOORS),
]

INVALID, FAILED = -32602, -32803
LINES = {"startLine": 0, "endLine": 0}


@pytest.fixture(scope="module")
def folders(project, tmp_path_factory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("others")
    (base / "plain").mkdir()
    write(base / "plain", {"notes.py": "def remember():\n    pass\n"})
    new_repository(base / "empty")
    write(base / "empty", {"draft.py": "def draft():\n    pass\n"})
    return {"project": project, "plain": base / "plain", "empty": base / "empty"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(module_environment, folders):
    editor = await Editor().open(module_environment, list(folders.values()))
    await editor.ready()
    yield editor
    assert not editor.messages, "nothing of this may pop up before a person"
    await editor.close()


async def refused(editor: Editor, door: str, operation: str, params: object) -> tuple[int, str]:
    with pytest.raises(JsonRpcException) as caught:
        await editor.call(door, operation, params)
    assert caught.value.data is None
    assert "Traceback" not in caught.value.message
    assert "/tmp" not in caught.value.message
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "semanticSearch: `query` is missing"),
        ({"query": ""}, "semanticSearch: "),
        ({"query": "  \n"}, "semanticSearch: "),
        ({"query": "x" * 1_000_000}, "`query` must have at most"),
        ({"query": "x", "limit": 0}, "`limit` must be from 1 to 200"),
        ({"query": "x", "limit": 10**9}, "`limit` must be from 1 to 200"),
        ({"query": "x", "limit": True}, "`limit` must be an integer"),
        ({"query": "x", "limit": 1.0}, "`limit` must be an integer"),
        ({"query": "x", "limits": 1}, "`limits` is not a known field"),
        ({"query": "x", "globs": ["[z-a]"]}, "semanticSearch: "),
        ({"query": "x", "author": 1}, "`author` must be a string"),
        ({"query": "x", "changedSince": "some day"}, "semanticSearch: "),
        ({"query": "x", "folders": ["file:///elsewhere"]}, "outside every open folder"),
        ({"query": "x", "folders": ["https://example.org"]}, "must be a file URI"),
    ],
)
async def test_searches_that_cannot_be(editor, door, params, words):
    code, message = await refused(editor, door, "semanticSearch", params)
    assert (code, words in message) == (INVALID, True), message


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        ("project", "untracked.py"),
        ("project", "missing.py"),
        ("project", "logo.png"),
        ("project", "src"),
        ("plain", "notes.py"),
        ("empty", "draft.py"),
    ],
)
async def test_files_that_have_no_blame(editor, folders, door, folder, path):
    uri = uri_from_path(folders[folder] / path)
    assert (await refused(editor, door, "blameRange", {"uri": uri, **LINES}))[0] == FAILED
    assert await editor.hover(uri, 0) is None


@pytest.mark.parametrize(
    ("operation", "params", "code", "words"),
    [
        ("blameRange", {"startLine": 10**6, "endLine": 10**6}, None, "line"),
        ("blameRange", {"startLine": 5, "endLine": 2}, INVALID, "`endLine`"),
        ("blameRange", {"startLine": -1, "endLine": 2}, INVALID, "`startLine`"),
        ("blameRange", {"startLine": "0", "endLine": 2}, INVALID, "`startLine`"),
        ("fileHistory", {"limit": 0}, INVALID, "`limit`"),
        ("fileHistory", {"limit": 10**9}, INVALID, "`limit`"),
        ("fileHistory", {"cursor": "nonsense"}, INVALID, "fileHistory"),
        ("fileAtRevision", {"commit": "0" * 40}, FAILED, "names no commit"),
        ("fileAtRevision", {"commit": "no-such-branch"}, FAILED, "names no commit"),
        ("fileAtRevision", {"commit": "--output=x"}, FAILED, "names no commit"),
        ("fileAtRevision", {"commit": "-p"}, FAILED, "names no commit"),
        ("fileAtRevision", {"commit": ""}, FAILED, "names no commit"),
    ],
)
async def test_questions_about_a_file_that_cannot_be(
    editor, project, door, operation, params, code, words
):
    uri = uri_from_path(project / "src/cache.py")
    found, message = await refused(editor, door, operation, {"uri": uri, **params})
    assert found == code or (code is None and found in {INVALID, FAILED})
    assert words in message


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("blameRange", LINES),
        ("fileHistory", {}),
        ("fileAtRevision", {"commit": "HEAD"}),
        (
            "findSimilar",
            {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}},
        ),
    ],
)
@pytest.mark.parametrize("uri", ["file:///etc/passwd", "untitled:1", "", "file:///%00"])
async def test_files_outside_every_folder(editor, door, operation, params, uri):
    code, _ = await refused(editor, door, operation, {"uri": uri, **params})
    assert code == INVALID


async def test_links_that_leave_the_folder_are_not_followed_by_git(editor, project, door):
    link = project / "outside"
    if not link.is_symlink():
        link.symlink_to("/etc")
    uri = uri_from_path(link / "passwd")
    code, _ = await refused(editor, door, "fileAtRevision", {"uri": uri, "commit": "HEAD"})
    assert code == FAILED


@pytest.mark.parametrize(
    "place",
    [
        {"start": {"line": 2, "character": 0}, "end": {"line": 1, "character": 0}},
        {"start": {"line": 10**6, "character": 0}, "end": {"line": 10**6, "character": 5}},
    ],
)
async def test_similar_to_lines_that_are_not_there(editor, project, door, place):
    uri = uri_from_path(project / "src/cache.py")
    code, _ = await refused(editor, door, "findSimilar", {"uri": uri, "range": place})
    assert code == INVALID


async def test_history_of_files_without_history(editor, folders, door):
    for folder, path in (("plain", "notes.py"), ("empty", "draft.py"), ("project", "missing.py")):
        uri = uri_from_path(folders[folder] / path)
        assert (await refused(editor, door, "fileHistory", {"uri": uri}))[0] == FAILED


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "several folders are open"),
        ({"folder": "file:///elsewhere"}, "not the URI of an open folder"),
        ({"limit": 0}, "`limit`"),
        ({"limit": 10**9}, "`limit`"),
        ({"globs": "*.py"}, "`globs` must be a list"),
    ],
)
async def test_lists_that_cannot_be(editor, door, params, words):
    code, message = await refused(editor, door, "listPaths", params)
    assert (code, words in message) == (INVALID, True), message


async def test_a_path_that_leaves_the_folder_lists_nothing(editor, project, door):
    params = {"folder": uri_from_path(project), "path": "../.."}
    assert (await editor.call(door, "listPaths", params))["paths"] == []


async def test_the_folder_outside_git_and_the_empty_repository_are_searched(editor, door):
    found = await editor.call(door, "semanticSearch", {"query": "remember", "globs": ["notes.py"]})
    assert [hit["path"] for hit in found["hits"]] == ["notes.py"]
    found = await editor.call(door, "semanticSearch", {"query": "draft", "globs": ["draft.py"]})
    assert [hit["path"] for hit in found["hits"]] == ["draft.py"]


async def test_operations_that_do_not_exist(editor, door):
    with pytest.raises(JsonRpcException) as caught:
        await editor.call(door, "searchElsewhere", {"query": "x"})
    assert caught.value.code == (-32601 if door == "request" else INVALID)
