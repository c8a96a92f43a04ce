"""Draws what a terminal shows as an SVG.

`python -m tests.editors.nvim.pictures` makes those of the plugin's README.
"""

import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Final

from attrs import frozen

from tests.e2e.project import commit, make_project
from tests.editors.nvim.conftest import ended_environment
from tests.editors.nvim.embedded import PLUGIN
from tests.editors.nvim.terminal import Terminal

FOLDER: Final = PLUGIN / "pictures"
_FONTS: Final = "ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace"
_CELL, _LINE, _SIZE = 8.0, 17, 13
_BACKGROUND, _FOREGROUND = "#14161b", "#e0e2ea"
_BASE: Final = (
    ("#14161b", "#ffc0b9", "#b3f6c0", "#fce094", "#a6dbff", "#ffcaff", "#8cf8f7", "#eef1f8"),
    ("#4f5258", "#ffc0b9", "#b3f6c0", "#fce094", "#a6dbff", "#ffcaff", "#8cf8f7", "#ffffff"),
)
_ESCAPE: Final = re.compile(r"\x1b\[([0-9;]*)m|\x1b\([B0]|[\x0e\x0f]")


@frozen
class Look:
    """How cells are drawn; None: the terminal's own colour."""

    fore: str | None = None
    back: str | None = None
    bold: bool = False
    italic: bool = False
    reverse: bool = False


def _indexed(number: int) -> str:
    if number < 16:
        return _BASE[number // 8][number % 8]
    if number >= 232:
        grey = 8 + (number - 232) * 10
        return f"#{grey:02x}{grey:02x}{grey:02x}"
    parts = ((number - 16) // 36, (number - 16) // 6 % 6, (number - 16) % 6)
    return "#" + "".join(f"{55 + 40 * part if part else 0:02x}" for part in parts)


def _colour(codes: Iterator[int]) -> str:
    if next(codes) == 5:
        return _indexed(next(codes))
    return f"#{next(codes):02x}{next(codes):02x}{next(codes):02x}"


def _looked(look: Look, given: str) -> Look:
    """The look after the codes of one escape sequence."""
    values = {name: getattr(look, name) for name in ("fore", "back", "bold", "italic", "reverse")}
    codes = iter([int(code or 0) for code in given.split(";")])
    for code in codes:
        if code == 0:
            values = {"fore": None, "back": None, "bold": False, "italic": False, "reverse": False}
        elif code in (1, 22):
            values["bold"] = code == 1
        elif code in (3, 23):
            values["italic"] = code == 3
        elif code in (7, 27):
            values["reverse"] = code == 7
        elif code in (38, 48):
            values["fore" if code == 38 else "back"] = _colour(codes)
        elif code in (39, 49):
            values["fore" if code == 39 else "back"] = None
        elif 30 <= code <= 37 or 90 <= code <= 97:
            values["fore"] = _indexed(code - 30 if code < 40 else code - 82)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            values["back"] = _indexed(code - 40 if code < 50 else code - 92)
    return Look(**values)


def runs(text: str) -> list[list[tuple[Look, str]]]:
    """Lines of a screen with escape sequences, as pieces of one look each."""
    look, lines = Look(), []
    for line in text.split("\n"):
        pieces: list[tuple[Look, str]] = []
        end = 0
        for found in _ESCAPE.finditer(line):
            pieces.append((look, line[end : found.start()]))
            end = found.end()
            if found[1] is not None:
                look = _looked(look, found[1])
        pieces.append((look, line[end:]))
        lines.append([(how, piece) for how, piece in pieces if piece])
    return lines


def svg(text: str, width: int) -> str:
    """The picture of a screen, `width` cells wide."""
    lines = runs(text.rstrip("\n"))
    wide, high = width * _CELL + 20, len(lines) * _LINE + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:g}" height="{high}" '
        f'font-family="{_FONTS}" font-size="{_SIZE}">',
        f'<rect width="100%" height="100%" rx="6" fill="{_BACKGROUND}"/>',
    ]
    for row, line in enumerate(lines):
        column, top = 0, 10 + row * _LINE
        for look, piece in line:
            fore, back = look.fore or _FOREGROUND, look.back
            if look.reverse:
                fore, back = back or _BACKGROUND, fore
            left, length = 10 + column * _CELL, len(piece) * _CELL
            if back:
                parts.append(
                    f'<rect x="{left:g}" y="{top}" width="{length:g}" height="{_LINE}" '
                    f'fill="{back}"/>'
                )
            if piece.strip():
                style = ' font-weight="bold"' * look.bold + ' font-style="italic"' * look.italic
                parts.append(
                    f'<text x="{left:g}" y="{top + 13}" fill="{fore}" textLength="{length:g}" '
                    f'xml:space="preserve"{style}>{escape(piece)}</text>'
                )
            column += len(piece)
    return "\n".join([*parts, "</svg>", ""])


