"""A search that a running server answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from codeintel_ls.cli.search_shared import search_shared
from codeintel_ls.daemon.client import AnsweredError, DaemonClient

PARAMS = {"query": "cart", "globs": [], "languages": []}


class FakeServer:
    """Has found a place, but may not index."""

    def operation(self, name: str, params: Mapping[str, Any], report: object = None) -> Any:
        if name == "updateIndex":
            raise AnsweredError("Indexing of app is switched off.", -32803)
        place = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}
        hit = {"path": "cart.py", "range": place, "score": 1.0, "stale": False}
        hit |= {"snippet": "class Cart", "snippetStartLine": 0}
        return {"hits": [hit], "freshness": {"complete": False, "pending": 0}}

    def close(self) -> None:
        pass


def test_what_there_is_is_searched_where_the_index_cannot_be_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(DaemonClient, "open", lambda *_, **__: FakeServer())
    assert search_shared(tmp_path, PARAMS, as_json=False) == 0
    shown = capsys.readouterr()
    assert "cart.py:1" in shown.out
    assert "warning: Indexing of app is switched off. The answer comes from" in shown.err
