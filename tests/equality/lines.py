"""Files as git's lines (ended by LF) and as an editor's (ended by LF, CRLF or CR).

Written apart from the code under test, so that both would have to be wrong in the same way.
"""

import codecs
import re
from collections import Counter

_GIT_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


def git_lines(content: bytes) -> list[bytes]:
    """The lines of `content` with their ends."""
    return _GIT_LINE.findall(content)


def body(line: bytes) -> bytes:
    """A line of git's without its end."""
    return line.removesuffix(b"\n").removesuffix(b"\r")


def editor_lines(line: bytes) -> int:
    """How many lines an editor shows for one of git's."""
    return body(line).count(b"\r") + 1


def is_binary(content: bytes) -> bool:
    """Git's rule."""
    return b"\0" in content[:8000]


def typed(content: bytes) -> str:
    """The text that an editor shows, its byte order mark kept."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def with_replacements(content: bytes) -> str | None:
    """The text of an editor that takes everything for UTF-8; None if unequal lines become equal."""
    text = content.decode("utf-8", "replace")
    before = Counter(Counter(git_lines(content)).values())
    after = Counter(Counter(git_lines(text.encode())).values())
    return text if before == after else None


def toggled_mark(text: str) -> str:
    """`text` with a byte order mark if it had none, else without."""
    mark = codecs.BOM_UTF8.decode()
    return text.removeprefix(mark) if text.startswith(mark) else mark + text


def one_line_end(text: str, end: str) -> str:
    """`text`, which has no lone CR, with every line ended by `end`."""
    return text.replace("\r\n", "\n").replace("\n", end)
