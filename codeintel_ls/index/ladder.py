"""Which kind of vector index serves which number of vectors, and what it costs: bytes and effort.

The kinds: exact (flat); 8-bit scalar quantization (sq8); RaBitQ (Gao & Long, SIGMOD 2024), one bit
per dimension, whose best candidates are scored again with 8-bit vectors (rabitq); and the same
behind inverted lists, so that a query visits a part of them (IVF; Sivic & Zisserman 2003, Jégou,
Douze & Schmid 2011). opq-ivf-pq rotates first (OPQ; Ge, He, Ke & Sun 2013) and then keeps product
codes only: the smallest, but its training is slow and its recall low.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from math import ceil, isqrt
from typing import Final

import faiss
import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.embedding import Vectors

Positions = NDArray[np.int64]
Scores = NDArray[np.float32]


class PrimaryKind(StrEnum):
    """A kind of dense index, by the name that settings and the index's status use."""

    FLAT = "flat"
    SQ8 = "sq8"
    RABITQ = "rabitq"
    IVF_SQ8 = "ivf-sq8"
    IVF_RABITQ = "ivf-rabitq"
    IVF_FLAT = "ivf-flat"
    OPQ_IVF_PQ = "opq-ivf-pq"

    @property
    def has_lists(self) -> bool:
        """Whether a query visits a part of inverted lists, and not every vector."""
        return self in _WITHOUT_LISTS

    @property
    def is_refined(self) -> bool:
        """Whether candidates found by one-bit codes are scored again by 8-bit vectors."""
        return self in (PrimaryKind.RABITQ, PrimaryKind.IVF_RABITQ)


_WITHOUT_LISTS: Final[Mapping[PrimaryKind, PrimaryKind]] = {
    PrimaryKind.IVF_SQ8: PrimaryKind.SQ8,
    PrimaryKind.IVF_RABITQ: PrimaryKind.RABITQ,
    PrimaryKind.IVF_FLAT: PrimaryKind.FLAT,
    PrimaryKind.OPQ_IVF_PQ: PrimaryKind.SQ8,
}
_VECTORS_PER_LIST: Final = 32
"""So many vectors train one inverted list's centroid; with fewer than that it says little."""
_FEWEST_LISTS: Final = 16
_MOST_LISTS: Final = 8192
_LIST_ITERATIONS: Final = 10
_SCALAR_SAMPLE: Final = 16_384
_CODE_BITS: Final = 8
_CODE_ITERATIONS: Final = 6
_ROTATION_ITERATIONS: Final = 3
_ROTATION_SAMPLE: Final = 4096
"""FAISS chooses 50 rounds over 65 K vectors, which take minutes; here 8 found no more than 2."""
_RABITQ_FACTORS: Final = 8
"""Bytes that RaBitQ keeps beside a vector's bits: two floats that undo its estimate's bias."""
_QUERY_BITS: Final = 4
"""Bits of a query's dimension. 8 find hardly more; 0 (as it is), FAISS's default before 1.14,
takes a hundred times as long."""
_LIST_ENTRY: Final = 8
"""Bytes of one id in an inverted list, and of one list's length in the file."""
_HEADER: Final = 200
_BLOCK_ROWS: Final = 16_384
_SAMPLE_QUERIES: Final = 640
"""With 160, one sample in ten asked for half as many lists again as the others."""
NEAR: Final = 10
FAR: Final = 100
"""Recall is calibrated for so many results: what a person sees, and what ranking looks at."""
LIST_COVERAGE: Final = 0.99
"""Of a likely query's true neighbours, the share whose lists are to be visited."""
CODE_COVERAGE: Final = 0.985
"""Of those again, the share that is to be among the candidates that are scored again."""
MOST_CANDIDATES: Final = 4096
_QUERY_SPREAD: Final = 1.5


@frozen(kw_only=True)
class Effort:
    """How hard a search tries; found by calibration.

    `nprobe`: inverted lists that are visited. `near_depth`, `far_depth`: candidates that are
    scored again for 10 and for 100 results.
    """

    nprobe: int | None = None
    near_depth: int | None = None
    far_depth: int | None = None

    def depth(self, k: int) -> int:
        """Candidates to score again for k results: linear through the two measured ones."""
        near, far = self.near_depth or k, self.far_depth or k
        return max(k, near, round(near + (k - NEAR) * (far - near) / (FAR - NEAR)))


@frozen(kw_only=True)
class Ladder:
    """The rungs: flat up to `flat_up_to` vectors, one-bit codes up to `scalar_up_to`, then lists.

    `kind` overrules the sizes, see `choose`.
    """

    kind: PrimaryKind | None = None
    flat_up_to: int = 10_000
    scalar_up_to: int = 100_000

    def choose(self, vectors: int) -> PrimaryKind:
        """The kind for so many vectors.

        An override is taken wherever it can be trained: with too few vectors it falls back to the
        same codes without lists (`workable_kind`), and becomes what was asked for as they grow.
        """
        if self.kind is not None:
            return workable_kind(self.kind, vectors)
        if vectors <= self.flat_up_to:
            return PrimaryKind.FLAT
        if vectors <= self.scalar_up_to:
            return PrimaryKind.RABITQ
        return workable_kind(PrimaryKind.IVF_SQ8, vectors)


