"""What is printed and where: results to standard output, everything else to standard error.

Invariants: nothing that a file, a commit or a path holds can steer the terminal; colours appear
on a terminal alone, and not where NO_COLOR is set (https://no-color.org).
"""

import os
import sys
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

# C0, DEL and C1, but for the tab: shown as the pictures that Unicode has for them.
_CONTROLS: Final = {
    **{code: 0x2400 + code for code in range(0x20) if code != 0x09},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
}
_PREFIXES: Final = {"error": "31", "warning": "33", "note": "2"}


def prepare_streams() -> None:
    """Let nothing that is printed fail for its characters: paths may be any bytes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
            reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")


def printable(text: str) -> str:
    """`text` as one line without control characters (a tab stays)."""
    return text.translate(_CONTROLS)


def text_of(path: str) -> str:
    """A path or a text for JSON: bytes that are no UTF-8 become U+FFFD."""
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def print_line(line: str = "") -> None:
    """One line of a result; it may hold colours of our own and must else be `printable`."""
    sys.stdout.write(line + "\n")


def print_json(document: object, *, one_line: bool = False) -> None:
    """A JSON document of a result (UTF-8; indented on a terminal, unless it must be `one_line`)."""
    import orjson

    indented = sys.stdout.isatty() and not one_line
    options = orjson.OPT_APPEND_NEWLINE | (orjson.OPT_INDENT_2 if indented else 0)
    written = orjson.dumps(document, option=options)
    sys.stdout.flush()
    sys.stdout.buffer.write(written)


def flush() -> None:
    """Let the results so far be seen at once."""
    sys.stdout.flush()


def tell(message: str, kind: Literal["error", "warning", "note"] | None = None) -> None:
    """A sentence for the person, on standard error."""
    prefix = ""
    if kind is not None:
        prefix = (
            f"\x1b[{_PREFIXES[kind]}m{kind}:\x1b[0m " if has_colours(sys.stderr) else f"{kind}: "
        )
    sys.stdout.flush()
    sys.stderr.write(f"{prefix}{printable(message)}\n")
    sys.stderr.flush()


def on_terminal() -> bool:
    """Whether a person reads the results as they come."""
    return sys.stdout.isatty()


def has_colours(stream: IO[str]) -> bool:
    """Whether colours are wanted there."""
    return (
        stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "") != "dumb"
    )


def console(*, stderr: bool = False) -> "Console":
    """A rich console for one of the streams, to be used on a terminal."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def relative_path(path: "Path") -> str:
    """`path` as seen from the current folder."""
    try:
        return os.path.relpath(path)
    except (ValueError, OSError):
        # Another drive, or a current folder that is gone.
        return str(path)


def count(number: int, noun: str) -> str:
    """`1 file`, `2,000 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: float) -> str:
    """Bytes for a person: `12 bytes`, `3.4 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} GB"


def painted(code: str, text: str) -> str:
    """`text` in a colour, where standard output shows colours."""
    return f"\x1b[{code}m{text}\x1b[0m" if has_colours(sys.stdout) else text


def skipped(reasons: Mapping[str, int]) -> str:
    """How many files are left out, and why: `13 (binary 12, secret 1)`."""
    if not any(reasons.values()):
        return "0"
    most_first = sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0]))
    listed = ", ".join(f"{name} {number:,}" for name, number in most_first if number)
    return f"{sum(reasons.values()):,} ({listed})"


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` columns of a terminal; what is cut off is told by an ellipsis."""
    from rich.cells import cell_len, set_cell_size

    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"
