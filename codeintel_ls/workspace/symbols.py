"""The definitions of a file by their lines in an editor's buffer of it.

Invariant: lines of the index are used only where the file on disk is the one that was indexed;
from there a line map leads to the buffer.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from attrs import evolve

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git import LineMap
from codeintel_ls.index.source import SkippedFileError, read_source, split_lines
from codeintel_ls.index.store import Store
from codeintel_ls.index.symbols import Symbol, symbols_at

_MOST_BYTES: Final = 100_000_000
_WORD: Final = re.compile(r"\w+")


class Update(Protocol):
    """Have files searchable as they are on the disk."""

    def __call__(self, paths: Sequence[str], /, *, cancellation: Cancellation) -> object:
        """Return when they are."""


def find_symbols(
    store: Store, root: Path, path: str, text: str, update: Update, cancellation: Cancellation
) -> Sequence[Symbol]:
    """The definitions of `path`, relative to `root`, in the order of their lines in `text`.

    Each begins on the line that names it. `update` is called, once, where the index does not
    hold what is on the disk.
    """
    try:
        found = _on_disk(store, root / path, path)
        if found is None:
            update([path], cancellation=cancellation)
            found = _on_disk(store, root / path, path)
    except SkippedFileError:
        return ()
    if found is None:
        return ()
    lines, symbols = found
    return _mapped([_from_its_name(symbol, lines) for symbol in symbols], lines, split_lines(text))


def _on_disk(store: Store, file: Path, path: str) -> tuple[list[str], tuple[Symbol, ...]] | None:
    known = symbols_at(store, path)
    if known is None:
        return None
    # What is indexed passed the limits of the settings.
    read = read_source(file, max_bytes=_MOST_BYTES, max_line_characters=_MOST_BYTES)
    return (split_lines(read.text), known.symbols) if read.digest == known.digest else None


def _from_its_name(symbol: Symbol, lines: Sequence[str]) -> Symbol:
    """The symbol without what stands above the first line that names it."""
    words = _WORD.findall(symbol.name)
    name = re.compile(rf"(?<!\w){re.escape(words[-1])}(?!\w)") if words else None
    named = (
        line
        for line in range(symbol.start_line, min(symbol.end_line, len(lines)))
        if name is not None and name.search(lines[line])
    )
    return evolve(symbol, start_line=next(named, symbol.start_line))


def _mapped(symbols: Sequence[Symbol], old: Sequence[str], new: Sequence[str]) -> list[Symbol]:
    """The symbols that are still there, by their lines in `new`."""
    line_map = LineMap.between(old, new)
    new_lines: dict[int, int] = {}
    for old_start, new_start, length in zip(
        line_map.old_starts, line_map.new_starts, line_map.lengths, strict=True
    ):
        run = range(new_start, new_start + length)
        new_lines.update(zip(range(old_start, old_start + length), run, strict=True))
    mapped: list[Symbol] = []
    for symbol in symbols:
        kept = [
            new_lines[line]
            for line in range(symbol.start_line, symbol.end_line)
            if line in new_lines
        ]
        if not kept:
            continue
        start = new_lines.get(symbol.start_line)
        above = new_lines.get(symbol.start_line - 1, -1 if symbol.start_line == 0 else None)
        if start is None:
            # The line that names it was edited: it still stands below what stood above it.
            start = min(above + 1, kept[0]) if above is not None else kept[0]
        mapped.append(evolve(symbol, start_line=start, end_line=kept[-1] + 1))
    return mapped
