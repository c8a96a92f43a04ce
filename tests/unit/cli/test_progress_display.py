"""How far indexing has come: the pace, the plain lines, the bar."""

import re
import sys
from pathlib import Path

import pytest

from codeintel_ls.cli.progress_display import Pace, duration, shown_progress
from tests.unit.cli.command_line import CommandLine
from tests.unit.cli.conftest import Call


def test_the_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert pace.parts == []
    for second in range(61):
        pace.note(float(second), second * 10, 100_000)
    assert pace.parts == ["10 files/s", "2 h 46 min left"]
    for second in range(61, 121):
        pace.note(float(second), 600 + (second - 60) * 100, 10_000)
    assert pace.parts == ["100 files/s", "34 s left"]


def test_a_pace_is_told_once_it_is_no_guess() -> None:
    pace = Pace()
    pace.note(1.0, 0, 100)
    assert pace.parts == []
    pace.note(1.1, 48, 100)
    assert pace.parts == []
    pace.note(6.0, 48, 100)
    assert pace.parts == ["9.6 files/s", "5 s left"]
    pace.note(33.0, 48, 100)
    assert pace.parts == []
    pace.note(37.0, 96, 100)
    assert pace.parts == ["1.5 files/s", "3 s left"]
    pace.note(38.0, 100, 100)
    assert [part for part in pace.parts if "left" in part] == []


def test_what_begins_anew_has_a_pace_of_its_own() -> None:
    pace = Pace()
    pace.note(0.0, 0, 100)
    pace.note(10.0, 100, 100)
    pace.note(11.0, 0, 500)
    assert pace.parts == []
    pace.note(12.0, 50, 500)
    assert pace.parts == ["50 files/s", "9 s left"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (8.4, "8 s"),
        (99.4, "99 s"),
        (100, "2 min"),
        (3_569, "59 min"),
        (3_599, "1 h 0 min"),
        (4_800, "1 h 20 min"),
        (4_000_000, "1,111 h 7 min"),
    ],
)
def test_durations_are_as_exact_as_they_are_of_use(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_shares_are_not_told_as_files(capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress("app", few_too=False, noun="") as progress:
        for done in (0, 50, 100):
            progress(done, 100, "Indexing")
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["Indexing app", "Indexing: 50 %"]
    assert re.fullmatch(r"Indexed app in [\d.]+ s", told[2])


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(600):
        body = "\n".join(f"def function_{number}_{line}(): ..." for line in range(20))
        (folder / f"file_{number}.py").write_text(body)
    return folder


def test_plain_lines_tell_rate_and_time_left(call: Call, many: Path) -> None:
    told = call("index", folder=many).err.splitlines()
    assert told[0] == "Indexing 600 files of many"
    tenths = [line for line in told if "%" in line]
    shape = r"Indexing: \d+ % \(\d+ of 600 files(, [\d,.]+ files/s(, .+ left)?)?\)"
    assert [line for line in tenths if re.fullmatch(shape, line) is None] == []
    assert any(line.endswith(" left)") for line in tenths)


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")
@pytest.mark.parametrize("columns", ["60", "100"])
def test_the_bar_tells_rate_and_time_left(many: Path, tmp_path: Path, columns: str) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    shown = CommandLine(many, environment).on_terminal("index", COLUMNS=columns)
    assert shown.status == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.out)
    assert re.search(r"Indexing many .*/600 +[\d,.]+ files/s +\d+ s left", plain)
    # What has been shown of it is taken away at the end.
    assert "many: 600 files read" in plain.splitlines()[-4]
