"""Bytes of a file as lines that can be compared with an editor's.

Invariant: lines are those of the Language Server Protocol (ended by LF, CRLF or CR), without their
ends and without a byte order mark, so that a change of line ends is no change of a line. git ends
lines at LF only: `git_lines` says which of git's lines each one belongs to.
"""

import codecs
import re
from collections.abc import Sequence

from attrs import frozen

_LINE_END = re.compile(r"\r\n|\n|\r")
_LONE_CR = re.compile(r"\r(?!\n)")
_BINARY_PROBE = 8000
_MARK = "\ufeff"
_WIDE_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@frozen
class Lines:
    """A text as lines; `ended` says whether the last one has a line end (or there is none)."""

    lines: list[str]
    git_lines: Sequence[int]
    ended: bool

    def __len__(self) -> int:
        """How many lines there are, not counting the empty one after a last line end."""
        return len(self.lines)


def is_binary(content: bytes) -> bool:
    """Git's own rule: a NUL byte among the first 8,000."""
    return b"\0" in content[:_BINARY_PROBE]


def is_lfs_pointer(text: str) -> bool:
    """Whether a text is a pointer of Git LFS (git-lfs's specification, "The Pointer")."""
    return text.startswith("version https://git-lfs.github.com/spec/v1\n") and "\noid " in text


def is_utf8(content: bytes) -> bool:
    """Whether `content` is valid UTF-8."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def decode(content: bytes, like: str | None = None) -> str:
    """The text of a file without its byte order mark: UTF-8, else Latin-1.

    Where an editor read bytes that are no UTF-8 as UTF-8, `like` (its text) holds replacement
    characters; then the same is done here, so that both agree.
    """
    for mark, encoding in _WIDE_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        replaced = like is not None and "\ufffd" in like
        text = content.decode("utf-8", "replace") if replaced else content.decode("latin-1")
    return text.removeprefix(_MARK)


def split_lines(text: str) -> Lines:
    """The lines of `text`."""
    text = text.removeprefix(_MARK)
    lines = _LINE_END.split(text) if "\r" in text else text.split("\n")
    ended = not lines[-1]
    if ended:
        lines.pop()
    if _LONE_CR.search(text) is None:
        return Lines(lines, range(len(lines)), ended)
    return Lines(lines, _git_lines(text)[: len(lines)], ended)


def as_text(lines: Sequence[str], end: str = "\n", *, ended: bool = True) -> bytes:
    """Lines as one text to be compared; `ended` says whether the last one has an end, too."""
    text = end.join(lines) + (end if ended and lines else "")
    return text.encode("utf-8", "surrogatepass")


def _git_lines(text: str) -> list[int]:
    numbers: list[int] = []
    for number, line in enumerate(text.split("\n")):
        numbers += [number] * (line.removesuffix("\r").count("\r") + 1)
    return numbers
