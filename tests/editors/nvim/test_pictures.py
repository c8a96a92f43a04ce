"""The README's pictures are what the plugin shows now: the words of each are looked for."""

import re
from html import unescape
from pathlib import Path

import pytest

from tests.editors.nvim.embedded import PLUGIN
from tests.editors.nvim.pictures import FOLDER, PICTURES, Look, draw, picture_project, runs, svg


def test_escape_sequences_become_looks() -> None:
    assert runs("a\x1b[1;38;2;1;2;3mb\x1b[0;48;5;196mc\x1b[mé") == [
        [
            (Look(), "a"),
            (Look(fore="#010203", bold=True), "b"),
            (Look(back="#ff0000"), "c"),
            (Look(), "é"),
        ]
    ]
    assert "&lt;" in svg("<", 1)


def words(picture: str) -> str:
    """The words in order; ages, ids and paths of a run are not those of another."""
    pieces = " ".join(unescape(piece) for piece in re.findall(r">([^<]*)</text>", picture))
    return " ".join(re.findall(r"[A-Za-z_]{4,}", re.sub(r"\b[0-9a-f]{8,}\b", "", pieces)))


def test_the_readme_shows_them_all() -> None:
    text = (PLUGIN / "README.md").read_text()
    assert set(re.findall(r"pictures/([\w-]+)\.svg", text)) == set(PICTURES)


@pytest.mark.parametrize("name", ["blame-file", "commit"])
def test_they_are_of_now(name: str, tmp_path: Path, environment: dict[str, str]) -> None:
    project = tmp_path / "project"
    picture_project(project)
    kept = (FOLDER / f"{name}.svg").read_text()
    assert words(draw(name, tmp_path / "nvim", project, environment)) == words(kept)
