"""Caches of one folder, opened by this process or held by another."""

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from codeintel_ls.embedding import Encoder
from codeintel_ls.index.index import Index
from codeintel_ls.index.ladder import Ladder, PrimaryKind
from codeintel_ls.index.merge_policy import Step
from tests.unit.index.generations import BUILD, live
from tests.unit.index.records import FakeEncoder, save

ENCODER = FakeEncoder()

HOLD = """
import sys
from pathlib import Path
from tests.unit.index.caches import open_cache
index = open_cache(Path(sys.argv[1]))
print(index.owned, flush=True)
sys.stdin.read()
"""


def workspace(place: Path) -> Path:
    """The folder of the workspace's cache."""
    return place / "workspaces" / "shop"


def shared(place: Path) -> Path:
    """The folder of the repository's contents."""
    return place / "repositories" / "shop"


def open_cache(
    place: Path,
    recipe: str = "r",
    *,
    dimension: int = ENCODER.dimension,
    ladder: Ladder | None = None,
    root: Path | None = None,
) -> Index:
    """The index below `place`, as a process that starts now would open it."""
    return Index.open(
        workspace(place),
        shared=shared(place),
        recipe=recipe,
        dimension=dimension,
        ladder=ladder,
        root=root,
    )


def add(index: Index, path: str, texts: Sequence[str], encoder: Encoder = ENCODER) -> None:
    """Commit and publish a file."""
    with index.writing:
        save(index.store, encoder, {path: texts})
    index.publish()


def fill(place: Path, *, merged: bool = False) -> None:
    """A cache with one file of two chunks, left behind by a process that ended."""
    index = open_cache(place)
    add(index, "a.py", ["parse request", "color"])
    if merged:
        index.carry_out(Step(0, PrimaryKind.FLAT), BUILD)
    index.close()


def shown(index: Index) -> list[str]:
    """The paths of the chunks that searches see."""
    places = index.store.places(live(index.published))
    return sorted(place.path for place in places.values())


@contextmanager
def held_by_another(place: Path) -> Generator["subprocess.Popen[str]"]:
    """Another process has the cache open; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() in {"True\n", "False\n"}
        try:
            yield other
        finally:
            other.kill()


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def flip(path: Path, place: int) -> None:
    """Flip a bit of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)
