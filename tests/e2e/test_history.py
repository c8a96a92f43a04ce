"""History of files and folders through LSP: parts as they come, diffs as documents, links."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import DOORS, SECONDS, Editor, PartsEditor
from tests.e2e.project import git

pytestmark = pytest.mark.asyncio(loop_scope="module")
OPTIONS = {"git": {"commitUrl": "https://view.example.org/{host}/{path}?h={commit}"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(module_environment, project):
    editor = await PartsEditor({"codeintel": OPTIONS}).open(
        module_environment, [project], options=OPTIONS
    )
    await editor.ready()
    yield editor
    await editor.close()


async def document(editor: Editor, path: str, **query: object) -> str:
    asked = quote(json.dumps(query), safe="")
    params = types.TextDocumentContentParams(f"codeintel-git:/{path}?{asked}")
    answer = await editor.ask(types.WORKSPACE_TEXT_DOCUMENT_CONTENT, params)
    return answer["text"] if isinstance(answer, dict) else answer.text


@pytest.mark.parametrize("door", DOORS)
async def test_entries_come_as_parts(editor: PartsEditor, project: Path, door: str):
    token = f"history-{door}"
    params = {"uri": uri_from_path(project / "src/cache.py"), "limit": 2}
    whole = await editor.call(door, "fileHistory", params)
    rest = await editor.call(door, "fileHistory", {**params, "partialResultToken": token})
    parts = editor.parts[token]
    assert [entry for part in parts for entry in part["entries"]] == whole["entries"]
    assert all(set(part) == {"entries"} for part in parts)
    assert rest == {"entries": [], "nextCursor": whole["nextCursor"]}


@pytest.mark.parametrize("door", DOORS)
async def test_a_folder_and_the_whole_repository(editor: Editor, project: Path, door: str):
    page = await editor.call(door, "fileHistory", {"uri": uri_from_path(project), "limit": 2})
    assert [entry["summary"] for entry in page["entries"]] == [
        "Call it seconds",
        "Rename the cache",
    ]
    assert {(entry["path"], entry["status"]) for entry in page["entries"]} == {(".", "M")}
    params = {"uri": uri_from_path(project / "steps")}
    (added,) = (await editor.call(door, "fileHistory", params))["entries"]
    assert (added["path"], added["additions"], added["deletions"]) == ("steps", 60, 0)


async def test_what_a_commit_did_to_a_file_is_a_document(editor: Editor, project: Path):
    folder = uri_from_path(project)
    diff = await document(editor, "src/cache.py", commit="HEAD", folder=folder, diff=True)
    assert "\n-    def __init__(self, ttl):\n" in diff
    assert "\n+    def __init__(self, seconds):\n" in diff
    text = await document(editor, "src/cache.py", commit="HEAD", folder=folder, diff=False)
    assert text == (project / "src/cache.py").read_text()
    binary = await document(editor, "logo.png", commit="HEAD~2", folder=folder, diff=True)
    assert binary.endswith("Binary files /dev/null and b/logo.png differ\n")
    for wrong in ({"diff": 1}, {"diff": "true"}, {"patch": True}):
        with pytest.raises(JsonRpcException):
            await document(editor, "src/cache.py", commit="HEAD", folder=folder, **wrong)


async def test_the_users_template_makes_the_links(editor: Editor, project: Path):
    head = git(project, "rev-parse", "HEAD")
    url = f"https://view.example.org/github.com/example/project?h={head}"
    place = uri_from_path(project / "src/cache.py")
    entries = (await editor.call("request", "fileHistory", {"uri": place, "limit": 1}))["entries"]
    assert entries[0]["url"] == url
    blamed = await editor.call(
        "request", "blameRange", {"uri": place, "startLine": 0, "endLine": 9}
    )
    assert blamed["commits"][head]["url"] == url


async def test_no_part_comes_after_the_answer_to_a_cancelled_request(editor, project):
    parts = editor.parts["stopped"] = []
    params = {"uri": uri_from_path(project), "partialResultToken": "stopped", "limit": 1000}
    request = editor.begin("request", "fileHistory", params, "stopped")
    editor.cancel_request(types.CancelParams(id="stopped"))
    # On a slow machine it may be done before the cancelling arrives.
    with suppress(JsonRpcException):
        await asyncio.wait_for(request, SECONDS)
    told = len(parts)
    await editor.call("request", "fileHistory", {"uri": uri_from_path(project)})
    assert len(parts) == told
