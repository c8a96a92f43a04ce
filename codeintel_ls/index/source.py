"""A file's bytes become text and lines, in whatever encoding they were saved.

Content never raises: what cannot be text is a `SkippedFileError` with its reason. Nothing here
blocks on a pipe or a device, and nothing is said to be read that changed while it was read.
"""

import codecs
import os
import re
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG

from attrs import frozen

from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.screening import SkipReason, has_long_line

_ATTEMPTS = 3
_SAMPLE = 8192
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r\f\v\b\x1b") + b"\x7f"
_CONTROL_SHARE = 0.05
_DECLARATION = re.compile(
    rb"(?:coding[:=]|fileencoding=|fenc=|charset=|encoding=)\s*[\"']?([A-Za-z][\w.:-]*)"
)
# Codecs that are no charset of a source file, or that run over what they decode more than once.
_NO_CHARSET = frozenset(
    "idna punycode unicode-escape raw-unicode-escape undefined utf-7 utf-16 utf-32 mbcs oem".split()
)


class SkippedFileError(CodeIntelError):
    """A file is not indexed; `reason` says why."""

    def __init__(self, reason: SkipReason) -> None:
        super().__init__(f"The file is not indexed: {reason.value}.")
        self.reason = reason


@frozen
class ReadLimits:
    """Bounds of what is indexed, and read, at all."""

    max_file_bytes: int = 1_000_000
    max_line_characters: int = 10_000


@frozen
class SourceText:
    """A file as text: `digest` is of the raw bytes, `size` their number.

    `text` has no byte order mark and keeps its line terminators; `encoding` is Python's name
    of the codec that decoded it.
    """

    text: str
    digest: bytes
    encoding: str
    size: int


def read_source(
    path: Path, *, max_bytes: int = 1_000_000, max_line_characters: int = 10_000
) -> SourceText:
    """Read and decode one file.

    Looks at the content's size, encoding and longest line; the names and the marks of generated
    text are for `screen_path` and `screen_text`. Raises `SkippedFileError`.
    """
    data = _read_unchanged(path, max_bytes)
    text, encoding = _decode(data)
    if has_long_line(text, max_line_characters):
        raise SkippedFileError(SkipReason.LONG_LINE)
    return SourceText(text, digest_of(data), encoding, len(data))


def digest_of(data: bytes) -> bytes:
    """16 bytes (BLAKE2b) that identify a file's content."""
    return blake2b(data, digest_size=16).digest()


def split_lines(text: str) -> list[str]:
    r"""The lines of a text without their terminators, as the editor numbers them.

    Lines end at `\n`, `\r\n` and `\r` only (LSP, "Text Documents"), unlike `str.splitlines`.
    A terminator ends its line and begins no further one: `"a\n"` and `"a"` have one line, `""` has
    none. LSP's last, empty line after a final terminator belongs to no chunk; a range that ends
    with the last line may end at its start.
    """
    lines = with_plain_ends(text).split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def with_plain_ends(text: str) -> str:
    r"""The text with every line ended by `\n`."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _read_unchanged(path: Path, max_bytes: int) -> bytes:
    try:
        # Asked before opening: a FIFO's or a device's open may block or have effects.
        if not S_ISREG(path.stat().st_mode):
            raise SkippedFileError(SkipReason.NOT_A_FILE)
        for _ in range(_ATTEMPTS):
            data = _read_once(path, max_bytes)
            if data is not None:
                return data
    except (OSError, ValueError):
        raise SkippedFileError(SkipReason.UNREADABLE) from None
    raise SkippedFileError(SkipReason.UNREADABLE)


def _read_once(path: Path, max_bytes: int) -> bytes | None:
    """The file's bytes; None when it changed meanwhile."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - Path.open takes no flags
        before = os.fstat(file.fileno())
        if not S_ISREG(before.st_mode):
            raise SkippedFileError(SkipReason.NOT_A_FILE)
        if before.st_size > max_bytes:
            raise SkippedFileError(SkipReason.TOO_LARGE)
        data = file.read(max_bytes + 1)
        after = os.fstat(file.fileno())
    if len(data) > max_bytes:
        raise SkippedFileError(SkipReason.TOO_LARGE)
    same = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, len(data))
    return data if same else None


def _decode(data: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace"), encoding
    if b"\0" in data:
        encoding = _unmarked_utf16(data)
        if encoding is None:
            raise SkippedFileError(SkipReason.BINARY)
        return data.decode(encoding, "replace"), encoding
    if len(data) - len(data.translate(None, _CONTROLS)) > len(data) * _CONTROL_SHARE:
        raise SkippedFileError(SkipReason.BINARY)
    return _decode_bytes(data)


def _unmarked_utf16(data: bytes) -> str | None:
    """UTF-16 without its mark, where nearly every second byte, and no other, is zero."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    for zeros, others, encoding in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if half >= 2 and zeros >= half * 0.6 and others == 0:
            text = data.decode(encoding, "replace")
            if "\0" not in text and "\ufffd" not in text:
                return encoding
    return None


def _decode_bytes(data: bytes) -> tuple[str, str]:
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    for encoding in _declared_encodings(data):
        try:
            return data.decode(encoding), encoding
        except (LookupError, ValueError):
            continue
    damaged = data.decode("utf-8", "replace")
    if _is_mostly_utf8(damaged):
        return damaged, "utf-8"
    try:
        return data.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def _declared_encodings(data: bytes) -> list[str]:
    """What the first lines (PEP 263, XML, HTML, Emacs) and the last (Vim) declare."""
    edges = data[:1024] + b"\n" + data[-256:]
    names = [name.decode("ascii").lower() for name in _DECLARATION.findall(edges)]
    return [name for name in names if name.replace("_", "-") not in _NO_CHARSET]


def _is_mostly_utf8(damaged: str) -> bool:
    """A single bad byte must not turn all other letters of a UTF-8 file into noise."""
    bad = damaged.count("\ufffd")
    foreign = len(damaged.encode("utf-8")) - len(damaged) - 2 * bad
    return foreign > bad * 4
