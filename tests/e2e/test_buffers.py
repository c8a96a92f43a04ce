"""Unsaved text: blame, hover and history of lines follow the editor's buffer."""

import pytest
import pytest_asyncio
from lsprotocol import types

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import Editor
from tests.e2e.project import CACHE, commit, git, make_project, new_repository, write

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(module_environment, project):
    editor = await Editor().open(module_environment, [project])
    await editor.ready()
    yield editor
    assert not editor.messages
    await editor.close()


@pytest.fixture
def buffer(editor, project):
    uri = editor.open_text(project / "src/cache.py", CACHE)
    yield uri
    params = types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
    editor.text_document_did_close(params)


async def owners(editor: Editor, uri: str, lines: int) -> list[tuple[str | None, int]]:
    """The commit and the original line of every line."""
    params = {"uri": uri, "startLine": 0, "endLine": lines - 1}
    result = await editor.call("request", "blameRange", params)
    return [
        (hunk["commit"], hunk["originalLine"] + line - hunk["startLine"] if hunk["commit"] else -1)
        for hunk in result["hunks"]
        for line in range(hunk["startLine"], hunk["endLine"] + 1)
    ]


async def test_lines_typed_above_move_the_blame(editor, buffer):
    before = await owners(editor, buffer, 15)
    editor.change_text(buffer, 2, ((0, 0, 0, 0), "# new\n# lines\n"))
    after = await owners(editor, buffer, 17)
    assert after == [(None, -1), (None, -1), *before]
    params = {"uri": buffer, "startLine": 0, "endLine": 1}
    assert (await editor.call("request", "blameRange", params))["version"] == 2
    assert await editor.hover(buffer, 0) == "Not committed yet"


async def test_lines_that_are_deleted_and_changed(editor, buffer):
    before = await owners(editor, buffer, 15)
    editor.change_text(buffer, 2, ((1, 0, 3, 0), ""), ((4, 0, 4, 0), "    x = 1  # "))
    after = await owners(editor, buffer, 13)
    assert after[0] == before[0]
    assert after[4] == (None, -1)
    assert after[5:] == before[7:]


async def test_other_line_endings_change_nothing(editor, project):
    uri = uri_from_path(project / "src/cache.py")
    before = await owners(editor, uri, 15)
    editor.open_text(project / "src/cache.py", CACHE.replace("\n", "\r\n"))
    assert await owners(editor, uri, 15) == before
    editor.text_document_did_close(
        types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
    )


async def test_edits_and_requests_keep_their_order(editor, buffer):
    questions = []
    for version in range(2, 12):
        editor.change_text(buffer, version, ((0, 0, 0, 0), "#\n"))
        params = {"uri": buffer, "startLine": version - 1, "endLine": version - 1}
        questions.append(editor.begin("request", "blameRange", params))
    answers = [await question for question in questions]
    assert [answer["version"] for answer in answers] == list(range(2, 12))
    assert all(answer["hunks"][0]["originalLine"] == 0 for answer in answers)


async def test_history_of_lines_follows_the_buffer(editor, buffer):
    editor.change_text(buffer, 2, ((0, 0, 0, 0), "#\n" * 5))
    place = {"start": {"line": 11, "character": 0}, "end": {"line": 11, "character": 5}}
    page = await editor.call("request", "fileHistory", {"uri": buffer, "range": place})
    assert page["entries"][0]["summary"] == "Call it seconds"


async def test_similar_code_is_looked_for_with_the_text_of_the_buffer(editor, project):
    text = "def step_900(value):\n    return value\n"
    uri = editor.open_text(project / "never_saved.py", text)
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 0}}
    found = await editor.call("request", "findSimilar", {"uri": uri, "range": place, "limit": 3})
    assert all(hit["path"].startswith("steps/") for hit in found["hits"])


async def test_hover_shows_the_commit_as_markdown(editor, project):
    uri = uri_from_path(project / "src/cache.py")
    line = CACHE.splitlines().index("        self.entries = {}")
    text = await editor.hover(uri, line)
    assert text is not None
    assert text.startswith("**Ada Example** · ")
    assert "years ago" in text
    first = git(project, "rev-list", "--max-parents=0", "HEAD")
    assert f"(https://github.com/example/project/commit/{first})" in text
    assert "Add the project" in text
    assert "With \\*everything\\* in it\\." in text
    assert "secret" not in text


async def test_hover_is_nothing_where_there_is_no_blame(editor, project):
    for name in ("untracked.py", "missing.py", "logo.png"):
        assert await editor.hover(uri_from_path(project / name), 0) is None
    assert await editor.hover("untitled:1", 0) is None
    assert await editor.hover(uri_from_path(project / "src/cache.py"), 10_000) is None


async def test_workspace_symbols_by_meaning_begin_with_a_question_mark(editor, project):
    async def symbols(query):
        return await editor.workspace_symbol_async(types.WorkspaceSymbolParams(query))

    assert await symbols("evict") is None
    assert await symbols("?") is None
    found = await symbols("?drop entries whose time to live has passed")
    best = found[0]
    assert best.name == "ExpiringCache" or best.name.startswith("ExpiringCache.")
    assert best.kind in {types.SymbolKind.Class, types.SymbolKind.Method}
    assert best.location.uri == uri_from_path(project / "src/cache.py")


async def test_a_file_of_a_submodule_belongs_to_the_submodule(environment, tmp_path):
    library = new_repository(tmp_path / "library")
    write(library, {"lib.py": "def inner():\n    pass\n"})
    inner = commit(library, "Inner commit", author="Inner Author")
    make_project(tmp_path / "outer")
    git(tmp_path / "outer", "submodule", "add", "-q", str(library), "vendor/library")
    commit(tmp_path / "outer", "Add the submodule")
    editor = await Editor().open(environment, [tmp_path / "outer"])
    place = tmp_path / "outer" / "vendor" / "library" / "lib.py"
    assert await owners(editor, uri_from_path(place), 2) == [(inner, 0), (inner, 1)]
    assert "Inner Author" in (await editor.hover(uri_from_path(place), 0) or "")
    await editor.close()
