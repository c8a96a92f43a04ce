"""How vectors are kept and joined, apart from any index over them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from codeintel_ls.embedding import Vectors

PATH_WEIGHT: Final = 0.5
"""How much a file's path counts in a chunk's vector, beside 1 for its text."""


def pack_vector(vector: NDArray[np.float32]) -> bytes:
    """A stored vector: float16, little-endian."""
    return vector.astype("<f2").tobytes()


def join_vectors(texts: Vectors, paths: Vectors) -> Vectors:
    """Chunk vectors of shape (n, d) from unit vectors of their text and of their file's path.

    Kept apart until here, so that a renamed file embeds nothing but its new path; zeros where the
    text has been read with its path (`Encoder.reads_paths`). Rounded to
    float16's values: a chunk has the same vector in memory and in a segment on disk.
    """
    joined = texts + PATH_WEIGHT * paths
    norms = np.linalg.norm(joined, axis=1, keepdims=True)
    unit = np.divide(joined, norms, out=np.zeros_like(joined), where=norms > 0)
    return unit.astype(np.float16).astype(np.float32)
