"""Positions in UTF-8, UTF-16 and UTF-32, with characters outside the BMP."""

import attrs
import pytest
from lsprotocol import types

from codeintel_ls.server.uris import uri_from_path
from tests.e2e.editor import CAPABILITIES, Editor
from tests.e2e.project import commit, new_repository, write

LAST = "    return '😀é漢'"
TEXT = f"def smile():\n{LAST}"
UNITS = {"utf-8": 22, "utf-16": 17, "utf-32": 16}


def capabilities(*encodings: str) -> types.ClientCapabilities:
    kinds = [types.PositionEncodingKind(encoding) for encoding in encodings]
    general = types.GeneralClientCapabilities(position_encodings=kinds)
    return attrs.evolve(CAPABILITIES, general=general)


@pytest.mark.parametrize("encoding", UNITS)
async def test_ranges_and_edits(environment, tmp_path, encoding):
    folder = new_repository(tmp_path / "smile")
    write(folder, {"smile.py": TEXT})
    commit(folder, "Smile")
    editor = await Editor().open(environment, [folder], capabilities(encoding))
    assert editor.initialized_with is not None
    assert editor.initialized_with.capabilities.position_encoding == encoding
    await editor.ready()
    (hit,) = await editor.search("smile")
    assert hit["range"] == {
        "start": {"line": 0, "character": 0},
        "end": {"line": 1, "character": UNITS[encoding]},
    }
    uri = editor.open_text(folder / "smile.py", TEXT)
    end = UNITS[encoding]
    # Takes the last three characters away and puts them back: the text is the commit's again,
    # which it is only if both edits met the right places.
    width = {"utf-8": 6, "utf-16": 3, "utf-32": 3}[encoding]
    params = {"uri": uri, "startLine": 0, "endLine": 1}
    editor.change_text(uri, 2, ((1, end - width, 1, end), ""))
    changed = await editor.call("request", "blameRange", params)
    editor.change_text(uri, 3, ((1, end - width, 1, end - width), "é漢'"))
    restored = await editor.call("request", "blameRange", params)
    assert [hunk["commit"] is None for hunk in changed["hunks"]] == [False, True]
    assert [hunk["commit"] is None for hunk in restored["hunks"]] == [False]
    assert uri == uri_from_path(folder / "smile.py")
    await editor.close()
