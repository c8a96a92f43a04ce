"""The deep model reads texts on this machine, and says what is wrong where it cannot."""

import gc
import json
import shutil
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from codeintel_ls.embedding import (
    DeepEncoder,
    DeepModel,
    ModelUnavailableError,
    bundled_deep_model,
    deep,
    open_encoder,
)
from codeintel_ls.embedding.deep import deep_model
from codeintel_ls.embedding.table import digest_of

TEXTS = [
    "uploadPicture\nexport async function uploadPicture(file, url) { return fetch(url); }",
    "def total_price(self):\n    return sum(item.price for item in self.items)",
    "",
    "... ---",
    "long " * 1_000,
]


@pytest.fixture(scope="module")
def model() -> DeepModel:
    found = bundled_deep_model()
    assert found is not None
    return found


@pytest.fixture(scope="module")
def encoder(model: DeepModel) -> DeepEncoder:
    return DeepEncoder(model)


def test_texts_become_unit_vectors_and_blank_ones_zeros(encoder: DeepEncoder) -> None:
    vectors = encoder.embed_documents(TEXTS)
    assert vectors.shape == (len(TEXTS), encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 0, 0, 1], abs=1e-5)
    assert encoder.embed_documents([]).shape == (0, encoder.dimension)


def test_what_is_meant_is_nearer_than_what_is_not(encoder: DeepEncoder) -> None:
    near = (
        encoder.embed_queries(["send a photo to the server"])[0]
        @ encoder.embed_documents(TEXTS[:2]).T
    )
    assert near[0] > near[1] + 0.2


def test_vectors_do_not_depend_on_what_else_is_embedded(encoder: DeepEncoder) -> None:
    alone = np.concatenate([encoder.embed_queries([text]) for text in TEXTS])
    lots = np.concatenate(list(encoder.embed_in_lots(TEXTS)))
    # int8 activations are scaled by the whole lot.
    for together in (encoder.embed_documents(TEXTS * 3)[: len(TEXTS)], lots):
        assert (alone * together).sum(axis=1)[[0, 1, 4]] == pytest.approx(1, abs=0.03)


def test_a_share_of_a_processor_is_all_it_takes(
    model: DeepModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock on which each lot takes two seconds."""
    encoder, slept, ticks = open_encoder(evolve(model, share=0.2)), list[float](), count(0, 2)
    monkeypatch.setattr(deep.time, "thread_time", lambda: float(next(ticks)))
    monkeypatch.setattr(deep.time, "sleep", slept.append)
    encoder.embed_documents(TEXTS[:2] * 8)
    assert slept == [8.0, 8.0]


def test_the_shipped_weights_are_those_that_their_digest_names(model: DeepModel) -> None:
    folder = Path(model.folder)
    assert digest_of(folder, ("model.onnx", "tokenizer.json")) == model.digest
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 25_000_000


@pytest.mark.parametrize("broken", ["config.json", "model.onnx", "tokenizer.json", "format"])
def test_a_damaged_model_is_told_with_what_to_do(
    model: DeepModel, tmp_path: Path, broken: str
) -> None:
    folder = tmp_path / "deep"
    shutil.copytree(model.folder, folder)
    if broken == "format":
        about = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**about, "format": "another"}))
    else:
        (folder / broken).write_bytes(b"damaged")
    with pytest.raises(ModelUnavailableError, match=r"reinstall codeintel-ls.*search\.deep"):
        DeepEncoder(deep_model(folder))


def test_weights_are_in_memory_once_and_no_longer_than_they_are_used(
    model: DeepModel, tmp_path: Path
) -> None:
    folder = tmp_path / "deep"
    shutil.copytree(model.folder, folder)
    one, other = DeepEncoder(deep_model(folder)), DeepEncoder(deep_model(folder))
    assert deep._sessions[folder] is not None
    assert len([known for known in deep._sessions if known == folder]) == 1
    del one, other
    gc.collect()
    assert folder not in deep._sessions


def test_without_its_runtime_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codeintel_ls.embedding.deep.find_spec", lambda _: None)
    assert bundled_deep_model() is None
