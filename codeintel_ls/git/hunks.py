"""The blame of a buffer's lines: that of the committed lines which they are.

Invariant: hunks follow one another without gaps, and the lines of each continue one another in the
commit that they come from.
"""

from collections.abc import Sequence

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.git.blame import FileBlame
from codeintel_ls.git.errors import LineOutOfRangeError
from codeintel_ls.git.line_map import LineMap
from codeintel_ls.git.text import Lines
from codeintel_ls.git.values import BlameHunk

# A line's commit, and its line and path there.
_Place = tuple[str | None, int, str]
_NOWHERE: _Place = (None, -1, "")


def checked_range(path: str, first_line: int, last_line: int, lines: Lines) -> int:
    """The last line that exists of a range whose first one does.

    The empty line after a last line end is one to editors: it may be asked, and has no hunk.
    Raises `LineOutOfRangeError`, `InvalidRequestError`.
    """
    if first_line < 0 or last_line < first_line:
        message = f"Lines {first_line} to {last_line} are no range: give 0 ≤ first ≤ last."
        raise InvalidRequestError(message)
    if first_line >= len(lines) + (1 if lines.ended else 0):
        raise LineOutOfRangeError(path, first_line, last_line, len(lines))
    return min(last_line, len(lines) - 1)


def committed_span(
    asked: range, line_map: LineMap, git_lines: Sequence[int]
) -> tuple[int, int] | None:
    """The first and the end (exclusive) of git's lines that `asked` lines come from, if any do."""
    known = [line for line in map(line_map.map, asked) if line is not None]
    return (git_lines[known[0]], git_lines[known[-1]] + 1) if known else None


def hunks_of(
    path: str, asked: range, line_map: LineMap, git_lines: Sequence[int], blame: FileBlame
) -> tuple[BlameHunk, ...]:
    """The hunks of `asked` lines of the buffer `path`."""
    hunks: list[BlameHunk] = []
    begun: _Place | None = None
    start = asked.start
    for line in asked:
        committed_line = line_map.map(line)
        found = blame.at(git_lines[committed_line]) if committed_line is not None else None
        place = found or _NOWHERE
        if begun is not None and not _continues(begun, place, line - start):
            hunks.append(_hunk(begun, start, line - 1, path))
            begun = None
        if begun is None:
            begun, start = place, line
    if begun is not None:
        hunks.append(_hunk(begun, start, asked.stop - 1, path))
    return tuple(hunks)


def _continues(begun: _Place, place: _Place, distance: int) -> bool:
    commit, line, path = place
    if commit != begun[0]:
        return False
    return commit is None or (line == begun[1] + distance and path == begun[2])


def _hunk(place: _Place, start: int, end: int, path: str) -> BlameHunk:
    commit, line, original_path = place
    return BlameHunk(start, end, commit, line, path if commit is None else original_path)
