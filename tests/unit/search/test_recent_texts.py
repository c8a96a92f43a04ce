"""The texts that answers show: their lines, and when a file is read again."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.index.source import split_lines
from codeintel_ls.search.recent_texts import RecentText, RecentTexts

LONG_AGO = (1_000_000_000, 1_000_000_000)

texts = st.text(st.sampled_from("ab\n\r\té漢\U0001f600\u2028\x0b"), max_size=60)


@given(texts, st.integers(0, 12), st.integers(0, 12))
def test_lines_are_those_that_the_editor_numbers(text: str, start: int, height: int) -> None:
    read = RecentText.of(text, b"")
    end = start + height
    assert read.lines(start, end) == split_lines(text)[start:end]
    assert read.lines(start, end) == split_lines(text)[start:end], "asked twice"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "one.py"
    path.write_text("first = 1\n")
    os.utime(path, LONG_AGO)
    return path


def test_links_to_one_file_are_one_text(file: Path) -> None:
    """As package stores make them: thousands of links, few files."""
    recent, other = RecentTexts(grain_ns=0), file.with_name("other.py")
    other.hardlink_to(file)
    read = recent.read(file, 1_000)
    assert read is not None
    assert recent.read(other, 1_000) is read
    other.unlink()
    other.write_text("other = 1\n")
    again = recent.read(other, 1_000)
    assert again is not None
    assert again.text == "other = 1\n", "what was a link is a file of its own now"


def test_a_file_that_was_written_just_now_is_read_again(file: Path) -> None:
    recent = RecentTexts()
    first = recent.read(file, 1_000)
    assert first is not None
    assert recent.read(file, 1_000) is not first, "its ctime is of this moment"


def test_a_file_in_the_place_of_another_is_read(file: Path) -> None:
    recent = RecentTexts(grain_ns=0)
    assert recent.read(file, 1_000) is not None
    swap = file.with_name("swap")
    swap.write_text("newer = 1\n")
    os.utime(swap, LONG_AGO)
    swap.replace(file)
    read = recent.read(file, 1_000)
    assert read is not None
    assert read.text == "newer = 1\n"


def test_what_is_gone_or_too_long_is_none(file: Path) -> None:
    recent = RecentTexts()
    assert recent.read(file, 3) is None
    file.unlink()
    assert recent.read(file, 1_000) is None
