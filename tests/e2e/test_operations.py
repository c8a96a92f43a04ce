"""Every operation through both of its doors."""

from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import orjson
import pytest
import pytest_asyncio
from lsprotocol import types

from codeintel_ls.server.operations import COMMANDS
from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import DOORS, Editor
from tests.e2e.project import CACHE, git

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("door", DOORS),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(module_environment, project):
    editor = await Editor().open(module_environment, [project])
    await editor.ready()
    yield editor
    await editor.close()


def uri(project: Path, path: str) -> str:
    return uri_from_path(project / path)


async def test_semantic_search_finds_the_place_with_its_range_and_snippet(editor, project, door):
    found = await editor.call(
        door, "semanticSearch", {"query": "drop entries whose time to live has passed"}
    )
    hit = found["hits"][0]
    assert (hit["uri"], hit["path"]) == (uri(project, "src/cache.py"), "src/cache.py")
    assert hit["language"] == "python"
    assert "time to live" in hit["snippet"]
    assert 0 <= hit["score"] <= 1
    assert not hit["stale"]
    lines = CACHE.splitlines()
    start, end = hit["range"]["start"], hit["range"]["end"]
    assert start["character"] == 0
    assert any("time to live" in line for line in lines[start["line"] : end["line"] + 1])
    assert found["freshness"]["complete"]
    assert found["freshness"]["pending"] == 0


async def test_semantic_search_heeds_its_parameters(editor, project, door):
    async def search(**params):
        return (await editor.call(door, "semanticSearch", {"query": "step", **params}))["hits"]

    assert {hit["language"] for hit in await search(languages=["go"])} == {"go"}
    assert all(hit["path"].startswith("steps/") for hit in await search(globs=["steps/**"]))
    assert all(not hit["path"].startswith("steps/") for hit in await search(globs=["!steps/**"]))
    below = await search(folders=[uri(project, "src")])
    assert below
    assert all(hit["path"].startswith("src/") for hit in below)
    five = await search(limit=5)
    assert len(five) == 5
    assert await search(limit=3, offset=2) == five[2:]
    assert all(hit["snippet"].count("\n") == 0 for hit in await search(snippetLines=1))
    explained = (await search(explain=True, mode="lexical", limit=1))[0]["explanation"]
    assert explained["lexicalRank"] == 1
    assert "explanation" not in five[0]


async def test_find_similar_leaves_the_place_itself_out(editor, project, door):
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 3, "character": 0}}
    found = await editor.call(
        door,
        "findSimilar",
        {"uri": uri(project, "steps/step_1.py"), "range": place, "limit": 5},
    )
    paths = [hit["path"] for hit in found["hits"]]
    assert len(paths) == 5
    assert "steps/step_1.py" not in paths
    assert all(path.startswith("steps/") for path in paths)


async def test_blame_range(editor, project, door):
    head = git(project, "rev-parse", "HEAD")
    result = await editor.call(
        door,
        "blameRange",
        {"uri": uri(project, "src/cache.py"), "startLine": 4, "endLine": 8},
    )
    hunks = result["hunks"]
    assert hunks[0]["startLine"] == 4
    assert hunks[-1]["endLine"] == 8
    assert all(one["endLine"] + 1 == two["startLine"] for one, two in pairwise(hunks))
    newest = result["commits"][head]
    assert newest["author"] == {
        "name": "Grace Example",
        "email": "author@example.org",
        "time": 1_600_000_200,
        "offset": 120,
    }
    assert newest["summary"] == "Call it seconds"
    assert newest["url"] == f"https://github.com/example/project/commit/{head}"
    assert newest["id"].startswith(newest["shortId"])
    assert result["version"] is None
    changed = next(hunk for hunk in hunks if hunk["commit"] == head)
    assert CACHE.splitlines()[changed["startLine"]] == "    def __init__(self, seconds):"
    older = next(hunk for hunk in hunks if hunk["commit"] != head)
    assert older["originalPath"] == "src/old.py"


