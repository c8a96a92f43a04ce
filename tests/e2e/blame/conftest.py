"""An editor that shows everything there is of blame, for a whole module."""

import pytest
import pytest_asyncio

from tests.e2e.blame_editor import ABLE, close, settings
from tests.e2e.editor import Editor
from tests.e2e.project import CACHE, make_project


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blame") / "project"
    make_project(folder)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(module_environment, folder):
    """An editor that can do everything, and has everything switched on."""
    on = settings(inlayHints="visible", codeLens=True, format="{author} {date}: {summary} {{{id}}}")
    editor = await Editor(on).open(module_environment, [folder], ABLE)
    await editor.ready()
    yield editor
    assert not editor.messages
    await editor.close()


@pytest.fixture
def buffer(editor, folder):
    uri = editor.open_text(folder / "src/cache.py", CACHE)
    yield uri
    close(editor, uri)
