"""A static encoder: a text's vector is the weighted sum of its words' rows in a table.

No network, no graph: one table of token rows and the tokenizer that goes with it, in the format
of `model2vec` folders (https://github.com/MinishLab/model2vec), or in int8 as the project's own
training writes it. It must never download anything; what is not on disk is an error that names
the setting.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Self, cast

import numpy as np
from attrs import frozen
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load
from tokenizers import Tokenizer

from codeintel_ls.embedding.encoder import ModelUnavailableError, Vectors
from codeintel_ls.embedding.table import (
    TOKENIZER_FILE,
    QuantizedTable,
    content_digest,
    is_quantized,
    open_table,
    recorded_digest,
)
from codeintel_ls.embedding.words import count_tokens, split_token

_METHOD = "words1"
_BUNDLED = Path(__file__).parent / "models" / "static"
_REMEMBERED_WORDS = 100_000
_loading = Lock()


class StaticEncoder:
    """Sums √count-weighted rows of the words' tokens and scales the sum to unit length."""

    def __init__(
        self, table: NDArray[np.floating] | QuantizedTable, tokenizer: Tokenizer, identity: str
    ) -> None:
        """`table` has shape (vocabulary, dimension); row i belongs to the tokenizer's id i."""
        self._table = table if isinstance(table, QuantizedTable) else _PlainTable.of(table)
        self._tokenizer = tokenizer
        self._identity = f"static:{identity}:{_METHOD}"
        self._tokens_of_word: dict[str, tuple[int, ...]] = {}

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return int(self._table.shape[1])

    @property
    def identity(self) -> str:
        """Changes with the weights and with the way words are weighed."""
        return self._identity

    @property
    def reads_paths(self) -> bool:
        """A sum of words is the same apart: a renamed file embeds nothing but its new path."""
        return False

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (len(texts), dimension); a text without words gives zeros."""
        bags = [_bag_of_words(text) for text in texts]
        tokens_of_word = self._tokens_of({word for bag in bags for word in bag})
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, bag in enumerate(bags):
            if bag:
                vectors[row] = self._weighted_sum([tokens_of_word[word] for word in bag], bag)
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.divide(vectors, norms, out=vectors, where=norms > 0)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Questions and documents share one space and one method here."""
        return self.embed_documents(texts)

    def _weighted_sum(
        self, tokens: Sequence[tuple[int, ...]], bag: Mapping[str, int]
    ) -> NDArray[np.float32]:
        """One vector: each word's √count is shared out among its tokens by their √number."""
        lengths = np.fromiter(map(len, tokens), dtype=np.int64, count=len(tokens))
        counts = np.fromiter(bag.values(), dtype=np.float32, count=len(tokens))
        weights = np.sqrt(counts / lengths, dtype=np.float32).repeat(lengths)
        return self._table.weighted_sum(list(chain.from_iterable(tokens)), weights)

    def _tokens_of(self, words: set[str]) -> dict[str, tuple[int, ...]]:
        """The token ids of at least these words; what was looked up is remembered."""
        known = self._tokens_of_word
        if len(known) > _REMEMBERED_WORDS:
            # Other threads go on with the one that they hold.
            known = self._tokens_of_word = {}
        new = [word for word in words if word not in known]
        encodings = self._tokenizer.encode_batch_fast(new, add_special_tokens=False)
        rows = self._table.shape[0]
        for word, encoding in zip(new, encodings, strict=True):
            known[word] = tuple(token for token in encoding.ids if token < rows) or (0,)
        return known


@frozen(eq=False)
class _PlainTable:
    """A table that is held in memory as float32."""

    rows: NDArray[np.float32]

    @classmethod
    def of(cls, rows: NDArray[np.floating]) -> Self:
        return cls(np.ascontiguousarray(rows, dtype=np.float32))

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows.shape[0], self.rows.shape[1]

    def weighted_sum(self, tokens: list[int], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        # One product for each text: a copy of all rows, scaled and summed, takes twice as long.
        return weights @ self.rows[tokens]


def _bag_of_words(text: str) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for token, count in count_tokens(text).items():
        for word in split_token(token):
            counts[word] = counts.get(word, 0) + count
    return counts


def bundled_encoder() -> StaticEncoder:
    """The encoder that comes with the installation: 256 dimensions, 9 MB, see models/README.md.

    It is loaded once in a process, for all folders. Raises ModelUnavailableError.
    """
    # Whoever comes second waits for the first, instead of loading it again.
    with _loading:
        return _bundled()


@cache
def _bundled() -> StaticEncoder:
    if not is_quantized(_BUNDLED):
        raise ModelUnavailableError(
            "The bundled embedding model is missing: reinstall codeintel-ls."
        )
    name = "the bundled model"
    # What was installed is what was packed: hashing it all again would take as long as loading it.
    return _load_quantized(_BUNDLED, name, recorded_digest(_BUNDLED, name))


def load_encoder(model: str) -> StaticEncoder:
    """The bundled encoder for an empty `model`, else the one in a local model2vec folder.

    Raises ModelUnavailableError when a file is missing, damaged or of the wrong shape.
    """
    if not model:
        return bundled_encoder()
    folder = Path(model).expanduser()
    name = f'the folder named by the setting "embedding.model" ({folder.name})'
    if is_quantized(folder):
        return _load_quantized(folder, name, None)
    return _load(folder / "model.safetensors", folder / TOKENIZER_FILE, "embeddings", name)


def _load_quantized(folder: Path, name: str, digest: str | None) -> StaticEncoder:
    table = open_table(folder, name)
    tokens, _ = _read_tokenizer(folder / TOKENIZER_FILE, name)
    return _encoder(table, tokens, digest or content_digest(folder), name)


def _load(weights: Path, tokenizer: Path, tensor: str, name: str) -> StaticEncoder:
    try:
        data = weights.read_bytes()
        tensors = load(data)
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise ModelUnavailableError(f"Cannot read {name}: {_reason(error)}") from error
    tokens, content = _read_tokenizer(tokenizer, name)
    digest = blake2b(data, digest_size=8)
    digest.update(content)
    table = cast("NDArray[np.floating] | None", tensors.get(tensor))
    if table is None or table.ndim != 2 or table.dtype.kind != "f":
        raise ModelUnavailableError(
            f'{weights.name} of {name} holds no two-dimensional float tensor "{tensor}".'
        )
    return _encoder(table, tokens, digest.hexdigest(), name)


def _read_tokenizer(path: Path, name: str) -> tuple[Tokenizer, bytes]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelUnavailableError(f"Cannot read {name}: {_reason(error)}") from error
    try:
        return Tokenizer.from_buffer(content), content
    # The tokenizers library raises bare Exception for a file that is no tokenizer.
    except Exception as error:
        raise ModelUnavailableError(f"{path.name} of {name} is no tokenizer.") from error


def _encoder(
    table: NDArray[np.floating] | QuantizedTable, tokens: Tokenizer, identity: str, name: str
) -> StaticEncoder:
    if table.shape[0] < tokens.get_vocab_size():
        raise ModelUnavailableError(
            f"{name} has {table.shape[0]} rows for a vocabulary of {tokens.get_vocab_size()}."
        )
    tokens.no_padding()
    tokens.no_truncation()
    return StaticEncoder(table, tokens, identity)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{Path(str(error.filename)).name}: {error.strerror}."
    return "the file is damaged."
