"""Source text is cut into chunks by its definitions.

`chunk_source` is pure: the same text and language give the same chunks, whatever the text. Every
line is in exactly one chunk, in order. Symbols are qualified with `.` in every language, but for
Markdown, where headings are joined with ` > `.
"""

from codeintel_ls.index.chunking.grammars import parse, rules_of
from codeintel_ls.index.chunking.outline import Outliner
from codeintel_ls.index.chunking.packing import Packer
from codeintel_ls.index.chunking.values import Chunk
from codeintel_ls.index.chunking.windows import Lines
from codeintel_ls.index.source import split_lines

__all__ = ["CHUNKER_VERSION", "Chunk", "chunk_source"]

# Part of the cache's key: raise it whenever any text may come out in other chunks.
CHUNKER_VERSION = 1

_WINDOW_FITS = 1.25


def chunk_source(text: str, language: str) -> list[Chunk]:
    """Cut a text into chunks; lines are those of `split_lines`, and no text gives no chunks.

    `language` is an id as `language_of` gives it. Chunks aim at 25 to 50 lines, and have at most
    60 lines or 3,000 characters but for small joins and for single lines that are longer.
    """
    lines = split_lines(text)
    if not lines:
        return []
    measured = Lines(lines)
    known = rules_of(language, text)
    if known is not None:
        grammar, rules = known
        # Rows of the tree are lines of the editor only where LF alone ends a line.
        tree = parse(grammar, "\n".join(lines))
        if tree is not None:
            return Packer(measured, Outliner(rules, measured)).pack(tree.root_node)
    windows = measured.windows(0, len(lines), _WINDOW_FITS)
    return [Chunk(start, end, None, None) for start, end in windows]
