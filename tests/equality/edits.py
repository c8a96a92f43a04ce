"""Random editing of a text, as people do it."""

import codecs
import random
from collections.abc import Callable

from tests.equality.lines import body

Lines = list[bytes]


def edit(lines: Lines, chance: random.Random, label: str) -> None:
    """Change `lines` (with their ends) in place, once.

    A first line with a byte order mark stays first, an unterminated last line last: to git they
    would be other lines elsewhere.
    """
    first = lines.pop(0) if lines and lines[0].startswith(codecs.BOM_UTF8) else None
    last = lines.pop() if lines and not lines[-1].endswith(b"\n") else None
    chance.choice(_KINDS)(lines, chance, label)
    if first is not None:
        lines.insert(0, first)
    if last is not None:
        lines.append(last)


def _end(lines: Lines, at: int) -> bytes:
    """The line end that an editor gives a line typed at `at`."""
    beside = lines[min(at, len(lines) - 1)] if lines else b"\n"
    return beside[len(body(beside)) :] or b"\n"


def _place(lines: Lines, chance: random.Random) -> int:
    return chance.randint(0, len(lines))


def _block(lines: Lines, chance: random.Random, longest: int) -> slice:
    start = chance.randrange(len(lines)) if lines else 0
    return slice(start, start + chance.randint(1, longest))


def _insert(lines: Lines, chance: random.Random, label: str) -> None:
    at = _place(lines, chance)
    end = _end(lines, at)
    lines[at:at] = [
        f"typed {label} {number}".encode() + end for number in range(chance.randint(1, 4))
    ]


def _insert_common(lines: Lines, chance: random.Random, label: str) -> None:
    at = _place(lines, chance)
    end = _end(lines, at)
    words = [b"", b"}", b"    return", f"typed {label}".encode()]
    lines[at:at] = [chance.choice(words) + end for _ in range(chance.randint(1, 4))]


def _delete(lines: Lines, chance: random.Random, label: str) -> None:
    del lines[_block(lines, chance, 5)]


def _replace(lines: Lines, chance: random.Random, label: str) -> None:
    block = _block(lines, chance, 3)
    lines[block] = [
        body(line) + f" {label}".encode() + line[len(body(line)) :] for line in lines[block]
    ]


def _move(lines: Lines, chance: random.Random, label: str) -> None:
    block = _block(lines, chance, 12)
    moved = lines[block]
    del lines[block]
    at = _place(lines, chance)
    lines[at:at] = moved


def _duplicate(lines: Lines, chance: random.Random, label: str) -> None:
    block = _block(lines, chance, 6)
    lines[block.stop : block.stop] = lines[block]


def _indent(lines: Lines, chance: random.Random, label: str) -> None:
    block = _block(lines, chance, 8)
    lines[block] = [b"    " + line for line in lines[block]]


_KINDS: list[Callable[[Lines, random.Random, str], None]] = [
    _insert,
    _insert_common,
    _delete,
    _replace,
    _move,
    _duplicate,
    _indent,
]
