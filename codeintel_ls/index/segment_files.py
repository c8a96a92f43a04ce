"""A segment on disk: written once, synced, checked, and from then on only mapped.

Every array is a `.npy` file (NumPy Enhancement Proposal 1), the dense index a file of FAISS;
`segment.json` names them with their sizes and BLAKE2b digests and is written last. Invariant: a
folder with a whole `segment.json` is a whole segment, or is found out by `verify_segment`.
"""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from tokenize import TokenError
from typing import Any, Final
from uuid import uuid4

import numpy as np
import orjson
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from codeintel_ls.index.dense import DenseIndex
from codeintel_ls.index.errors import DamagedCacheError, SegmentsUnavailableError
from codeintel_ls.index.lexical import LexicalPostings
from codeintel_ls.index.segment import Segment

_LABEL: Final = "segment.json"
_DENSE: Final = "dense.faiss"
_ARRAYS: Final = ("files", "starts", "terms", "offsets", "documents", "impacts")
_BLOCK: Final = 1 << 20
_HEAD: Final = 16 << 20
_READ_AT_ONCE: Final = 48 << 20
_DAMAGED: Final = "A segment of the index is damaged."

SEGMENTS: Final = "segments"
"""The folder in a cache that holds the segments' folders."""

STAGED: Final = "staged-"
"""How the name of a segment's folder begins until it is whole."""


def new_segment_name() -> str:
    """A name that no other segment has; later ones sort behind earlier ones."""
    return f"{time.time_ns():019d}-{uuid4().hex[:8]}"


def write_segment(folder: Path, segment: Segment) -> None:
    """Write a segment's files into `folder`, which exists, and make them last (fsync)."""
    postings = segment.postings
    arrays: dict[str, NDArray[Any]] = {
        "files": segment.files,
        "starts": segment.starts,
        "terms": postings.terms,
        "offsets": postings.offsets,
        "documents": postings.documents,
        "impacts": postings.impacts,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    segment.dense.save(folder / _DENSE)
    names = [_DENSE, *(f"{name}.npy" for name in arrays)]
    label = {
        "chunks": len(segment),
        "parameters": dict(segment.dense.parameters()),
        "files": {
            name: {
                "size": (folder / name).stat().st_size,
                "digest": _digest(folder / name),
                "head": _digest(folder / name, _HEAD),
            }
            for name in names
        },
    }
    for name in names:
        sync(folder / name)
    document = {"segment": label, "digest": digest_of_value(label)}
    (folder / _LABEL).write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    sync(folder / _LABEL)
    sync(folder)


def open_segment(folder: Path) -> Segment:
    """The segment in `folder`, mapped; reads no more than it must.

    Raises DamagedCacheError where bytes are wrong or missing, and SegmentsUnavailableError where
    the system does not let them be read.
    """
    with readable():
        label = _label(folder)
        for name, file in label["files"].items():
            _check_at_once(folder / name, file)
        arrays = {name: _mapped(folder / f"{name}.npy") for name in _ARRAYS}
        dense = DenseIndex.open(folder / _DENSE, label["parameters"])
        chunks = int(label["chunks"])
        starts, files = arrays["starts"], arrays["files"]
        fits = (
            len(dense) == chunks == int(starts[-1])
            and len(starts) == len(files) + 1
            and int(starts[0]) == 0
            and bool(np.all(starts[1:] >= starts[:-1]))
            and bool(np.all(files[1:] > files[:-1]))
            and len(arrays["offsets"]) == len(arrays["terms"]) + 1
            and len(arrays["documents"]) == len(arrays["impacts"]) == int(arrays["offsets"][-1])
        )
    if not fits:
        raise DamagedCacheError(_DAMAGED)
    return Segment(
        files=arrays["files"],
        starts=arrays["starts"],
        postings=LexicalPostings(
            size=chunks,
            terms=arrays["terms"],
            offsets=arrays["offsets"],
            documents=arrays["documents"],
            impacts=arrays["impacts"],
        ),
        dense=dense,
        name=folder.name,
    )


def _check_at_once(path: Path, file: dict[str, Any]) -> None:
    """What can be told of a file without reading all of a large one.

    Bytes that FAISS takes for lengths can crash the process that reads them: they stand at the
    head of its file, and the large arrays of numbers behind.
    """
    size = path.stat().st_size
    whole = size <= _READ_AT_ONCE
    digest = _digest(path) if whole else _digest(path, _HEAD)
    if size != file["size"] or digest != file["digest" if whole else "head"]:
        raise DamagedCacheError(_DAMAGED)


def verify_segment(folder: Path) -> bool:
    """Whether every byte of the segment's files is as it was written; reads all of them.

    Raises SegmentsUnavailableError where the system does not let them be read.
    """
    try:
        with readable():
            files = _label(folder)["files"]
            return all(_digest(folder / name) == file["digest"] for name, file in files.items())
    except DamagedCacheError:
        return False


@contextmanager
def readable() -> Generator[None]:
    """Tell what is damaged (or gone) from what the system does not let be read at this moment."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise DamagedCacheError("A segment of the index is damaged or gone.") from error
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise SegmentsUnavailableError(
            f"The index cannot be read at the moment: {reason}."
        ) from error
    except MemoryError as error:
        raise SegmentsUnavailableError(
            "The index cannot be read at the moment: there is not enough memory."
        ) from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DamagedCacheError(_DAMAGED) from error


def sync(path: Path) -> None:
    """Make a file, or a folder's entries, last. Folders need it on POSIX alone."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest_of_value(value: object) -> str:
    """The digest of plain values, whatever the order of their keys."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=16).hexdigest()


def _label(folder: Path) -> dict[str, Any]:
    document: Any = orjson.loads((folder / _LABEL).read_bytes())
    label: dict[str, Any] = document["segment"]
    if document["digest"] != digest_of_value(label):
        raise DamagedCacheError(_DAMAGED)
    return label


def _mapped(path: Path) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    # A damaged header is taken for Python, and parsed.
    except (TokenError, SyntaxError, EOFError, OverflowError) as error:
        raise DamagedCacheError(_DAMAGED) from error
    # An empty array cannot be mapped and is read; a plain view spares memmap's own overhead.
    return array.view(np.ndarray)


def spool(path: Path, rows: int, dimension: int) -> NDArray[np.float16]:
    """A new file of `rows` vectors, mapped for writing: larger sets do not go through memory.

    Raises OSError where the disk has no space for it.
    """
    vectors = open_memmap(path, mode="w+", dtype=np.float16, shape=(rows, dimension))
    if hasattr(os, "posix_fallocate"):
        # Who writes to a part of a mapped file that the disk cannot hold is ended by a signal.
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return vectors


def _digest(path: Path, most: int | None = None) -> str:
    """The digest of a file's bytes, or of the first `most`."""
    digest = blake2b(digest_size=16)
    left = path.stat().st_size if most is None else most
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(_BLOCK, left))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()
