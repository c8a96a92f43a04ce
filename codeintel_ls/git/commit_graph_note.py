"""What is noted beside a commit-graph: the commits from which it was built, or when that failed."""

from pathlib import Path
from typing import Final

import orjson
from attrs import frozen

from codeintel_ls.git.objects import is_object_id

_NAME: Final = "graph.json"


@frozen
class GraphNote:
    """The commits that it was built from; `failed_at` is in Unix seconds, 0 where it did not."""

    tips: tuple[str, ...] = ()
    failed_at: float = 0.0


def read_note(folder: Path) -> GraphNote:
    """What is noted in a graph's folder; an empty note where that is nothing, or damaged."""
    try:
        told = orjson.loads((folder / _NAME).read_bytes())
        tips = tuple(map(str, told["tips"]))
        failed_at = float(told["failed_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return GraphNote()
    return GraphNote(tips, failed_at) if all(map(is_object_id, tips)) else GraphNote()


def write_note(folder: Path, note: GraphNote) -> None:
    """Replace the note in one step. Raises OSError."""
    staged = folder / f"{_NAME}.new"
    staged.write_bytes(orjson.dumps({"tips": note.tips, "failed_at": note.failed_at}))
    staged.replace(folder / _NAME)
