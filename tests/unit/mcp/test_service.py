"""Calls of tools, asked of a daemon that is told what to answer."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codeintel_ls.daemon.client import AnsweredError
from codeintel_ls.mcp.service import Report, ToolService

HIT = {
    "uri": "file:///app/cart.py",
    "path": "cart.py",
    "range": {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}},
    "snippet": "class Cart",
    "stale": False,
}


class FakeSession:
    """Finds one place, and does not index."""

    async def operation(
        self, name: str, params: Mapping[str, Any], report: Report | None = None
    ) -> Any:
        if name == "updateIndex":
            raise AnsweredError("Indexing of app is switched off.", -32803)
        return {"hits": [HIT], "freshness": {"complete": True, "pending": 0}}

    async def close(self) -> None:
        pass


async def test_a_search_goes_on_where_the_index_cannot_be_brought_up_to_date(tmp_path: Path):
    async def open_session(folders: Sequence[Path]) -> FakeSession:
        return FakeSession()

    async def report(done: float, total: float | None, message: str) -> None: ...

    service = ToolService(open_session)
    answer = await service.call("semantic_search", {"query": "cart"}, [tmp_path], report)
    assert answer.text.splitlines()[0].startswith("cart.py:1")
    assert answer.text.splitlines()[-1].startswith("Note: Indexing of app is switched off.")
