"""One immutable index of vectors: built, calibrated, saved, mapped, searched.

Similarity is the inner product of unit vectors. A vector's position is its place in the order
that it was given to `build`; positions are all that a dense index knows of a chunk.
"""

import errno
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from threading import Lock, local
from typing import Final, Self

import faiss
import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from codeintel_ls.embedding import Vectors
from codeintel_ls.index.errors import DamagedCacheError, DamagedSegmentError
from codeintel_ls.index.ladder import (
    CODE_COVERAGE,
    FAR,
    INDEX_CLASSES,
    LIST_COVERAGE,
    MOST_CANDIDATES,
    NEAR,
    Effort,
    Positions,
    PrimaryKind,
    Scores,
    blocks_of,
    empty_index,
    enough,
    exact_nearest,
    likely_queries,
    ranks_of,
    sample_of,
    training_size,
    workable_kind,
)

_SEED: Final = 20

_ROUNDING: Final = 1e-5
_REFUSED: Final = ("could not open", "could not mmap", "fstat")

_thread = local()


@frozen(kw_only=True, eq=False)
class DenseIndex:
    """n unit vectors of length `dimension`, at positions 0 to n - 1.

    `recall` is the share of the true ten nearest that searches found at build time, on queries
    made from the index's own vectors; 1.0 for an exact index, None for an empty one. `nbytes` is
    the size as saved.
    """

    kind: PrimaryKind
    dimension: int
    recall: float | None
    nbytes: int
    effort: Effort
    _size: int = field(alias="size")
    _index: faiss.Index = field(alias="index", repr=False)
    _lock: Lock = field(alias="lock", factory=Lock, repr=False)

    @classmethod
    def build(
        cls,
        kind: PrimaryKind,
        vectors: NDArray[np.floating],
        *,
        threads: int = 1,
        seed: int = _SEED,
        report: Callable[[str], None] | None = None,
    ) -> Self:
        """Train, fill and calibrate an index of `vectors`, shape (n, d), any float dtype.

        They may be mapped from a file: no more than a block and a sample are held as float32. Too
        few for `kind` become `workable_kind` of it. The same arguments give the same index.
        """
        say = report or _say_nothing
        size, dimension = vectors.shape
        kind = workable_kind(kind, size)
        chance = np.random.default_rng(seed)
        index = empty_index(kind, size, dimension, seed)
        with _openmp_threads(threads):
            if size and kind is not PrimaryKind.FLAT:
                sample = sample_of(vectors, training_size(kind, size), chance)
                say(f"training {kind} on {len(sample)} of {size} vectors")
                # Product codes are many tiny clusterings: two threads that wait for each other
                # at each step take many times as long as one, minutes on a busy machine.
                with _openmp_threads(1 if kind is PrimaryKind.OPQ_IVF_PQ else threads):
                    index.train(sample)
                del sample
            for start, block in blocks_of(vectors):
                say(f"adding vectors {start} to {start + len(block)} of {size}")
                index.add(block)
            built = cls(
                kind=kind,
                dimension=dimension,
                recall=1.0 if kind is PrimaryKind.FLAT and size else None,
                nbytes=_saved_size(index),
                effort=Effort(),
                size=size,
                index=index,
            )
            if kind is PrimaryKind.FLAT or not size:
                return built
            say(f"calibrating {kind}")
            return built._calibrated(vectors, chance)

    @classmethod
    def open(cls, path: Path, parameters: Mapping[str, object], *, memory_map: bool = True) -> Self:
        """The index that was saved at `path`; `parameters` as `parameters()` gave them.

        Mapped, its pages are read when a search touches them, and the file may be unlinked or
        replaced by another meanwhile, but never changed. Raises DamagedCacheError where bytes are
        wrong or missing; OSError and MemoryError where the system does not let them be read.
        """
        try:
            kind = PrimaryKind(str(parameters["kind"]))
            size, dimension = _whole(parameters["vectors"]), _whole(parameters["dimension"])
            effort = Effort(
                nprobe=_whole_or_none(parameters["nprobe"]),
                near_depth=_whole_or_none(parameters["near_depth"]),
                far_depth=_whole_or_none(parameters["far_depth"]),
            )
            recall, nbytes = parameters["recall"], _whole(parameters["bytes"])
            # FAISS maps files that lack their last bytes.
            if path.stat().st_size != nbytes:
                raise ValueError("another size than was saved")
            index = _read(path, memory_map)
        except (FileNotFoundError, RuntimeError, KeyError, ValueError) as error:
            raise DamagedCacheError("A vector index cannot be read.") from error
        alike = isinstance(index, INDEX_CLASSES[kind])
        if not alike or (index.ntotal, index.d) != (size, dimension):
            raise DamagedCacheError("A vector index is not the one that was saved.")
        return cls(
            kind=kind,
            dimension=dimension,
            recall=recall if isinstance(recall, float) else None,
            nbytes=nbytes,
            effort=effort,
            size=size,
            index=index,
        )

    def save(self, path: Path) -> None:
        """Write the index to `path`, down to the disk. Raises OSError."""
        with path.open("wb") as file, self._lock:
            if self._needs_direct_map:
                # FAISS would write it too, and read it back where it maps the rest.
                faiss.extract_index_ivf(self._index).make_direct_map(False)
            faiss.write_index(self._index, faiss.PyCallbackIOWriter(file.write))
            file.flush()
            os.fsync(file.fileno())

    def parameters(self) -> dict[str, float | int | str | None]:
        """What `open` needs to know beside the file."""
        return {
            "kind": str(self.kind),
            "vectors": self._size,
            "dimension": self.dimension,
            "bytes": self.nbytes,
            "nprobe": self.effort.nprobe,
            "near_depth": self.effort.near_depth,
            "far_depth": self.effort.far_depth,
            "recall": self.recall,
        }

    def __len__(self) -> int:
        return self._size

    def codes_address(self) -> int | None:
        """Where some of its codes lie, in memory or in its mapped file; None where there are none.

        Good for as long as this is held.
        """
        if not self._size:
            return None
        index = self._index
        if isinstance(index, faiss.IndexRefine):
            index = faiss.downcast_index(index.refine_index)
        if isinstance(index, faiss.IndexFlatCodes):
            return int(index.codes.data())
        lists = faiss.extract_index_ivf(index).invlists
        filled = next(number for number in range(self._lists) if lists.list_size(number))
        return int(lists.get_codes(filled))

    def search(
        self,
        vector: NDArray[np.float32],
        k: int,
        allowed: NDArray[np.uint8] | None = None,
        allowed_count: int | None = None,
    ) -> tuple[Positions, Scores]:
        """Positions and inner products of the (about) k nearest to `vector` (d,), best first.

        `allowed` has one bit for each position, the lowest bit of a byte first (`np.packbits` with
        bitorder="little"); only positions whose bit is set take part. `allowed_count` is how many
        are set, counted here if it is not given. Fewer than k come back only where there are no
        more. Raises DamagedCacheError where what was opened turns out to make no sense.
        """
        use_one_thread()
        query = np.ascontiguousarray(vector[np.newaxis, :], dtype=np.float32)
        take = self._size
        if allowed is not None:
            take = int(np.bitwise_count(allowed).sum()) if allowed_count is None else allowed_count
        k = min(k, take)
        if k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        nprobe = self.effort.nprobe
        if nprobe is not None:
            # A filter leaves fewer neighbours in each list, and those that it leaves may well lie
            # together in far ones: visit more lists, all of them where it is narrow.
            nprobe = min(ceil(nprobe * self._size / take), self._lists)
        depth = min(self.effort.depth(k), take)
        try:
            scores, positions = self._nearest(query, k, nprobe, depth, allowed)
            if nprobe is not None and nprobe < self._lists and positions.min() < 0:
                scores, positions = self._nearest(query, k, self._lists, depth, allowed)
        except RuntimeError as error:
            raise DamagedSegmentError("A vector index cannot be searched.") from error
        found = positions[0] >= 0
        return positions[0][found], scores[0][found]

    def vectors_at(self, positions: Positions) -> Vectors:
        """The vectors at positions (m,), float32 (m, d): exact where flat, otherwise as coded."""
        if not len(positions):
            return np.empty((0, self.dimension), np.float32)
        use_one_thread()
        keys = np.ascontiguousarray(positions, dtype=np.int64)
        if isinstance(self._index, faiss.IndexRefine):
            return faiss.downcast_index(self._index.refine_index).reconstruct_batch(keys)
        if not self._needs_direct_map:
            return self._index.reconstruct_batch(keys)
        with self._lock:
            # 8 bytes for each vector; does nothing when it is there already.
            faiss.extract_index_ivf(self._index).make_direct_map()
            return self._index.reconstruct_batch(keys)

    @property
    def _needs_direct_map(self) -> bool:
        """Whether it takes a map from positions to places in lists to give a vector back."""
        return self.kind.has_lists and not self.kind.is_refined

    @property
    def _lists(self) -> int:
        return faiss.extract_index_ivf(self._inner).nlist

    @property
    def _inner(self) -> faiss.Index:
        """The index that finds candidates."""
        if isinstance(self._index, faiss.IndexRefine):
            return faiss.downcast_index(self._index.base_index)
        return self._index

    def _nearest(
        self,
        queries: Vectors,
        k: int,
        nprobe: int | None,
        depth: int,
        allowed: NDArray[np.uint8] | None = None,
    ) -> tuple[Scores, Positions]:
        parameters = self._parameters(nprobe, allowed)
        if self.kind.is_refined:
            parameters = faiss.IndexRefineSearchParameters(
                k_factor=depth / k, base_index_params=parameters
            )
        return self._index.search(queries, k, params=parameters)

    def _parameters(
        self, nprobe: int | None, allowed: NDArray[np.uint8] | None = None
    ) -> faiss.SearchParameters:
        """For the index that finds candidates; `allowed` must outlive them."""
        selector = None
        if allowed is not None:
            selector = faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(allowed))
        if nprobe is None:
            return faiss.SearchParameters(sel=selector)
        parameters = faiss.SearchParametersIVF(sel=selector, nprobe=nprobe)
        if isinstance(self._index, faiss.IndexPreTransform):
            return faiss.SearchParametersPreTransform(index_params=parameters)
        return parameters

    def _calibrated(self, vectors: NDArray[np.floating], chance: np.random.Generator) -> Self:
        """The same index with the least effort that finds what exact search finds."""
        queries = likely_queries(vectors, chance)
        scores, nearest = exact_nearest(vectors, queries, min(FAR, self._size))
        near = min(NEAR, self._size)
        effort = self.effort
        if self.kind.has_lists:
            ranks = self._list_ranks(vectors, queries, nearest)
            nprobe = max(enough(part, LIST_COVERAGE) for part in (ranks[:, :near], ranks))
            effort = evolve(effort, nprobe=nprobe)
        if self.kind.is_refined:
            most = min(MOST_CANDIDATES, self._size)
            inner = self._parameters(effort.nprobe)
            _, candidates = self._inner.search(queries, most, params=inner)
            ranks = ranks_of(candidates, nearest)
            # What lies in lists that are not visited is no question of the codes.
            effort = evolve(
                effort,
                near_depth=enough(ranks[:, :near], CODE_COVERAGE, most),
                far_depth=enough(ranks, CODE_COVERAGE, most),
            )
        _, found = self._nearest(queries, near, effort.nprobe, effort.depth(near))
        rows = np.ascontiguousarray(vectors[found.ravel()], dtype=np.float32)
        exact = np.einsum("qkd,qd->qk", rows.reshape(*found.shape, -1), queries)
        # By score, because copies of one vector are as good as each other.
        hits = (exact >= scores[:, near - 1 : near] - _ROUNDING) & (found >= 0)
        return evolve(self, effort=effort, recall=float(hits.mean()))

    def _list_ranks(
        self, vectors: NDArray[np.floating], queries: Vectors, nearest: Positions
    ) -> Positions:
        """When the list of each of `nearest` (q, k) is visited: 0 for the first list."""
        rows = np.ascontiguousarray(vectors[nearest.ravel()], dtype=np.float32)
        if isinstance(self._index, faiss.IndexPreTransform):
            rotation = self._index.chain.at(0)
            rows, queries = rotation.apply(rows), rotation.apply(queries)
        quantizer = faiss.extract_index_ivf(self._inner).quantizer
        _, order = quantizer.search(queries, self._lists)
        return ranks_of(order, quantizer.assign(rows, 1).reshape(nearest.shape))


