"""A small transformer that runs here: int8 ONNX on one processor, no network.

It reads what a text says where the static table knows its words alone, at some 15 ms a chunk; so it
refines what the table has found. Its runtime is the package's extra `deep`.
"""

import json
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Final, cast
from weakref import WeakValueDictionary

import numpy as np
from attrs import frozen
from tokenizers import Encoding, Tokenizer

from codeintel_ls.embedding.encoder import ModelUnavailableError, Vectors

_BUNDLED: Final = Path(__file__).parent / "models" / "deep"
_FORMAT: Final = "codeintel-deep-1"
_METHOD: Final = "paths1"
_RUNTIME: Final = "onnxruntime"
_MODEL_FILE, _TOKENIZER_FILE, _ABOUT_FILE = "model.onnx", "tokenizer.json", "config.json"
_TEXTS_AT_ONCE: Final = 8
"""Padded to the longest of them; more gain nothing on one processor."""

_sessions: Final = WeakValueDictionary[Path, Any]()
_loading: Final = Lock()


@frozen
class DeepModel:
    """A model as a plain value that travels between processes.

    `share` of one processor is what embedding documents takes at the most.
    """

    folder: str
    name: str
    digest: str
    dimension: int
    share: float = 1.0

    @property
    def identity(self) -> str:
        """Names weights and method: vectors of different identities are not comparable."""
        return f"deep:{self.name}:{self.digest}:{_METHOD}"


def bundled_deep_model() -> DeepModel | None:
    """The model that comes with the installation; None without its runtime.

    Raises ModelUnavailableError where it is damaged.
    """
    if find_spec(_RUNTIME) is None:
        return None
    return deep_model(_BUNDLED)


def deep_model(folder: Path) -> DeepModel:
    """The model in a folder that training wrote. Raises ModelUnavailableError."""
    try:
        about: object = json.loads((folder / _ABOUT_FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _unusable() from error
    fields = cast("dict[str, object]", about) if isinstance(about, dict) else {}
    name, digest, dimension = (fields.get(key) for key in ("name", "digest", "dimension"))
    sound = isinstance(name, str) and isinstance(digest, str) and isinstance(dimension, int)
    if not sound or fields.get("format") != _FORMAT:
        raise _unusable()
    return DeepModel(str(folder), str(name), str(digest), int(cast("int", dimension)))


class DeepEncoder:
    """Offers what every `Encoder` does. Thread-safe; other threads run while it computes."""

    def __init__(self, model: DeepModel) -> None:
        """Loads some 100 MB. Raises ModelUnavailableError."""
        self._model = model
        self._session = _session(Path(model.folder))
        self._tokenizer = _tokenizer(Path(model.folder))
        self._turn = Lock()

    @property
    def dimension(self) -> int:
        """The length of a vector."""
        return self._model.dimension

    @property
    def identity(self) -> str:
        """Names weights and method."""
        return self._model.identity

    @property
    def reads_paths(self) -> bool:
        """It was taught so: what a text says depends on where it stands."""
        return True

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors; zeros for texts without a word. Takes its share of a processor's time.

        This and the others raise ModelUnavailableError where the runtime fails.
        """
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for numbers, found in self._embedded(texts):
            vectors[numbers] = found
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of questions, at once."""
        encodings = self._encoded(texts)
        return self._run([encodings[text] for text in texts])

    def embed_in_lots(self, texts: Sequence[str]) -> Iterator[Vectors]:
        """Unit vectors of a few texts after the other, each time when the next ones are asked."""
        for first in range(0, len(texts), _TEXTS_AT_ONCE // 2):
            lot = texts[first : first + _TEXTS_AT_ONCE // 2]
            encodings = self._encoded(lot)
            yield self._run([encodings[text] for text in lot])

    def close(self) -> None:
        """Nothing is held but memory."""

    def _embedded(self, texts: Sequence[str]) -> Iterator[tuple[list[int], Vectors]]:
        encodings = self._encoded(texts)
        lengths = [len(encodings[text].ids) for text in texts]
        # What is of one length needs no padding.
        order = sorted(range(len(texts)), key=lengths.__getitem__)
        for first in range(0, len(order), _TEXTS_AT_ONCE):
            numbers = order[first : first + _TEXTS_AT_ONCE]
            began = time.thread_time()
            found = self._run([encodings[texts[number]] for number in numbers])
            took = time.thread_time() - began
            yield numbers, found
            time.sleep(took * (1.0 / self._model.share - 1.0))

    def _encoded(self, texts: Sequence[str]) -> dict[str, Encoding]:
        return dict(zip(texts, self._tokenizer.encode_batch_fast(list(texts)), strict=True))

    def _run(self, encodings: Sequence[Encoding]) -> Vectors:
        longest = max((len(encoding.ids) for encoding in encodings), default=0)
        pieces = np.zeros((len(encodings), longest), dtype=np.int64)
        counts = np.zeros_like(pieces)
        for row, encoding in enumerate(encodings):
            pieces[row, : len(encoding.ids)] = encoding.ids
            counts[row, : len(encoding.ids)] = 1
        if not pieces.size:
            return np.zeros((len(encodings), self.dimension), dtype=np.float32)
        try:
            with self._turn:
                told = self._session.run(None, {"input_ids": pieces, "attention_mask": counts})
        except MemoryError:
            raise
        # The runtime has a dozen exceptions of its own, and no root.
        except Exception as error:
            raise ModelUnavailableError(
                "The deep model could not read a text, and searches go on without it: restart the "
                'server, or set "search.deep" to "off".'
            ) from error
        vectors = cast("Vectors", told[0])
        # A text of nothing but marks has no piece between its first and its last.
        return np.where(counts.sum(axis=1, keepdims=True) > 2, vectors, 0.0).astype(np.float32)


def _session(folder: Path) -> Any:
    """The weights, in memory once for all who use them, and no longer than they do."""
    with _loading:
        session = _sessions.get(folder)
        if session is None:
            session = _sessions[folder] = _loaded(folder)
        return session


def _loaded(folder: Path) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ModelUnavailableError(
            "The deep model needs the package onnxruntime: pip install 'codeintel-ls[deep]', "
            'or set "search.deep" to "off".'
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # It warns of what is no trouble, on stderr.
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(
            str(folder / _MODEL_FILE), options, providers=["CPUExecutionProvider"]
        )
    # The runtime has a dozen exceptions of its own for files that are no model, and no root.
    except Exception as error:
        raise _unusable() from error


def _tokenizer(folder: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(folder / _TOKENIZER_FILE))
    # The tokenizers library raises bare Exception for a file that is no tokenizer.
    except Exception as error:
        raise _unusable() from error


def _unusable() -> ModelUnavailableError:
    return ModelUnavailableError(
        "The bundled deep model is missing or damaged: reinstall codeintel-ls, or set "
        '"search.deep" to "off".'
    )
