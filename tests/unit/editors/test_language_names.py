"""The VS Code extension knows languages by the ids that the server gives them."""

import json
import re
from pathlib import Path

from codeintel_ls.index.languages import PLAIN_TEXT, language_of

_SOURCE = Path(__file__).parents[3] / "editors" / "vscode" / "src" / "search" / "languageNames.ts"
_ENTRY = re.compile(r'^  "?([^":\s]+)"?: (\[[^\]]*\]),$', re.MULTILINE)


def test_names_that_are_file_endings_mean_what_the_server_says() -> None:
    entries = {name: json.loads(ids) for name, ids in _ENTRY.findall(_SOURCE.read_text("utf-8"))}
    assert entries["py"] == ["python"]
    wrong = {
        name: (ids, language_of(f"file.{name}"))
        for name, ids in entries.items()
        if language_of(f"file.{name}") not in {*ids, PLAIN_TEXT}
    }
    assert not wrong