async def test_file_history_follows_renames_in_pages(editor, project, door):
    params = {"uri": uri(project, "src/cache.py"), "limit": 2}
    page = await editor.call(door, "fileHistory", params)
    assert [entry["status"] for entry in page["entries"]] == ["M", "R"]
    assert page["entries"][0]["additions"] == 2
    assert page["entries"][1]["previousPath"] == "src/old.py"
    rest = await editor.call(door, "fileHistory", {**params, "cursor": page["nextCursor"]})
    assert [entry["status"] for entry in rest["entries"]] == ["A"]
    assert "nextCursor" not in rest
    alone = await editor.call(door, "fileHistory", {**params, "follow": False})
    assert [entry["path"] for entry in alone["entries"]] == ["src/cache.py"] * 2


async def test_file_history_of_lines(editor, project, door):
    place = {"start": {"line": 10, "character": 0}, "end": {"line": 12, "character": 0}}
    page = await editor.call(
        door, "fileHistory", {"uri": uri(project, "src/cache.py"), "range": place}
    )
    assert [entry["summary"] for entry in page["entries"]] == ["Add the project"]


async def test_file_at_revision(editor, project, door):
    first = git(project, "rev-list", "--max-parents=0", "HEAD")
    result = await editor.call(
        door, "fileAtRevision", {"uri": uri(project, "src/old.py"), "commit": first}
    )
    assert result == {"text": CACHE.replace("seconds", "ttl")}
    query = quote(orjson.dumps({"commit": first, "folder": uri_from_path(project)}), safe="")
    for encoded in (query, quote(query)):
        document = await editor.ask(
            types.WORKSPACE_TEXT_DOCUMENT_CONTENT,
            types.TextDocumentContentParams(f"codeintel-git:/src/old.py?{encoded}"),
        )
        assert (document["text"] if isinstance(document, dict) else document.text) == result["text"]


async def test_list_paths(editor, project, door):
    result = await editor.call(door, "listPaths")
    assert result["truncated"] is False
    assert {"src/cache.py", "src/server.go", "untracked.py"} <= set(result["paths"])
    assert "logo.png" not in result["paths"]
    some = await editor.call(
        door,
        "listPaths",
        {"folder": uri_from_path(project), "path": "steps", "globs": ["*_1*.py"], "limit": 3},
    )
    assert some == {
        "paths": ["steps/step_1.py", "steps/step_10.py", "steps/step_11.py"],
        "truncated": True,
    }


async def test_index_status(editor, project, door):
    (folder,) = (await editor.call(door, "indexStatus"))["folders"]
    assert folder["uri"] == uri_from_path(project)
    assert folder["state"] == "ready"
    assert folder["files"] == len((await editor.call(door, "listPaths"))["paths"])
    assert folder["chunks"] >= folder["files"]
    assert folder["pending"] == 0
    assert sum(folder["skipped"].values()) >= 1
    assert "lastError" not in folder


@pytest.mark.parametrize("operation", ["updateIndex", "rebuildIndex", "mergeIndexes"])
async def test_what_changes_the_index_answers_when_it_is_done(editor, project, door, operation):
    token = f"{operation}-{door}"
    editor.progress_reports[token] = []
    (folder,) = (await editor.call(door, operation, {"workDoneToken": token}))["folders"]
    assert folder["pending"] == 0
    kinds = [type(value) for value in editor.progress_reports[token]]
    assert kinds[0] is types.WorkDoneProgressBegin
    assert kinds[-1] is types.WorkDoneProgressEnd
    assert (await editor.search("drop entries whose time to live has passed"))[0][
        "path"
    ] == "src/cache.py"


async def test_print_debug_information(editor, door):
    text = (await editor.call(door, "printDebugInformation"))["text"]
    assert "codeintel-ls" in text
    assert "faiss" in text
    assert "search.limit = 20" in text
    assert "time to live" not in text


async def test_every_operation_is_advertised_as_a_command(editor, door):
    capabilities = editor.initialized_with.capabilities
    assert set(capabilities.execute_command_provider.commands) == set(COMMANDS)
    assert capabilities.workspace.text_document_content.schemes == ("codeintel-git",)