def use_one_thread() -> None:
    """One OpenMP thread per query: more made single queries slower, and every pool would spin."""
    if not getattr(_thread, "limited", False):
        faiss.omp_set_num_threads(1)
        _thread.limited = True


@contextmanager
def _openmp_threads(count: int) -> Generator[None]:
    """So many OpenMP threads for what this thread asks of FAISS meanwhile."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def _read(path: Path, memory_map: bool) -> faiss.Index:
    # Elsewhere a mapped file cannot be replaced, and FAISS opens paths in the wrong encoding.
    if memory_map and os.name == "posix":
        with suppress(UnicodeEncodeError):
            str(path).encode()
            try:
                return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
            except RuntimeError as error:
                # FAISS tells in words alone whether the system or the bytes are to blame.
                reason = str(error).rsplit(": ", 1)[-1]
                refused = any(words in str(error) for words in _REFUSED)
                if refused and reason != os.strerror(errno.ENOENT):
                    raise OSError(errno.EIO, reason) from error
                raise
    with path.open("rb") as file:
        return faiss.read_index(faiss.PyCallbackIOReader(file.read))


def _saved_size(index: faiss.Index) -> int:
    sizes: list[int] = []

    def count(block: bytes) -> int:
        sizes.append(len(block))
        return len(block)

    faiss.write_index(index, faiss.PyCallbackIOWriter(count))
    return sum(sizes)


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError(f"{value!r} is no whole number")
    return value


def _whole_or_none(value: object) -> int | None:
    return None if value is None else _whole(value)


def _say_nothing(stage: str) -> None:
    del stage
