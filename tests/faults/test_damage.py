"""Damaged bytes in each file of a cache: set aside, told, and made anew without being asked."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.checking import differences, opened, recovered
from tests.faults.conftest import Grown
from tests.waiting import eventually

SEGMENT = (
    "segment.json",
    "dense.faiss",
    "files.npy",
    "starts.npy",
    "terms.npy",
    "offsets.npy",
    "documents.npy",
    "impacts.npy",
)
MANIFEST = "workspaces/*/manifest.json"
STORE = "workspaces/*/index.sqlite3"
CONTENTS = "repositories/*/contents.sqlite3"


def emptied(_: bytes) -> bytes:
    return b""


def shortened(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def overwritten(data: bytes) -> bytes:
    return random.Random(1).randbytes(len(data))


def flipped_early(data: bytes) -> bytes:
    """A byte in the first part, which says what the rest is."""
    return flipped(data, 70)


def flipped_often(data: bytes) -> bytes:
    """Many bytes, all over the rest."""
    chance = random.Random(2)
    first = min(128, len(data) // 2)
    return flipped(data, *(chance.randrange(first, len(data)) for _ in range(len(data) // 50 + 1)))


def flipped(data: bytes, *places: int) -> bytes:
    changed = bytearray(data)
    for place in places:
        changed[place] ^= 0xFF
    return bytes(changed)


DAMAGES = (emptied, shortened, overwritten, flipped_early, flipped_often)
by_damage = pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)


def spoil(cache: Path, pattern: str, damage: Callable[[bytes], bytes]) -> None:
    found = sorted(cache.glob(pattern))
    assert found, pattern
    found[0].write_bytes(damage(found[0].read_bytes()))


def told(folder_notices: tuple[str, ...]) -> bool:
    return any("set aside" in notice for notice in folder_notices)


@by_damage
@pytest.mark.parametrize("name", SEGMENT)
def test_a_damaged_segment_is_built_anew(
    grown: Grown, cache: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    spoil(cache, f"workspaces/*/segments/*/{name}", damage)
    with opened(grown.root, cache) as folder:
        folder.start()
        assert eventually(lambda: told(folder.index_status().notices))
        recovered(folder)
        assert eventually(lambda: not differences(folder, grown.reference))
        assert folder.index_status().embedded == 0
    assert list(cache.glob("workspaces/*/set-aside-*/segments/*/segment.json"))


@by_damage
@pytest.mark.parametrize("pattern", [MANIFEST, STORE, CONTENTS])
def test_what_is_damaged_is_made_anew(
    grown: Grown, cache: Path, pattern: str, damage: Callable[[bytes], bytes]
) -> None:
    spoil(cache, pattern, damage)
    with opened(grown.root, cache) as folder:
        # The others are read as a whole only later.
        assert pattern != MANIFEST or told(folder.index_status().notices)
        folder.start()
        recovered(folder)
        assert eventually(lambda: not differences(folder, grown.reference))
        # Only the contents hold vectors that cannot be had without embedding.
        assert pattern == CONTENTS or folder.index_status().embedded == 0
        folder.rebuild()
        assert not differences(folder, grown.reference)
        # An empty file is a new database.
        assert told(folder.index_status().notices) or damage is emptied


@by_damage
@pytest.mark.parametrize("name", ["workspace.json", "owner.json"])
def test_a_damaged_note_hinders_nothing(
    grown: Grown, cache: Path, name: str, damage: Callable[[bytes], bytes]
) -> None:
    (place,) = cache.glob("workspaces/*")
    written = (place / name).read_bytes() if (place / name).exists() else b'{"pid": 1' + b" " * 300
    (place / name).write_bytes(damage(written))
    with opened(grown.root, cache) as folder:
        folder.start()
        recovered(folder)
        assert not differences(folder, grown.reference)
        assert folder.index_status().embedded == 0
        assert str(grown.root) in (place / "workspace.json").read_text(encoding="utf-8")
