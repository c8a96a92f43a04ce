"""The static encoder: unit vectors, nearness of meaning, honest errors."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

import codeintel_ls.embedding
from codeintel_ls.embedding import (
    ModelUnavailableError,
    StaticEncoder,
    load_encoder,
)


def save_model(folder: Path, rows: np.ndarray, words: list[str]) -> None:
    folder.mkdir(exist_ok=True)
    tokenizer = Tokenizer(
        WordLevel({word: row for row, word in enumerate(words)}, unk_token=words[0])
    )
    tokenizer.pre_tokenizer = Whitespace()  # pyright: ignore[reportAttributeAccessIssue] - its stub has no setter
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file({"embeddings": rows}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"normalize": True}))


def test_vectors_are_unit_float32_rows(encoder: StaticEncoder) -> None:
    vectors = encoder.embed_documents(["def open_file(path):", "the cat sat"])
    assert vectors.shape == (2, encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_without_words_is_zero(encoder: StaticEncoder) -> None:
    assert not encoder.embed_documents(["", "{} () ;;"]).any()


def test_meaning_is_near(encoder: StaticEncoder) -> None:
    query = encoder.embed_queries(["read a file from disk"])[0]
    near, far = encoder.embed_documents(
        ["def load_document(path): return open(path).read()", "class Color: red = 1; green = 2"]
    )
    assert query @ near > query @ far


def test_many_texts_give_what_each_gives_alone(encoder: StaticEncoder) -> None:
    texts = [f"def function_{number}(value): return value + {number}" for number in range(600)]
    together = encoder.embed_documents(texts)
    for row in (0, 255, 256, 599):
        assert np.allclose(together[row], encoder.embed_documents([texts[row]])[0], atol=1e-6)


def test_the_bundled_tokenizer_is_written_as_it_loads_fastest() -> None:
    folder = Path(codeintel_ls.embedding.__file__).parent / "models" / "static"
    merges = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["merges"]
    assert merges
    # As lists of two, the model takes half as long again to open.
    assert all(isinstance(pair, str) and pair.count(" ") == 1 for pair in merges)


def test_a_local_folder_in_model2vec_format(tmp_path: Path) -> None:
    rows = np.array([[0, 0], [1, 0], [0, 2]], dtype=np.float32)
    save_model(tmp_path / "model", rows, ["[UNK]", "cat", "dog"])
    encoder = load_encoder(str(tmp_path / "model"))
    assert encoder.dimension == 2
    assert np.allclose(encoder.embed_documents(["cat", "dog"]), [[1, 0], [0, 1]])


def test_identity_changes_with_the_weights(tmp_path: Path) -> None:
    words = ["[UNK]", "cat"]
    save_model(tmp_path / "a", np.array([[0, 0], [1, 0]], dtype=np.float32), words)
    save_model(tmp_path / "b", np.array([[0, 0], [1, 1]], dtype=np.float32), words)
    assert load_encoder(str(tmp_path / "a")).identity != load_encoder(str(tmp_path / "b")).identity


def test_a_missing_folder_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"embedding\.model") as caught:
        load_encoder(str(tmp_path / "nowhere"))
    assert str(tmp_path) not in str(caught.value)


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    save_model(tmp_path, np.eye(2, dtype=np.float32), ["[UNK]", "cat"])
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ModelUnavailableError, match="damaged"):
        load_encoder(str(tmp_path))


def test_a_damaged_tokenizer_is_told(tmp_path: Path) -> None:
    save_model(tmp_path, np.eye(2, dtype=np.float32), ["[UNK]", "cat"])
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelUnavailableError, match="tokenizer"):
        load_encoder(str(tmp_path))


def test_a_table_of_the_wrong_shape_is_told(tmp_path: Path) -> None:
    save_model(tmp_path, np.ones((1, 4), dtype=np.float32), ["[UNK]", "cat"])
    with pytest.raises(ModelUnavailableError, match="1 rows for a vocabulary of 2"):
        load_encoder(str(tmp_path))


def test_threads_that_meet_new_words_at_once(encoder: StaticEncoder) -> None:
    texts = [[f"zq{thread}{n} wv{n}{thread}" for n in range(300)] for thread in "abcd"]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(len(texts)) as threads:
            together = list(
                threads.map(lambda some: [encoder.embed_queries([t])[0] for t in some], texts)
            )
    finally:
        sys.setswitchinterval(interval)
    for some, vectors in zip(texts, together, strict=True):
        assert np.allclose(encoder.embed_queries(some), vectors, atol=1e-6)
