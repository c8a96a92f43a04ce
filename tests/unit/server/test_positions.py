"""Ranges in the three encodings of LSP."""

import pytest

from codeintel_ls.server.positions import whole_lines

LINE = "aé漢😀b"


@pytest.mark.parametrize(("encoding", "end"), [("utf-8", 11), ("utf-16", 6), ("utf-32", 5)])
def test_the_range_of_whole_lines(encoding, end):
    place = whole_lines(2, 5, f"{LINE}\n", encoding)
    assert (place.start.line, place.start.character) == (2, 0)
    assert (place.end.line, place.end.character) == (4, end)
