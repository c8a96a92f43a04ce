"""Reading a file of a folder because somebody named it, not because it is indexed."""

from pathlib import Path

from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.index.source import SkippedFileError, read_source


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
