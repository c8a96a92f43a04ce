"""Blames that outlive the process."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeintel_ls.git.blame import BlameEntry, FileBlame
from codeintel_ls.git.blame_files import BlameFiles

HEAD = "a" * 40
BLAME = FileBlame.of(
    [BlameEntry("b" * 40, 0, 3, 7, "a.txt"), BlameEntry("c" * 40, 5, 2, 0, "odd \udcff\n")]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blames"


def test_what_is_written_is_read_by_another_process(folder: Path):
    BlameFiles(folder).write("question", HEAD, BLAME)
    assert BlameFiles(folder).read("question") == (HEAD, BLAME)
    assert BlameFiles(folder).read("another") is None
    assert [place.suffix for place in folder.iterdir()] == [".blame"]
    assert folder.stat().st_mode & 0o077 == 0, "nobody else may read it"


def test_the_newest_answer_stays(folder: Path):
    files = BlameFiles(folder)
    files.write("question", HEAD, FileBlame())
    files.write("question", "d" * 40, BLAME)
    assert files.read("question") == ("d" * 40, BLAME)


@given(place=st.integers(0, 10_000), change=st.integers(1, 255), cut=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_count_as_not_there(folder: Path, place: int, change: int, cut: bool):
    files = BlameFiles(folder)
    files.write("question", HEAD, BLAME)
    (file,) = folder.iterdir()
    content = bytearray(file.read_bytes())
    place %= len(content)
    if cut:
        del content[place:]
    else:
        content[place] ^= change
    file.write_bytes(content)
    assert files.read("question") is None


def test_there_is_a_bound(folder: Path):
    files = BlameFiles(folder)
    for number in range(600):
        files.write(f"question {number}", HEAD, FileBlame())
    assert len(list(folder.iterdir())) <= 532
    assert files.read("question 599") is not None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path):
    (tmp_path / "file").touch()
    files = BlameFiles(tmp_path / "file")
    files.write("question", HEAD, BLAME)
    assert files.read("question") is None
