"""Segments on disk: whole, damaged, half written, or unreadable for a while."""

import ctypes
import os
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EIO
from hashlib import blake2b
from pathlib import Path

import faiss
import numpy as np
import orjson
import pytest

from codeintel_ls.index.building import BuildTask, build
from codeintel_ls.index.errors import DamagedCacheError, SegmentsUnavailableError
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.manifest import (
    read_manifest,
    settle,
    staging,
)
from codeintel_ls.index.memory import let_go_of_pages
from codeintel_ls.index.segment import Segment
from codeintel_ls.index.segment_files import (
    SEGMENTS,
    digest_of_value,
    new_segment_name,
    open_segment,
    verify_segment,
    write_segment,
)
from codeintel_ls.index.store import Store
from tests.unit.index.caches import flip, names
from tests.unit.index.generations import anew
from tests.unit.index.records import FakeEncoder, save, stores

FILES = (
    "segment.json", "dense.faiss", "files.npy", "starts.npy", "terms.npy", "offsets.npy",
    "documents.npy", "impacts.npy",
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with stores(tmp_path) as opened:
        texts = {f"{n}.py": [f"text {n} {m} parse" for m in range(n % 4)] for n in range(30)}
        save(opened, FakeEncoder(), texts)
        yield opened


@pytest.fixture
def folder(tmp_path: Path, store: Store) -> Path:
    """The folder of a whole segment."""
    staged = staging(tmp_path, "a-segment")
    (in_memory,) = anew(store, 8).segments
    write_segment(staged, in_memory)
    return settle(staged)


def task(tmp_path: Path, kind: PrimaryKind = PrimaryKind.FLAT) -> BuildTask:
    return BuildTask(
        folder=str(tmp_path),
        database=str(tmp_path / "index.sqlite3"),
        contents=str(tmp_path / "contents.sqlite3"),
        dimension=8,
        since=0,
        kind=kind,
        threads=1,
    )


def same(one: Segment, other: Segment) -> bool:
    positions = np.arange(len(one))
    postings = ("size", "terms", "offsets", "documents", "impacts")
    return (
        np.array_equal(one.files, other.files)
        and np.array_equal(one.starts, other.starts)
        and all(
            np.array_equal(getattr(one.postings, name), getattr(other.postings, name))
            for name in postings
        )
        and np.array_equal(one.dense.vectors_at(positions), other.dense.vectors_at(positions))
    )


def test_a_segment_is_read_back_as_it_was(folder: Path, store: Store) -> None:
    (in_memory,) = anew(store, 8).segments
    opened = open_segment(folder)
    assert same(opened, in_memory)
    assert (opened.name, opened.rows) == ("a-segment", None)
    assert len(opened) == len(in_memory) == 43
    assert verify_segment(folder)
    assert {path.name for path in folder.iterdir()} == set(FILES)


@pytest.mark.parametrize("blocks", [(1, 1), (3, 2), (8_192, 16)])
def test_what_is_built_block_by_block_is_what_is_built_at_once(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch, blocks: tuple[int, int]
) -> None:
    monkeypatch.setattr("codeintel_ls.index.building._CHUNKS_PER_BLOCK", blocks[0])
    monkeypatch.setattr("codeintel_ls.index.building._BLOCKS_PER_RUN", blocks[1])
    built = build(task(tmp_path))
    (in_memory,) = anew(store, 8).segments
    assert same(open_segment(tmp_path / SEGMENTS / built.name), in_memory)
    assert (built.since, built.upto, built.chunks, built.last_file) == (0, 1, 43, 30)
    assert [path.name for path in (tmp_path / SEGMENTS).iterdir()] == [built.name]
    assert {path.name for path in (tmp_path / SEGMENTS / built.name).iterdir()} == set(FILES)


@pytest.mark.parametrize("kind", list(PrimaryKind))
def test_segments_of_every_kind_are_built_and_opened(
    tmp_path: Path, store: Store, kind: PrimaryKind
) -> None:
    built = build(task(tmp_path, kind))
    opened = open_segment(tmp_path / SEGMENTS / built.name)
    assert len(opened) == 43
    assert verify_segment(tmp_path / SEGMENTS / built.name)
    vector = anew(store, 8).segments[0].dense.vectors_at(np.array([7]))[0]
    positions, _ = opened.dense.search(vector, 10)
    assert 7 in positions


def test_a_mapped_segment_outlives_its_folder(folder: Path) -> None:
    opened = open_segment(folder)
    shutil.rmtree(folder)
    assert len(opened.postings.holders(int(opened.postings.terms[0])))
    assert opened.dense.vectors_at(np.arange(43)).shape == (43, 8)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_found_in_every_file(folder: Path, name: str) -> None:
    size = (folder / name).stat().st_size
    for place in {0, size // 2, size - 1}:
        whole = (folder / name).read_bytes()
        flip(folder / name, place)
        # Of the label, only what it says is covered, not the blanks in it.
        damaged = not verify_segment(folder) or orjson.loads(whole) == orjson.loads(
            (folder / name).read_bytes()
        )
        assert damaged, place
        (folder / name).write_bytes(whole)
    assert verify_segment(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("rest", ["nothing", "half", "one byte less", "one byte more", "gone"])
def test_a_file_of_another_size_is_seen_at_once(folder: Path, name: str, rest: str) -> None:
    data = (folder / name).read_bytes()
    half = data[: len(data) // 2]
    other = {"nothing": b"", "half": half, "one byte less": data[:-1], "one byte more": data + b"}"}
    if rest == "gone":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(other[rest])
    with pytest.raises(DamagedCacheError):
        open_segment(folder)
    assert not verify_segment(folder)


@pytest.mark.parametrize(
    "label",
    [
        b"[]", b"{}", b'"text"', b"null", b'{"files": {}, "chunks": 43, "parameters": {}}',
        b'{"files": {"files.npy": 7}, "chunks": 43, "parameters": {}}',
        b'{"files": {}, "chunks": null, "parameters": null}',
    ],
)  # fmt: skip
def test_a_label_that_says_something_else(folder: Path, label: bytes) -> None:
    (folder / "segment.json").write_bytes(label)
    with pytest.raises(DamagedCacheError):
        open_segment(folder)


def relabel(folder: Path, name: str) -> None:
    """Have the label say that a file is as it is now."""
    data = (folder / name).read_bytes()
    label = orjson.loads((folder / "segment.json").read_bytes())["segment"]
    digest = blake2b(data, digest_size=16).hexdigest()
    label["files"][name] = {"size": len(data), "digest": digest, "head": digest}
    document = {"segment": label, "digest": digest_of_value(label)}
    (folder / "segment.json").write_bytes(orjson.dumps(document))


def test_arrays_that_do_not_belong_together(folder: Path) -> None:
    array = np.load(folder / "impacts.npy")
    np.save(folder / "impacts.npy", array[:-1])
    relabel(folder, "impacts.npy")
    with pytest.raises(DamagedCacheError):
        open_segment(folder)


def test_arrays_of_objects_are_never_unpickled(folder: Path) -> None:
    np.save(folder / "terms.npy", np.array([print, len], dtype=object), allow_pickle=True)
    relabel(folder, "terms.npy")
    with pytest.raises(DamagedCacheError):
        open_segment(folder)


# -- what the system does not let be read at the moment --------------------------------------------


@contextmanager
def open_files_left(count: int) -> Generator[None]:
    """Let this process open so many more files."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    held: list[int] = []
    try:
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(count):
            os.close(held.pop())
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def can_open(folder: Path) -> bool:
    try:
        open_segment(folder)
    except SegmentsUnavailableError:
        return False
    return True


@pytest.mark.skipif(os.name == "nt", reason="limits are set in another way")
def test_too_many_open_files_are_no_damage(folder: Path) -> None:
    outcomes: list[bool] = []
    for left in range(16):
        with open_files_left(left):
            outcomes.append(can_open(folder))
    # Whichever of the files is the one too many: that of FAISS is opened with the others mapped.
    assert outcomes.count(False) >= 7
    assert outcomes[-1]
    with open_files_left(0), pytest.raises(SegmentsUnavailableError):
        verify_segment(folder)
    with open_files_left(0), pytest.raises(SegmentsUnavailableError):
        read_manifest(folder)


@pytest.mark.parametrize(
    "error", [OSError(EIO, "I/O"), PermissionError(EACCES, "no"), MemoryError()]
)
def test_what_cannot_be_read_for_a_while_is_no_damage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_arguments: object, **_options: object) -> object:
        raise error

    for module, name in ((np, "load"), (faiss, "read_index")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, fail)
            with pytest.raises(SegmentsUnavailableError, match="at the moment"):
                open_segment(folder)
    assert len(open_segment(folder))


def test_names_sort_by_their_time() -> None:
    names = [new_segment_name() for _ in range(50)]
    assert [name.partition("-")[0] for name in names] == sorted(
        name.partition("-")[0] for name in names
    )
    assert len(set(names)) == 50


@pytest.mark.skipif(sys.platform != "linux", reason="pages are let go on Linux")
def test_a_segment_answers_after_its_pages_were_let_go(folder: Path) -> None:
    segment = open_segment(folder)
    before = segment.postings.documents.tolist(), segment.dense.vectors_at(np.array([0])).tolist()
    let_go_of_pages([segment])
    assert segment.postings.documents.tolist() == before[0]
    assert segment.dense.vectors_at(np.array([0])).tolist() == before[1]


@pytest.mark.skipif(sys.platform != "linux", reason="pages are let go on Linux")
def test_pages_of_held_segments_alone_are_let_go(folder: Path) -> None:
    held, another = open_segment(folder), open_segment(folder)
    mine, others = addresses_of(held), addresses_of(another)
    let_go_of_pages([held])
    sizes = resident_sizes(folder)
    assert [span for span in sizes if contains(span, mine) and sizes[span]] == []
    assert all(sizes[span] for span in sizes if contains(span, others))
    assert len(sizes) == 2 * len([name for name in names(folder) if name != "segment.json"])


@pytest.mark.skipif(sys.platform != "linux", reason="pages are let go on Linux")
def test_memory_is_never_let_go_of(store: Store) -> None:
    (in_memory,) = anew(store, 8).segments
    before = in_memory.postings.documents.tolist()
    let_go_of_pages([in_memory])
    assert in_memory.postings.documents.tolist() == before


def addresses_of(segment: Segment) -> list[int]:
    """Its addresses, each of which was read at."""
    addresses = segment.addresses()
    for address in addresses:
        ctypes.string_at(address, 1)
    return addresses


def contains(span: tuple[int, int], addresses: list[int]) -> bool:
    return any(span[0] <= address < span[1] for address in addresses)


def resident_sizes(folder: Path) -> dict[tuple[int, int], int]:
    """How much of each mapping of a file in the folder is in memory, in KiB (proc(5), smaps)."""
    found: dict[tuple[int, int], int] = {}
    here: tuple[int, int] | None = None
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, _, rest = line.partition(" ")
        if not first.endswith(":"):
            start, _, end = first.partition("-")
            here = (int(start, 16), int(end, 16)) if str(folder.resolve()) in rest else None
        elif first == "Rss:" and here:
            found[here] = int(rest.split()[0])
    return found
