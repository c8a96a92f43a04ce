from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.git import LineMap

LINE = st.sampled_from(["", "}", "return", "a", "b", "c", "d"]) | st.text("xyz", max_size=2)
TEXTS = st.lists(LINE, max_size=40)


def mapped(line_map: LineMap, count: int) -> list[tuple[int, int]]:
    found = ((line_map.map(line), line) for line in range(count))
    return [(old, new) for old, new in found if old is not None]


@given(TEXTS, TEXTS)
def test_only_equal_lines_are_mapped_once_and_in_order(old: list[str], new: list[str]):
    pairs = mapped(LineMap.between(old, new), len(new))
    assert all(old[first] == new[second] for first, second in pairs)
    assert all(before[0] < after[0] for before, after in pairwise(pairs))


@given(TEXTS)
def test_a_text_maps_to_itself_whole(text: list[str]):
    line_map = LineMap.between(text, text)
    assert [line_map.map(line) for line in range(len(text))] == list(range(len(text)))
    assert line_map.map(len(text)) is None
    assert line_map.map(-1) is None


@given(TEXTS, TEXTS, st.integers(0, 45), st.integers(0, 45))
def test_pieces_tell_of_each_line_what_the_map_tells(
    old: list[str], new: list[str], first: int, count: int
):
    line_map = LineMap.between(old, new)
    lines = range(first, first + count)
    told = [
        (piece.first + at, piece.old_first + at if piece.old_first is not None else None)
        for piece in line_map.pieces(lines)
        for at in range(piece.length)
    ]
    assert told == [(line, line_map.map(line)) for line in lines]


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_common_ends_are_always_mapped(
    head: list[str], old: list[str], new: list[str], tail: list[str]
):
    line_map = LineMap.between([*head, *old, *tail], [*head, *new, *tail])
    assert len(mapped(line_map, len(head) + len(new) + len(tail))) >= len(head) + len(tail)


def test_texts_beyond_the_budget_are_anchored_on_lines_that_occur_once():
    block = [f"unique {number}" for number in range(4000)]
    old = [line for number in range(4000) for line in (block[number], "x", "y")]
    new = [line for number in range(4000) for line in (block[number], "y", "x", "z")]
    pairs = mapped(LineMap.between(old, new), len(new))
    anchored = {old[first] for first, _ in pairs}
    assert anchored.issuperset(block)
    assert all(old[first] == new[second] for first, second in pairs)


def test_repetitive_texts_beyond_the_budget_stay_sound():
    old = [str(number * 7919 % 5) for number in range(15000)]
    new = [str(number * 104729 % 7) for number in range(15000)]
    pairs = mapped(LineMap.between(old, new), len(new))
    assert pairs
    assert all(old[first] == new[second] for first, second in pairs)
    assert all(before[0] < after[0] for before, after in pairwise(pairs))
