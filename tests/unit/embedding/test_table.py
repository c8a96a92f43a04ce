"""A static model in int8: what it gives, and honest errors for whatever is wrong with it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

import codeintel_ls.embedding
from codeintel_ls.embedding import ModelUnavailableError, load_encoder

WORDS = ["[UNK]", "read", "file", "colour"]
LEVELS = np.array([[0, 0], [127, 0], [64, 64], [0, -127]], dtype=np.int8)
SCALES = np.array([0, 0.01, 0.02, 0.5], dtype=np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    np.save(folder / "rows.npy", LEVELS)
    np.save(folder / "scales.npy", SCALES)
    tokenizer = Tokenizer(
        WordLevel({word: row for row, word in enumerate(WORDS)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = Whitespace()  # pyright: ignore[reportAttributeAccessIssue] - its stub has no setter
    tokenizer.save(str(folder / "tokenizer.json"))
    describe(folder)
    return folder


def describe(folder: Path, **changed: object) -> None:
    about = {"format": "codeintel-static-1", "name": "test", "dimension": 2, **changed}
    (folder / "config.json").write_text(json.dumps(about))


def test_rows_are_scaled_levels(model: Path) -> None:
    encoder = load_encoder(str(model))
    assert encoder.dimension == 2
    (vector,) = encoder.embed_documents(["readFile file"])
    expected = 1.27 * np.array([1, 0]) + np.sqrt(2) * 1.28 * np.array([1, 1])
    assert np.allclose(vector, expected / np.linalg.norm(expected), atol=1e-5)


def test_words_that_the_table_lacks_add_nothing(model: Path) -> None:
    encoder = load_encoder(str(model))
    assert not encoder.embed_documents(["unheard of"]).any()


def test_the_content_is_the_identity(model: Path) -> None:
    before = load_encoder(str(model)).identity
    assert load_encoder(str(model)).identity == before
    np.save(model / "scales.npy", SCALES * 2)
    assert load_encoder(str(model)).identity != before


def test_the_bundled_model_is_what_it_says_that_it_is() -> None:
    """Its digest is not made anew at every start."""
    bundled = Path(codeintel_ls.embedding.__file__).parent / "models" / "static"
    assert load_encoder("").identity == load_encoder(str(bundled)).identity


def test_the_rows_are_mapped_and_not_changed(model: Path) -> None:
    encoder = load_encoder(str(model))
    encoder.embed_queries(["read file"])
    assert (np.load(model / "rows.npy") == LEVELS).all()


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def with_array(name: str, array: np.ndarray) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / name, array)


def with_bytes(name: str, content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (without("rows.npy"), "rows.npy: No such file"),
        (without("scales.npy"), "scales.npy: No such file"),
        (without("tokenizer.json"), "tokenizer.json: No such file"),
        (without("config.json"), "config.json: No such file"),
        (with_array("rows.npy", LEVELS.astype(np.float32)), "no table of int8 rows"),
        (with_array("rows.npy", LEVELS[0]), "no table of int8 rows"),
        (with_array("rows.npy", LEVELS[:, :1]), "says 2 dimensions, its rows have 1"),
        (with_array("scales.npy", SCALES[:2]), "scale for each of 4 rows"),
        (with_array("scales.npy", SCALES.astype(np.float64)), "scale for each of 4 rows"),
        (with_array("scales.npy", SCALES * np.float32(np.nan)), "scales.npy of .* is damaged"),
        (with_bytes("rows.npy", b""), "rows.npy of .* is damaged"),
        (with_bytes("rows.npy", b"\x93NUMPY garbage"), "rows.npy of .* is damaged"),
        (with_bytes("tokenizer.json", b"{}"), "is no tokenizer"),
        (with_bytes("config.json", b"{"), "is no JSON"),
        (with_bytes("config.json", b"[]"), "is not of the format"),
        (lambda folder: describe(folder, format="other"), "is not of the format"),
        (lambda folder: describe(folder, dimension=128), "says 128 dimensions"),
    ],
)
def test_what_is_wrong_is_said(model: Path, spoil: Callable[[Path], object], said: str) -> None:
    spoil(model)
    with pytest.raises(ModelUnavailableError, match=said) as raised:
        load_encoder(str(model))
    assert '"embedding.model"' in str(raised.value), "the setting to change is named"


def test_fewer_rows_than_the_vocabulary(model: Path) -> None:
    np.save(model / "rows.npy", LEVELS[:2])
    np.save(model / "scales.npy", SCALES[:2])
    with pytest.raises(ModelUnavailableError, match="2 rows for a vocabulary of 4"):
        load_encoder(str(model))
