"""What every encoder offers, whatever runs behind it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codeintel_ls.errors import CodeIntelError

Vectors = NDArray[np.float32]


class ModelUnavailableError(CodeIntelError):
    """The weights cannot be used; the sentence names the setting to change."""


class Encoder(Protocol):
    """Text becomes unit vectors. Thread-safe; blocks while it computes."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        ...

    @property
    def identity(self) -> str:
        """Names weights and method: vectors of different identities are not comparable."""
        ...

    @property
    def reads_paths(self) -> bool:
        """Whether a chunk is embedded with its file's path in its text, not apart from it."""
        ...

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Embeddings of shape (len(texts), dimension), float32; rows are unit or all zero."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embeddings of questions, to be compared with those of documents by inner product."""
        ...
