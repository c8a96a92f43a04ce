"""Text becomes unit vectors.

This room knows no files, no index and no editor: text in, `float32` unit vectors out.
"""

from codeintel_ls.embedding.encoder import Encoder, ModelUnavailableError, Vectors
from codeintel_ls.embedding.static import StaticEncoder, bundled_encoder, load_encoder
from codeintel_ls.embedding.words import count_tokens, split_token, words_of

__all__ = [
    "Encoder",
    "ModelUnavailableError",
    "StaticEncoder",
    "Vectors",
    "bundled_encoder",
    "count_tokens",
    "load_encoder",
    "split_token",
    "words_of",
]