LUA: Final = """
vim.o.termguicolors = true
vim.o.number = true
vim.cmd("syntax on")
require("codeintel").setup({ blame = { enabled = true } })
vim.o.statusline = " %t %m%=%{v:lua.require'codeintel'.statusline()}  %l,%c "
"""


def _line(terminal: Terminal) -> None:
    terminal.keys("7G")
    terminal.wait_for("Grace Example")


def _whole(terminal: Terminal) -> None:
    _line(terminal)
    terminal.command("CodeIntel blame!")
    terminal.wait_for("▌", "Ada Example")


def _commit(terminal: Terminal) -> None:
    _line(terminal)
    terminal.command("CodeIntel line")
    terminal.wait_for("Author: Grace Example")


def _search(terminal: Terminal) -> None:
    terminal.command("CodeIntel! search refuse clients that ask too often")
    terminal.wait_for("RateLimiter", "Quickfix")


def _compare(terminal: Terminal) -> None:
    terminal.command("CodeIntel diff HEAD~4")
    terminal.wait_for("self.ttl")


PICTURES: Final[dict[str, Callable[[Terminal], None]]] = {
    "blame-line": _line,
    "blame-file": _whole,
    "commit": _commit,
    "search": _search,
    "compare": _compare,
}
WIDTH, HEIGHT = 92, 20


def picture_project(folder: Path) -> None:
    """The project of all tests, with code of several ages."""
    make_project(folder)
    now, day = int(time.time()), 86_400
    cache = folder / "src/cache.py"
    for old, new, author, age, message in (
        (
            "def evict_expired(self, now)",
            "def evict(self, now)",
            "Mary Example",
            500,
            "Shorten a name",
        ),
        ("time to live has passed.", "time has come.", "Ann Example", 40, "Say it plainly"),
        ("entry.until > now", "entry.until >= now", "Mary Example", 2, "Keep what ends now"),
    ):
        cache.write_text(cache.read_text().replace(old, new))
        commit(folder, message, author=author, time=now - age * day)


def draw(name: str, folder: Path, project: Path, environment: dict[str, str]) -> str:
    """Have a real Neovim show something, and draw it."""
    arguments = ["src/cache.py"]
    size = (WIDTH, HEIGHT)
    with Terminal(folder, environment, LUA, arguments, size, project) as terminal:
        # Indexed, by the statusline, so that every drawing is of the same state.
        terminal.wait_for("ExpiringCache", "CI  ")
        PICTURES[name](terminal)
        time.sleep(0.3)  # For what is still being drawn.
        return svg(terminal.screen(colours=True), WIDTH)


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="pictures-") as name,
        ended_environment(Path(name) / "home") as environment,
    ):
        project = Path(name) / "project"
        picture_project(project)
        for picture in PICTURES:
            text = draw(picture, Path(name) / picture, project, environment)
            (FOLDER / f"{picture}.svg").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
