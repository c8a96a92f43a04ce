"""The definitions of an indexed file, put together from its chunks.

Small neighbours may share a chunk, which then names one of them: what comes out are the
definitions that a person would jump to, not every one that a compiler knows.
"""

from collections.abc import Iterable

from attrs import define, frozen

from codeintel_ls.index.schema import ChunkPlace, chunk_id
from codeintel_ls.index.store import Store


@frozen
class Symbol:
    """Lines `start_line` (0-based) to `end_line` (exclusive) define or hold `name`.

    `name` is qualified, `kind` is in the words of LSP's SymbolKind, lower case.
    """

    name: str
    kind: str
    start_line: int
    end_line: int


@frozen
class IndexedSymbols:
    """The definitions of the content with this `digest`, in the order of their lines."""

    digest: bytes
    symbols: tuple[Symbol, ...]


def symbols_at(store: Store, path: str) -> IndexedSymbols | None:
    """What is known of a live file; None where the index does not hold it."""
    file = store.files_at([path]).get(path)
    if file is None:
        return None
    ids = [chunk_id(file.id, ordinal) for ordinal in range(store.chunks_at([path]).get(path, 0))]
    places = store.places(ids)
    return IndexedSymbols(file.digest, _joined(places[each] for each in ids if each in places))


@define
class _Open:
    name: str
    kind: str
    start_line: int
    end_line: int

    def holds(self, name: str) -> bool:
        inside = name.startswith(self.name) and name[len(self.name) :]
        return name == self.name or bool(inside and not inside[0].isalnum() and inside[0] != "_")


def _joined(places: Iterable[ChunkPlace]) -> tuple[Symbol, ...]:
    """A definition reaches over its own pieces and those of its members, in one run of lines."""
    found: list[_Open] = []
    within: list[_Open] = []
    for place in places:
        name, kind = place.symbol, place.kind
        if name is None or kind is None:
            within.clear()
            continue
        while within and not within[-1].holds(name):
            within.pop()
        if not within or within[-1].name != name:
            within.append(_Open(name, kind, place.start_line, place.end_line))
            found.append(within[-1])
        for each in within:
            each.end_line = place.end_line
    return tuple(Symbol(each.name, each.kind, each.start_line, each.end_line) for each in found)
