"""The definitions of a file by their lines in an editor's buffer of it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.settings import Settings
from codeintel_ls.workspace import IndexingOffError, WorkspaceFolder

BODY = "".join(f"        self.step_{line}()\n" for line in range(30))
TEXT = (
    '"""Robots and their Arm."""\n\nimport math\n\n\n'
    "class Robot:\n    speed = 1\n\n"
    f"    def walk(self):\n{BODY}\n"
    f"    def turn(self):\n{BODY}\n\n"
    f"def Arm():\n{BODY.replace('        ', '    ')}"
)
LINES = TEXT.splitlines()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "robots"
    folder.mkdir()
    (folder / "robot.py").write_text(TEXT)
    return folder


Symbols = Callable[[str], list[tuple[str, str, int, int]]]


@pytest.fixture
def symbols(folder: WorkspaceFolder) -> Symbols:
    """What is found in a buffer of the file: name, kind, first and last line."""
    return lambda text: [
        (one.name, one.kind, one.start_line, one.end_line - 1)
        for one in folder.symbols("robot.py", text, Cancellation())
    ]


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(LINES) if text in line)


def test_each_begins_where_it_is_named_and_a_class_reaches_over_its_methods(
    symbols: Symbols,
) -> None:
    found = {name: (kind, first, last) for name, kind, first, last in symbols(TEXT)}
    assert list(found) == ["Robot", "Robot.walk", "Robot.turn", "Arm"]
    assert found["Robot"][:2] == ("class", line_of("class Robot"))
    assert found["Robot.walk"][:2] == ("method", line_of("def walk"))
    assert found["Arm"] == ("function", line_of("def Arm"), len(LINES) - 1)
    assert found["Robot"][2] >= found["Robot.turn"][2] > line_of("def turn")


def test_they_move_with_the_lines_of_the_buffer(symbols: Symbols) -> None:
    before = symbols(TEXT)
    moved = symbols(TEXT.replace("import math\n", "import math\nimport re\n"))
    assert moved == [(name, kind, first + 1, last + 1) for name, kind, first, last in before]
    typed = symbols(TEXT.replace("self.step_3()", "self.jump()\n        self.land()", 1))
    assert [one[2] for one in typed] == [
        before[0][2],
        before[1][2],
        *(first + 1 for _, _, first, _ in before[2:]),
    ]


def test_a_definition_whose_name_is_edited_stays_and_one_that_is_deleted_goes(
    symbols: Symbols,
) -> None:
    before = symbols(TEXT)
    renamed = symbols(TEXT.replace("def turn(", "def turn_round("))
    assert [one[2] for one in renamed] == [one[2] for one in before]
    arm = TEXT.index("def Arm")
    assert [one[0] for one in symbols(TEXT[:arm])] == ["Robot", "Robot.walk", "Robot.turn"]
    assert symbols("") == []


def test_what_was_written_this_moment_is_indexed_first(root: Path, symbols: Symbols) -> None:
    text = "import os\n" + TEXT
    (root / "robot.py").write_text(text)
    assert [one[2] for one in symbols(text)] == [one[2] + 1 for one in symbols(TEXT)]


@pytest.mark.parametrize("path", ["missing.py", "../robots/robot.py", "picture.png"])
def test_what_is_not_indexed_has_none(folder: WorkspaceFolder, root: Path, path: str) -> None:
    (root / "picture.png").write_bytes(b"\x89PNG\0\0")
    assert not folder.symbols(path, TEXT, Cancellation())


def test_nothing_is_indexed_against_the_settings(
    folder: WorkspaceFolder, settings: Settings, root: Path
) -> None:
    folder.configure(evolve(settings, index=evolve(settings.index, enabled=False)))
    (root / "robot.py").write_text(TEXT + "\n")
    with pytest.raises(IndexingOffError):
        folder.symbols("robot.py", TEXT, Cancellation())
