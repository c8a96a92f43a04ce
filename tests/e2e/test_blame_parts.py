"""`blameRange` in parts: every line once, committed or typed just now."""

import pytest

from tests.e2e.editor import DOORS, PartsEditor
from tests.e2e.project import CACHE, commit, make_project

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("door", DOORS)
async def test_parts_and_the_rest_make_up_the_answer(environment, tmp_path, door):
    folder = tmp_path / "project"
    make_project(folder)
    file = next(folder.rglob("cache.py"))
    file.write_text("# first\n" + CACHE + "# last\n")
    commit(folder, "Frame it", author="Zoe Later")
    editor = await PartsEditor().open(environment, [folder])
    try:
        uri = editor.open_text(file, "# typed\n" + file.read_text())
        lines = {"uri": uri, "startLine": 0, "endLine": 100}
        answer = await editor.call(door, "blameRange", {**lines, "partialResultToken": "parts"})
        whole = await editor.call(door, "blameRange", lines)
        parts = editor.parts["parts"]
        told = [hunk for part in parts for hunk in part["hunks"]]
        assert told
        pieces = [*told, *answer["hunks"]]
        expected = {
            line: (hunk["commit"], hunk["originalLine"] + line - hunk["startLine"])
            for hunk in whole["hunks"]
            for line in range(hunk["startLine"], hunk["endLine"] + 1)
        }
        seen: dict[int, tuple[str, int]] = {}
        for hunk in pieces:
            for line in range(hunk["startLine"], hunk["endLine"] + 1):
                assert line not in seen, "told twice"
                moved = line - hunk["startLine"]
                seen[line] = (hunk["commit"], hunk["originalLine"] + moved)
        assert seen == expected
        assert answer["hunks"][0]["commit"] is None
        commits = {name for part in [*parts, answer] for name in part["commits"]}
        assert commits == whole["commits"].keys()
        assert whole["cutOff"] == []
    finally:
        await editor.close()
