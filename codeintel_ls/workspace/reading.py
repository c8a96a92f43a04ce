"""Reading a file of a folder because somebody named it, not because it is indexed."""

from pathlib import Path

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.index.source import SkippedFileError, read_source, split_lines
from codeintel_ls.search import SimilarTo


def read_text(root: Path, path: str, max_bytes: int) -> str:
    """The text of a folder-relative path. Raises InvalidRequestError where there is none to read.

    What lies outside `root` is not read, links followed.
    """
    if not (root / path).resolve().is_relative_to(root):
        raise InvalidRequestError(f"{Path(path).name} lies outside {root.name or root}.")
    try:
        return read_source(root / path, max_bytes=max_bytes).text
    except SkippedFileError as error:
        raise InvalidRequestError(f"{path} cannot be read as text: {error.reason}.") from error


def lines_to_compare(
    root: Path, path: str, first_line: int, last_line: int, *, text: str | None, max_bytes: int
) -> SimilarTo:
    """Lines `first_line` to `last_line` (0-based, inclusive) of `text`, or of the file on disk.

    Raises InvalidRequestError for lines that are not there.
    """
    if text is None:
        text = read_text(root, path, max_bytes)
    lines = split_lines(text)
    if not 0 <= first_line <= last_line < max(len(lines), 1):
        raise InvalidRequestError(
            f"{path} has {len(lines)} lines; lines {first_line + 1} to {last_line + 1} were "
            "asked for."
        )
    selected = "\n".join(lines[first_line : last_line + 1])
    return SimilarTo(path=path, first_line=first_line, last_line=last_line, text=selected)
