import re

from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.git.text import split_lines

TEXT = st.text(st.sampled_from(["a", "\r", "\n", "\u2028", "\x0b"]), max_size=30)


@given(TEXT)
def test_lines_are_those_of_the_protocol_and_know_their_number_in_git(text: str):
    split = split_lines(text)
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    if starts[-1] == len(text):
        starts.pop()
        assert split.ended
    else:
        assert not split.ended
    assert len(split) == len(starts) == len(split.git_lines)
    for number, start in enumerate(starts):
        assert re.split(r"[\r\n]", text[start:])[0] == split.lines[number]
        assert split.git_lines[number] == text.count("\n", 0, start)
