"""Which model an endpoint serves: asked once, remembered, and recognized when it is asked again.

A name tells little: another model may be served under it tomorrow. So the vector of one fixed
sentence is kept; an endpoint whose vector for it points elsewhere serves another model.
"""

import json
import logging
import os
from base64 import b64decode, b64encode
from hashlib import blake2b
from pathlib import Path
from typing import Final, cast

import numpy as np

from codeintel_ls.embedding.encoder import Vectors
from codeintel_ls.embedding.endpoint import Endpoint
from codeintel_ls.embedding.errors import BadReplyError
from codeintel_ls.embedding.http_client import HttpEmbedder
from codeintel_ls.embedding.remote_model import RemoteModel, recipe_of
from codeintel_ls.embedding.wire import Side

_log = logging.getLogger(__name__)

_SENTENCE: Final = "def total_price(items): return the sum of all prices, with discounts"
_SAME: Final = 0.995
"""Servers, batches and processors move a vector by less than that; other weights by more."""


class ModelRecords:
    """What is known of the models of endpoints, in a folder."""

    def __init__(self, folder: Path) -> None:
        """The folder need not exist yet."""
        self._folder = folder

    def known(self, endpoint: Endpoint) -> RemoteModel | None:
        """The model as it was found before; None where it never was."""
        vector = self._recall(endpoint)
        return None if vector is None else _model(endpoint, vector)

    def ask(self, embedder: HttpEmbedder) -> RemoteModel:
        """Ask the endpoint; what was known counts if it is still so. Raises EmbeddingError."""
        endpoint = embedder.endpoint
        seconds = endpoint.bulk_seconds
        vector = embedder.embed_batch([_SENTENCE], Side.DOCUMENT, seconds=seconds)[0]
        if not vector.any():
            raise BadReplyError(f"The embedding endpoint {endpoint.origin} sent an empty vector.")
        before = self._recall(endpoint)
        if before is not None and _cosine(before, vector) >= _SAME:
            return _model(endpoint, before)
        self._remember(endpoint, vector)
        return _model(endpoint, vector)

    def _path(self, endpoint: Endpoint) -> Path:
        digest = blake2b(f"{endpoint.model}\0{recipe_of(endpoint)}".encode(), digest_size=12)
        return self._folder / f"{digest.hexdigest()}.json"

    def _recall(self, endpoint: Endpoint) -> Vectors | None:
        try:
            values = cast("object", json.loads(self._path(endpoint).read_bytes()))
            match values:
                case {"vector": str() as packed}:
                    vector = np.frombuffer(b64decode(packed, validate=True), dtype="<f4")
                case _:
                    return None
        except (OSError, ValueError, RecursionError):
            return None
        return vector if len(vector) and np.isfinite(vector).all() and vector.any() else None

    def _remember(self, endpoint: Endpoint, vector: Vectors) -> None:
        path = self._path(endpoint)
        packed = b64encode(vector.astype("<f4").tobytes()).decode()
        unfinished = path.with_suffix(f".{os.getpid()}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished.write_text(json.dumps({"model": endpoint.model, "vector": packed}))
            unfinished.replace(path)
        except OSError as error:
            _log.info("An endpoint's model will be asked for anew: %s", error.strerror)


def _model(endpoint: Endpoint, vector: Vectors) -> RemoteModel:
    data = vector.astype("<f4").tobytes()
    return RemoteModel(endpoint, len(vector), blake2b(data, digest_size=6).hexdigest())


def _cosine(one: Vectors, other: Vectors) -> float:
    if one.shape != other.shape:
        return 0.0
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
