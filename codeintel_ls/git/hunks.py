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
    known = [piece for piece in line_map.pieces(asked) if piece.old_first is not None]
    if not known:
        return None
    first, last = known[0].old_first or 0, known[-1].old_first or 0
    return git_lines[first], git_lines[last + known[-1].length - 1] + 1


def hunks_of(
    path: str, asked: range, line_map: LineMap, git_lines: Sequence[int], blame: FileBlame
) -> tuple[BlameHunk, ...]:
    """The hunks of `asked` lines of the buffer `path`."""
    found = _Hunks(path)
    for first, count, old_first in line_map.pieces(asked):
        if old_first is None:
            found.add(first, count, _NOWHERE)
        elif isinstance(git_lines, range):
            found.add_committed(first, count, git_lines[old_first], blame)
        else:
            for line in range(count):
                found.add_committed(first + line, 1, git_lines[old_first + line], blame)
    return tuple(found.hunks)


class _Hunks:
    """Hunks in line order; what continues the last one becomes part of it."""

    def __init__(self, path: str) -> None:
        self.hunks: list[BlameHunk] = []
        self._path = path

    def add_committed(self, first: int, count: int, git_first: int, blame: FileBlame) -> None:
        """Add lines that are git's lines from `git_first` on."""
        at, end = git_first, git_first + count
        moved = first - git_first
        for entry in blame.between(git_first, end):
            self.add(at + moved, entry.first_line - at, _NOWHERE)
            place = entry.commit, entry.original_line, entry.original_path
            self.add(entry.first_line + moved, entry.count, place)
            at = entry.end_line
        self.add(at + moved, end - at, _NOWHERE)

    def add(self, first: int, count: int, place: _Place) -> None:
        """Add lines that came from one place; none for a count of 0."""
        if count <= 0:
            return
        commit, line, path = place
        start = first
        last = self.hunks[-1] if self.hunks else None
        if last is not None and _continues(last, commit, line, path, first):
            self.hunks.pop()
            start, line = last.start_line, last.original_line
        self.hunks.append(
            BlameHunk(
                start, first + count - 1, commit, line, self._path if commit is None else path
            )
        )


def _continues(last: BlameHunk, commit: str | None, line: int, path: str, first: int) -> bool:
    if commit != last.commit:
        return False
    goes_on = line == last.original_line + first - last.start_line and path == last.original_path
    return commit is None or goes_on
