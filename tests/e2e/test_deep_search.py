"""The deep model through the server: what is known at once as a part, then the better order."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.editor import DOORS, PartsEditor
from tests.e2e.project import make_project, write

pytestmark = pytest.mark.asyncio

# So slow that it has not read the project while the test asks.
SLOWLY = '[search]\ndeep = "auto"\ndeep_percent = 1\n[index]\nworkers = 1\n'


@pytest.mark.parametrize("door", DOORS)
async def test_a_part_comes_at_once_and_the_answer_takes_its_place(
    environment: dict[str, str], tmp_path: Path, door: str
) -> None:
    write(tmp_path, {"config/codeintel-ls/config.toml": SLOWLY})
    make_project(tmp_path / "project")
    editor = await PartsEditor().open(environment, [tmp_path / "project"])
    try:
        await editor.ready()
        asked = {"query": "turn away visitors who come back too frequently", "limit": 3}
        plain = await editor.call(door, "semanticSearch", asked)
        answer: dict[str, Any] = {}
        parts: list[dict[str, Any]] = []
        # The model is loaded in the background.
        for number in range(600):
            token = f"parts {number}"
            answer = await editor.call(
                door, "semanticSearch", {**asked, "partialResultToken": token}
            )
            parts = editor.parts.get(token, [])
            if parts:
                break
        assert [part["hits"] for part in parts] == [plain["hits"]]
        assert len(answer["hits"]) == len(plain["hits"])
        assert answer["hits"] != plain["hits"]
        assert answer["freshness"]["refined"] < 1
    finally:
        await editor.close()
