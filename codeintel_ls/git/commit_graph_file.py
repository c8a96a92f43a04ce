"""Commit-graph files as git writes them: whether one is whole, and which commits are in it.

The format is gitformat-commit-graph(5): a table of chunks, among them the sorted ids (OIDF, OIDL)
and the changed-path Bloom filters (BIDX, BDAT), and at the end a hash of all that comes before.
git itself does not look at that hash when it reads a graph. Nothing is written here.
"""

import hashlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from attrs import frozen

_SIGNATURE: Final = b"CGPH"
_FORMAT: Final = 1
_HASHES: Final = {1: ("sha1", 20), 2: ("sha256", 32)}
_HEADER: Final = struct.Struct(">4sBBBB")
_CHUNK: Final = struct.Struct(">4sQ")
_NUMBER: Final = struct.Struct(">I")
_READ_BYTES: Final = 1 << 20


@frozen(kw_only=True)
class GraphFile:
    """One file: how many commits are in it, and whether it has changed-path filters.

    `hash_name` is that of the commits' ids: `sha1` or `sha256`.
    """

    path: Path
    hash_name: str
    commits: int
    has_filters: bool
    disk_bytes: int
    fan_out_at: int
    ids_at: int

    def contains(self, commit: str) -> bool:
        """Whether a commit, given by its full id, is in the file. Raises OSError."""
        wanted = bytes.fromhex(commit)
        size = len(wanted)
        with self.path.open("rb") as file:
            first = _fan_out(file, self.fan_out_at, wanted[0] - 1)
            last = _fan_out(file, self.fan_out_at, wanted[0])
            file.seek(self.ids_at + first * size)
            ids = file.read((last - first) * size)
        return any(ids[at : at + size] == wanted for at in range(0, len(ids), size))


def read_graph_file(path: Path) -> GraphFile | None:
    """The file, after its hash was checked; None where there is none that is whole."""
    try:
        with path.open("rb") as file:
            return _read(path, file)
    except (OSError, struct.error):
        return None


def own_graph_exists(objects: Path) -> bool:
    """Whether a repository has a commit-graph in its directory of objects."""
    return os.path.lexists(_single(objects)) or os.path.lexists(_chain(objects))


def read_own_graph(objects: Path) -> Sequence[GraphFile] | None:
    """The files of a repository's commit-graph, none without one; None if any is not whole."""
    places = [_single(objects)]
    if not os.path.lexists(places[0]):
        try:
            names = _chain(objects).read_text("ascii", "replace").split()
        except OSError:
            names = []
        places = [_chain(objects).with_name(f"graph-{name}.graph") for name in names]
    files = [read_graph_file(place) for place in places]
    whole = [file for file in files if file is not None]
    return whole if len(whole) == len(files) else None


def _single(objects: Path) -> Path:
    return objects / "info" / "commit-graph"


def _chain(objects: Path) -> Path:
    return objects / "info" / "commit-graphs" / "commit-graph-chain"


def _read(path: Path, file: BinaryIO) -> GraphFile | None:
    signature, version, hash_version, chunk_count, _ = _HEADER.unpack(file.read(_HEADER.size))
    if signature != _SIGNATURE or version != _FORMAT or hash_version not in _HASHES:
        return None
    hash_name, hash_bytes = _HASHES[hash_version]
    rows = [_CHUNK.unpack(file.read(_CHUNK.size)) for _ in range(chunk_count)]
    chunks = {bytes(name): int(offset) for name, offset in rows}
    if not _is_whole(file, hash_name, hash_bytes) or not chunks.keys() >= {b"OIDF", b"OIDL"}:
        return None
    return GraphFile(
        path=path,
        hash_name=hash_name,
        commits=_fan_out(file, chunks[b"OIDF"], 255),
        has_filters=chunks.keys() >= {b"BIDX", b"BDAT"},
        disk_bytes=file.seek(0, os.SEEK_END),
        fan_out_at=chunks[b"OIDF"],
        ids_at=chunks[b"OIDL"],
    )


def _is_whole(file: BinaryIO, hash_name: str, hash_bytes: int) -> bool:
    remaining = file.seek(0, os.SEEK_END) - hash_bytes
    digest = hashlib.new(hash_name, usedforsecurity=False)
    file.seek(0)
    while remaining > 0:
        content = file.read(min(remaining, _READ_BYTES))
        if not content:
            return False
        digest.update(content)
        remaining -= len(content)
    return file.read(hash_bytes) == digest.digest()


def _fan_out(file: BinaryIO, at: int, first_byte: int) -> int:
    """How many ids begin with `first_byte` or less."""
    if first_byte < 0:
        return 0
    file.seek(at + first_byte * _NUMBER.size)
    return _NUMBER.unpack(file.read(_NUMBER.size))[0]
