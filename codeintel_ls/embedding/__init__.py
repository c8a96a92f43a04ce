"""Text becomes unit vectors.

This room knows no files, no index and no editor: text in, `float32` unit vectors out.
"""

from codeintel_ls.embedding.deep import DeepEncoder, DeepModel, bundled_deep_model
from codeintel_ls.embedding.encoder import Encoder, ModelUnavailableError, Vectors
from codeintel_ls.embedding.endpoint import Endpoint, Provider
from codeintel_ls.embedding.errors import (
    BadReplyError,
    EmbeddingError,
    EndpointDownError,
    EndpointMisconfiguredError,
    EndpointRefusedError,
    InputTooLongError,
    ModelChangedError,
)
from codeintel_ls.embedding.opening import Model, open_encoder
from codeintel_ls.embedding.remote_model import RemoteModel
from codeintel_ls.embedding.static import StaticEncoder, bundled_encoder, load_encoder
from codeintel_ls.embedding.words import count_tokens, split_token, words_of

__all__ = [
    "BadReplyError",
    "DeepEncoder",
    "DeepModel",
    "EmbeddingError",
    "Encoder",
    "Endpoint",
    "EndpointDownError",
    "EndpointMisconfiguredError",
    "EndpointRefusedError",
    "InputTooLongError",
    "Model",
    "ModelChangedError",
    "ModelUnavailableError",
    "Provider",
    "RemoteModel",
    "StaticEncoder",
    "Vectors",
    "bundled_deep_model",
    "bundled_encoder",
    "count_tokens",
    "load_encoder",
    "open_encoder",
    "split_token",
    "words_of",
]
