"""How vectors are kept and joined, apart from any index over them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from codeintel_ls.embedding import Vectors
from codeintel_ls.index.errors import DamagedCacheError

PATH_WEIGHT: Final = 0.5
"""How much a file's path counts in a chunk's vector, beside 1 for its text."""


def pack_vector(vector: NDArray[np.float32]) -> bytes:
    """A stored vector: float16, little-endian."""
    return vector.astype("<f2").tobytes()


def unpack_vectors(packed: Sequence[bytes], dimension: int) -> Vectors:
    """Stored vectors as float32 of shape (n, dimension); raises DamagedCacheError otherwise."""
    if any(len(vector) != 2 * dimension for vector in packed):
        raise DamagedCacheError("The index cache holds vectors of another length.")
    joined = np.frombuffer(b"".join(packed), dtype="<f2")
    return joined.reshape(len(packed), dimension).astype(np.float32)


def join_vectors(texts: Vectors, paths: Vectors) -> Vectors:
    """Chunk vectors of shape (n, d) from unit vectors of their text and of their file's path.

    Kept apart until here, so that a renamed file embeds nothing but its new path.
    """
    joined = texts + PATH_WEIGHT * paths
    norms = np.linalg.norm(joined, axis=1, keepdims=True)
    return np.divide(joined, norms, out=np.zeros_like(joined), where=norms > 0)