def workable_kind(kind: PrimaryKind, vectors: int) -> PrimaryKind:
    """`kind`, or the same codes without lists where so few vectors cannot train them.

    Product codes fall back to 8-bit scalars; none at all, to the flat index.
    """
    if vectors == 0:
        return PrimaryKind.FLAT
    if kind.has_lists and vectors < _FEWEST_LISTS * _VECTORS_PER_LIST:
        return _WITHOUT_LISTS[kind]
    return kind


def list_count(vectors: int) -> int:
    """How many inverted lists: 4√n, so that training and adding stay affordable on two cores.

    8√n were measured at 100 K vectors: a search is as fast, and training takes three times as long.
    """
    trainable = max(_FEWEST_LISTS, vectors // _VECTORS_PER_LIST)
    return min(4 * isqrt(vectors), trainable, _MOST_LISTS)


def sub_quantizers(dimension: int) -> int:
    """Bytes of a product code: one for each four dimensions where that divides them."""
    return next(size for size in range(max(1, dimension // 4), 0, -1) if dimension % size == 0)


def estimate_memory_usage(kind: PrimaryKind, vectors: int, dimension: int) -> int:
    """Bytes of the index of `vectors` × `dimension` as saved, and as held when it is not mapped."""
    kind = workable_kind(kind, vectors)
    scalar_bounds, one_scale = 2 * dimension * 4, 2 * 4
    one_bit = (dimension + 7) // 8 + _RABITQ_FACTORS
    per_vector, trained = {
        PrimaryKind.FLAT: (4 * dimension, 0),
        PrimaryKind.IVF_FLAT: (4 * dimension, 0),
        PrimaryKind.SQ8: (dimension, one_scale),
        PrimaryKind.IVF_SQ8: (dimension, one_scale),
        PrimaryKind.RABITQ: (one_bit + dimension, scalar_bounds + 4 * dimension),
        PrimaryKind.IVF_RABITQ: (one_bit + dimension, scalar_bounds),
        PrimaryKind.OPQ_IVF_PQ: (
            sub_quantizers(dimension),
            2**_CODE_BITS * dimension * 4 + dimension * dimension * 4,
        ),
    }[kind]
    lists = 0
    if kind.has_lists:
        per_vector += _LIST_ENTRY
        lists = list_count(vectors) * (dimension * 4 + _LIST_ENTRY)
    return _HEADER + vectors * per_vector + trained + lists


INDEX_CLASSES: Final[Mapping[PrimaryKind, type[faiss.Index]]] = {
    PrimaryKind.FLAT: faiss.IndexFlat,
    PrimaryKind.SQ8: faiss.IndexScalarQuantizer,
    PrimaryKind.RABITQ: faiss.IndexRefine,
    PrimaryKind.IVF_SQ8: faiss.IndexIVFScalarQuantizer,
    PrimaryKind.IVF_RABITQ: faiss.IndexRefine,
    PrimaryKind.IVF_FLAT: faiss.IndexIVFFlat,
    PrimaryKind.OPQ_IVF_PQ: faiss.IndexPreTransform,
}
"""What FAISS makes of each kind, and reads back from its file."""


def training_size(kind: PrimaryKind, vectors: int) -> int:
    """How many of the vectors an index of so many is trained on."""
    if kind.has_lists:
        return min(vectors, max(_SCALAR_SAMPLE, _VECTORS_PER_LIST * list_count(vectors)))
    return min(vectors, _SCALAR_SAMPLE)


def empty_index(kind: PrimaryKind, vectors: int, dimension: int, seed: int) -> faiss.Index:
    """An untrained index by inner product, laid out for so many vectors."""
    product, eight_bits = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer.QT_8bit
    # One scale for all dimensions is twice as fast where every vector is looked at.
    one_scale = faiss.ScalarQuantizer.QT_8bit_uniform
    scalars = faiss.IndexScalarQuantizer(dimension, eight_bits, product)
    coarse = faiss.IndexFlat(dimension, product)
    lists = list_count(vectors)
    match kind:
        case PrimaryKind.FLAT:
            return coarse
        case PrimaryKind.SQ8:
            return faiss.IndexScalarQuantizer(dimension, one_scale, product)
        case PrimaryKind.RABITQ:
            bits = faiss.IndexRaBitQ(dimension, product)
            bits.qb = _QUERY_BITS
            return faiss.IndexRefine(bits, scalars)
        case PrimaryKind.IVF_FLAT:
            return _seeded(faiss.IndexIVFFlat(coarse, dimension, lists, product), seed)
        case PrimaryKind.IVF_SQ8:
            behind = faiss.IndexIVFScalarQuantizer(coarse, dimension, lists, one_scale, product)
            return _seeded(behind, seed)
        case PrimaryKind.IVF_RABITQ:
            behind = faiss.IndexIVFRaBitQ(coarse, dimension, lists, product)
            behind.qb = _QUERY_BITS
            return faiss.IndexRefine(_seeded(behind, seed), scalars)
        case PrimaryKind.OPQ_IVF_PQ:
            parts = sub_quantizers(dimension)
            behind = faiss.IndexIVFPQ(coarse, dimension, lists, parts, _CODE_BITS, product)
            _seed_codes(behind.pq, seed)
            codes = faiss.ProductQuantizer(dimension, parts, _CODE_BITS)
            _seed_codes(codes, seed)
            rotation = faiss.OPQMatrix(dimension, parts)
            rotation.pq = codes
            # FAISS keeps a bare pointer: this keeps what it points to, as FAISS's own classes do.
            rotation.referenced_objects = [codes]
            rotation.niter = _ROTATION_ITERATIONS
            rotation.niter_pq = rotation.niter_pq_0 = _ROTATION_ITERATIONS
            rotation.max_train_points = _ROTATION_SAMPLE
            return faiss.IndexPreTransform(rotation, _seeded(behind, seed))


def _seeded(index: faiss.IndexIVF, seed: int) -> faiss.IndexIVF:
    index.cp.seed = seed
    index.cp.niter = _LIST_ITERATIONS
    # The sample has the size that it should have: FAISS need not warn of it or cut it.
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = _SCALAR_SAMPLE
    return index


def _seed_codes(codes: faiss.ProductQuantizer, seed: int) -> None:
    codes.cp.seed = seed
    codes.cp.niter = _CODE_ITERATIONS
    codes.cp.min_points_per_centroid = 1
    codes.cp.max_points_per_centroid = _VECTORS_PER_LIST


def blocks_of(vectors: NDArray[np.floating]) -> Iterator[tuple[int, Vectors]]:
    """The rows as float32, so many at a time that memory stays bounded, with the first's place."""
    for start in range(0, len(vectors), _BLOCK_ROWS):
        yield start, np.ascontiguousarray(vectors[start : start + _BLOCK_ROWS], dtype=np.float32)


def sample_of(vectors: NDArray[np.floating], count: int, chance: np.random.Generator) -> Vectors:
    """So many different rows, or all where there are fewer, in their order."""
    if count >= len(vectors):
        return np.ascontiguousarray(vectors, dtype=np.float32)
    rows = np.sort(chance.choice(len(vectors), count, replace=False))
    return np.ascontiguousarray(vectors[rows], dtype=np.float32)


def likely_queries(vectors: NDArray[np.floating], chance: np.random.Generator) -> Vectors:
    """Unit vectors (q, d) that lie as far from the data as people's questions do.

    A vector of the index plus a difference of two others: noise, but of the data's own shape.
    Measured with code and with sentences about it, at 5 K to 1 M vectors: the lists that hold a
    share of 0.985 of these queries' neighbours held 0.95 to 0.97 of the sentences'. Queries that
    are the index's own vectors would ask for half as many lists.
    """
    own, one, other = (sample_of(vectors, _SAMPLE_QUERIES, chance) for _ in range(3))
    chance.shuffle(one)
    chance.shuffle(other)
    queries = own + _QUERY_SPREAD * (one - other) / np.sqrt(2, dtype=np.float32)
    norms = np.linalg.norm(queries, axis=1, keepdims=True)
    return np.divide(queries, norms, out=own, where=norms > 0)


def exact_nearest(
    vectors: NDArray[np.floating], queries: Vectors, k: int
) -> tuple[Scores, Positions]:
    """The true k nearest of each query, best first: scores and positions (q, k), by blocks."""
    best = faiss.ResultHeap(len(queries), k, keep_max=True)
    for start, block in blocks_of(vectors):
        scores, positions = faiss.knn(
            queries, block, min(k, len(block)), metric=faiss.METRIC_INNER_PRODUCT
        )
        best.add_result(scores, positions + start)
    best.finalize()
    return best.D, best.I


def enough(ranks: Positions, share: float, most: int | None = None) -> int:
    """How many must be looked at so that `share` of the ranks (from 0) are among them.

    Ranks of `most` and above were never found, and do not count.
    """
    ordered = np.sort(ranks if most is None else ranks[ranks < most], axis=None)
    if not len(ordered):
        return most or 1
    return int(ordered[ceil(share * len(ordered)) - 1]) + 1


def ranks_of(found: Positions, wanted: Positions) -> Positions:
    """Where in its row of `found` (q, m) each of `wanted` (q, k) stands; m where it does not."""
    ranks = np.full(wanted.shape, found.shape[1], np.int64)
    for row, (names, places) in enumerate(zip(found, wanted, strict=True)):
        same = names == places[:, np.newaxis]
        ranks[row] = np.where(same.any(axis=1), same.argmax(axis=1), found.shape[1])
    return ranks
