"""A commit made elsewhere: the editor is told to ask again, and the open file is blamed already."""

from functools import partial

import attrs
import pytest
from lsprotocol import types

from tests.e2e.editor import CAPABILITIES, Editor, eventually
from tests.e2e.project import CACHE, commit, git, make_project

pytestmark = pytest.mark.asyncio

REFRESHING = attrs.evolve(
    CAPABILITIES,
    workspace=attrs.evolve(
        CAPABILITIES.workspace,
        inlay_hint=types.InlayHintWorkspaceClientCapabilities(refresh_support=True),
    ),
)
UNWATCHED = {"": {"codeintel": {"index": {"watch": False}}}}


@pytest.mark.parametrize("configuration", [None, UNWATCHED], ids=["watched", "polled"])
async def test_a_commit_made_elsewhere_is_noticed(environment, tmp_path, configuration):
    folder = tmp_path / "project"
    make_project(folder)
    file = next(folder.rglob("cache.py"))
    editor = Editor(configuration)
    refreshed: list[object] = []
    editor.feature(types.WORKSPACE_INLAY_HINT_REFRESH)(partial(refreshed.append))
    await editor.open(environment, [folder], REFRESHING)
    try:
        await editor.ready()
        uri = editor.open_text(file, CACHE)
        assert "Not committed" not in (await editor.hover(uri, 0) or "")
        # Known from now on: what comes later has moved.
        await editor.call("request", "indexStatus", {})
        before = len(refreshed)
        git(folder, "commit", "-q", "--allow-empty", "-m", "Nothing", author="Zoe")
        file.write_text(CACHE + "# more\n")
        commit(folder, "Add a line", author="Zoe Later")
        await eventually(lambda: len(refreshed) > before)
        editor.change_text(uri, 2, ((len(CACHE.splitlines()), 0) * 2, "# more\n"))
        shown = await editor.hover(uri, len(CACHE.splitlines()))
        assert shown is not None
        assert "Zoe Later" in shown
    finally:
        await editor.close()
