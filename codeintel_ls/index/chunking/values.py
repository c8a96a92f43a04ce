"""A chunk: a run of whole lines that is searched and shown as one place."""

from attrs import frozen


@frozen
class Chunk:
    """Lines `start_line` (0-based) to `end_line` (exclusive) of one file.

    `symbol` is the qualified name of the definition the chunk holds or belongs to
    (`Class.method`), `kind` its kind in the words of LSP's SymbolKind, lower case
    (`function`, `method`, `class`, `interface`, `struct`, `enum`, `module`, ...).
    Both are None where the chunk is no definition.
    """

    start_line: int
    end_line: int
    symbol: str | None
    kind: str | None
