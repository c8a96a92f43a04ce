"""Two folders in one window: their hits stand in one list, each where it belongs."""

from pathlib import Path

import pytest

from tests.e2e.editor import DOORS, Editor
from tests.e2e.project import make_project, write

pytestmark = pytest.mark.asyncio

LAMP: dict[str, str | bytes] = {
    "lamp.py": 'def turn(lamp):\n    """Rotate the light of the tower."""\n    lamp.angle += 1\n',
    "notes.py": "NOTES = []\n",
}


@pytest.mark.parametrize("door", DOORS)
async def test_what_one_folder_has_stands_before_the_best_of_what_has_nothing(
    environment: dict[str, str], tmp_path: Path, door: str
) -> None:
    make_project(tmp_path / "project")
    write(tmp_path / "harbour", LAMP)
    editor = await Editor().open(environment, [tmp_path / "project", tmp_path / "harbour"])
    try:
        await editor.ready()
        for question, first in (
            ("rotate the light", "lamp.py"),
            ("wait longer after each failure", "src/retry.py"),
            ("refuse clients that ask too often", "src/server.go"),
        ):
            found = await editor.call(door, "semanticSearch", {"query": question, "limit": 100})
            hits = found["hits"]
            assert hits[0]["path"] == first
            scores = [hit["score"] for hit in hits]
            assert scores == sorted(scores, reverse=True)
            # The best of the other folder is told to be no such thing.
            mine = hits[0]["uri"].rpartition(first)[0]
            others = [hit["score"] for hit in hits if not hit["uri"].startswith(mine)]
            assert others
            assert max(others) < 0.8
    finally:
        await editor.close()
