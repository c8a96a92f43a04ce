"""Blames in pieces: joining them, asking for lines, and what is left to be asked."""

from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.git.blame import BlameEntry, FileBlame

LINES = 30

# For every line its commit, and where it stood there: the truth that entries are cut from.
truths = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 3)), min_size=LINES, max_size=LINES
)
spans = st.lists(st.tuples(st.integers(0, LINES - 1), st.integers(1, 8)), max_size=6)

Truth = list[tuple[str, int]]


def entries_of(truth: Truth, first: int, end: int) -> list[BlameEntry]:
    return [BlameEntry(truth[line][0], line, 1, truth[line][1], "f") for line in range(first, end)]


def at(blame: FileBlame, line: int) -> tuple[str, int, str] | None:
    """Where a line comes from, as the entries alone tell it."""
    for entry in blame.entries:
        if entry.first_line <= line < entry.end_line:
            return entry.commit, entry.original_line + line - entry.first_line, entry.original_path
    return None


@given(truths, spans)
def test_what_was_learned_is_known_and_nothing_else(
    truth: Truth, learned: list[tuple[int, int]]
) -> None:
    blame, known = FileBlame(), set[int]()
    for first, count in learned:
        end = min(first + count, LINES)
        blame = blame.joined(FileBlame.of(entries_of(truth, first, end)).entries)
        known.update(range(first, end))
    for line in range(LINES):
        assert at(blame, line) == ((*truth[line], "f") if line in known else None)
    for one, other in zip(blame.entries, blame.entries[1:], strict=False):
        assert one.end_line <= other.first_line


@given(truths, spans, st.integers(0, LINES - 1), st.integers(1, LINES))
def test_what_is_unknown_reaches_from_the_first_gap_to_the_last(
    truth: Truth, learned: list[tuple[int, int]], first: int, count: int
) -> None:
    blame = FileBlame()
    for start, length in learned:
        blame = blame.joined(entries_of(truth, start, min(start + length, LINES)))
    end = min(first + count, LINES)
    missing = [line for line in range(first, end) if at(blame, line) is None]
    assert blame.unknown(first, end) == ((missing[0], missing[-1] + 1) if missing else None)
    between = [
        (line, entry.commit, entry.original_line + line - entry.first_line)
        for entry in blame.between(first, end)
        for line in range(entry.first_line, entry.end_line)
    ]
    assert between == [
        (line, *truth[line]) for line in range(first, end) if at(blame, line) is not None
    ]


def test_pieces_that_continue_one_another_are_one() -> None:
    pieces = [BlameEntry("a", 2, 2, 12, "f"), BlameEntry("a", 0, 2, 10, "f")]
    assert FileBlame.of(pieces).entries == (BlameEntry("a", 0, 4, 10, "f"),)
    for other in (
        BlameEntry("a", 4, 1, 15, "f"),
        BlameEntry("a", 4, 1, 14, "g"),
        BlameEntry("b", 4, 1, 14, "f"),
    ):
        assert len(FileBlame.of([*pieces, other]).entries) == 2
