"""Rows of a static model in int8, mapped from a file: a row is its scale times its levels.

Invariant: nothing is read but the rows that a text's words need, and nothing is ever changed.
"""

import json
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.embedding.encoder import ModelUnavailableError

ROWS_FILE: Final = "rows.npy"
_SCALES_FILE: Final = "scales.npy"
TOKENIZER_FILE: Final = "tokenizer.json"
_ABOUT_FILE: Final = "config.json"
_FORMAT: Final = "codeintel-static-1"


@frozen(eq=False)
class QuantizedTable:
    """`levels` int8 of shape (vocabulary, dimension), `scales` float32 (vocabulary,)."""

    levels: NDArray[np.int8]
    scales: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int]:
        """Vocabulary and dimension."""
        return self.levels.shape[0], self.levels.shape[1]

    def weighted_sum(self, tokens: list[int], weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """The sum of some rows, each times its weight: float32 (dimension,)."""
        own = (weights * self.scales[tokens]).astype(np.float32, copy=False)
        return own @ self.levels[tokens].astype(np.float32)


def is_quantized(folder: Path) -> bool:
    """Whether a folder says that it holds a table of this kind."""
    return (folder / ROWS_FILE).exists() or (folder / _SCALES_FILE).exists()


def open_table(folder: Path, name: str) -> QuantizedTable:
    """Map the table in `folder`, which messages call `name`. Raises ModelUnavailableError."""
    about = _about(folder, name)
    levels = _array(folder / ROWS_FILE, name)
    scales = _array(folder / _SCALES_FILE, name)
    if levels.ndim != 2 or levels.dtype != np.int8:
        raise ModelUnavailableError(f"{ROWS_FILE} of {name} is no table of int8 rows.")
    if scales.shape != levels.shape[:1] or scales.dtype != np.float32:
        raise ModelUnavailableError(
            f"{_SCALES_FILE} of {name} holds no float32 scale for each of {len(levels)} rows."
        )
    if not np.isfinite(scales).all():
        raise ModelUnavailableError(f"{_SCALES_FILE} of {name} is damaged.")
    if about.get("dimension") != levels.shape[1]:
        raise ModelUnavailableError(
            f"{_ABOUT_FILE} of {name} says {about.get('dimension')} dimensions,"
            f" its rows have {levels.shape[1]}."
        )
    return QuantizedTable(levels, np.array(scales))


def content_digest(folder: Path) -> str:
    """A hash of a model's content: what its vectors are known by."""
    return digest_of(folder, (ROWS_FILE, _SCALES_FILE, TOKENIZER_FILE))


def digest_of(folder: Path, names: Iterable[str]) -> str:
    """A hash of the content of some files."""
    digest = blake2b(digest_size=8)
    for name in names:
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def recorded_digest(folder: Path, name: str) -> str:
    """The same as it was when the model was written. Raises ModelUnavailableError."""
    digest = _about(folder, name).get("digest")
    if not isinstance(digest, str):
        raise ModelUnavailableError(f"{_ABOUT_FILE} of {name} lacks its digest.")
    return digest


def _about(folder: Path, name: str) -> dict[str, object]:
    try:
        about: object = json.loads((folder / _ABOUT_FILE).read_text("utf-8"))
    except OSError as error:
        raise ModelUnavailableError(f"Cannot read {name}: {_missing(error)}.") from error
    except ValueError as error:
        raise ModelUnavailableError(f"{_ABOUT_FILE} of {name} is no JSON.") from error
    fields = cast("dict[str, object]", about) if isinstance(about, dict) else {}
    if fields.get("format") != _FORMAT:
        raise ModelUnavailableError(f"{_ABOUT_FILE} of {name} is not of the format {_FORMAT}.")
    return fields


def _array(path: Path, name: str) -> NDArray[Any]:
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise ModelUnavailableError(f"Cannot read {name}: {_missing(error)}.") from error
    except (ValueError, EOFError) as error:
        raise ModelUnavailableError(f"{path.name} of {name} is damaged.") from error
    return cast("NDArray[Any]", loaded)


def _missing(error: OSError) -> str:
    return f"{Path(str(error.filename)).name}: {error.strerror}"
