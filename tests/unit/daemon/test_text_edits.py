"""Characters in the three encodings of LSP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.daemon.text_edits import code_points, units

LINE = "aé漢😀b"


@pytest.mark.parametrize(("encoding", "length"), [("utf-8", 11), ("utf-16", 6), ("utf-32", 5)])
def test_the_length_of_a_line(encoding, length):
    assert units(LINE, encoding) == length


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 10), ("utf-16", 5), ("utf-32", 4)])
def test_the_place_after_an_astral_character(encoding, character):
    assert code_points(LINE, character, encoding) == 4


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 8), ("utf-16", 4)])
def test_a_place_within_a_character_is_the_one_before_it(encoding, character):
    assert code_points(LINE, character, encoding) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_beyond_the_end_is_the_end_before_the_line_ending(encoding):
    assert code_points(f"{LINE}\r\n", 1_000, encoding) == len(LINE)
    assert code_points("abc\n", 1_000, encoding) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@given(text=st.text(alphabet=st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])))
def test_there_and_back(encoding, text):
    for count in range(len(text) + 1):
        assert code_points(text, units(text[:count], encoding), encoding) == count
