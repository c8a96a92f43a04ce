"""Manifests on disk: whole, newer, damaged, half written; what they do not list is removed."""

from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from codeintel_ls.index.errors import DamagedCacheError, NewerCacheError
from codeintel_ls.index.manifest import (
    FORMAT,
    Manifest,
    SegmentEntry,
    read_manifest,
    remove_unlisted,
    settle,
    staging,
    write_manifest,
)
from codeintel_ls.index.segment_files import SEGMENTS, STAGED
from tests.unit.index.caches import flip, names

MANIFEST = Manifest(
    store="a store",
    dimension=8,
    upto=9,
    segments=(
        SegmentEntry(name="first", since=0, upto=4, chunks=70),
        SegmentEntry(name="second", since=4, upto=9, chunks=7),
    ),
)


def test_a_manifest_is_read_back(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    write_manifest(tmp_path, MANIFEST)
    assert read_manifest(tmp_path) == MANIFEST
    assert MANIFEST.oldest == 4
    other = Manifest(store="a store", dimension=8, upto=12)
    write_manifest(tmp_path, other)
    assert read_manifest(tmp_path) == other
    assert other.oldest == 12
    assert names(tmp_path) == ["manifest.json"]


def test_a_half_written_manifest_leaves_the_old_one(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST)
    (tmp_path / "manifest.json.new").write_bytes(b'{"format": 1, "mani')
    assert read_manifest(tmp_path) == MANIFEST
    write_manifest(tmp_path, MANIFEST)
    assert read_manifest(tmp_path) == MANIFEST


def test_a_newer_manifest_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes(
        orjson.dumps({"format": FORMAT + 1, "manifest": ["of another shape"], "digest": None})
    )
    with pytest.raises(NewerCacheError, match="newer"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"7", b"null", b"{}", b"\xff" * 300,
     b'{"format": "1", "manifest": {}, "digest": ""}',
     b'{"format": 0, "manifest": {}, "digest": ""}'],
)  # fmt: skip
def test_what_is_no_manifest(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(text)
    with pytest.raises(DamagedCacheError):
        read_manifest(tmp_path)


def test_no_flipped_bit_of_a_manifest_is_believed(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST)
    path = tmp_path / "manifest.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        flip(path, place)
        with suppress(DamagedCacheError, NewerCacheError):
            assert read_manifest(tmp_path) == MANIFEST
        path.write_bytes(whole)


def test_a_manifest_that_cannot_be_read_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(DamagedCacheError):
        read_manifest(tmp_path)


# -- what is left over -----------------------------------------------------------------------------


def test_only_what_a_manifest_lists_stays(tmp_path: Path) -> None:
    for name in ("first", "second", "third", f"{STAGED}second", f"{STAGED}fourth"):
        place = tmp_path / SEGMENTS / name
        place.mkdir(parents=True)
        (place / "dense.faiss").write_bytes(b"half")
    remove_unlisted(tmp_path, MANIFEST)
    assert names(tmp_path / SEGMENTS) == ["first", "second"]
    remove_unlisted(tmp_path, Manifest(store="a store", dimension=8))
    assert names(tmp_path / SEGMENTS) == []


def test_nothing_to_remove(tmp_path: Path) -> None:
    remove_unlisted(tmp_path, MANIFEST)
    assert names(tmp_path) == []


def test_a_staged_segment_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    staged = staging(tmp_path, "name")
    assert staged.name == f"{STAGED}name"
    assert staged.stat().st_mode & 0o777 == 0o700
    assert settle(staged) == tmp_path / SEGMENTS / "name"
    assert names(tmp_path / SEGMENTS) == ["name"]
