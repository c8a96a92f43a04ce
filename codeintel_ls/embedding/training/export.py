"""Trained weights become what is shipped: the table in int8, the transformer as int8 ONNX."""

import json
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Regex, Tokenizer, normalizers

from codeintel_ls.embedding.table import content_digest, digest_of
from codeintel_ls.embedding.training.transformer import SentenceEncoder

LONGEST: Final = 128
_OPSET: Final = 17


def write_static(
    levels: NDArray[np.int8],
    scales: NDArray[np.float32],
    tokenizer: Path,
    folder: Path,
    name: str,
) -> None:
    """Write a folder that `load_encoder` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "rows.npy", levels)
    np.save(folder / "scales.npy", scales)
    (folder / "tokenizer.json").write_text(with_short_merges(tokenizer.read_text("utf-8")), "utf-8")
    about = {
        "format": "codeintel-static-1",
        "name": name,
        "dimension": int(levels.shape[1]),
        "digest": content_digest(folder),
    }
    (folder / "config.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def with_short_merges(tokenizer: str) -> str:
    """A tokenizer's JSON whose pairs to merge are strings, as they were written up to 2024.

    The library reads these in two thirds of the time, and no piece of ours holds a space.
    """
    told = json.loads(tokenizer)
    merges = told["model"]["merges"]
    told["model"]["merges"] = [pair if isinstance(pair, str) else " ".join(pair) for pair in merges]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def write_onnx(encoder: SentenceEncoder, tokenizer: Path, folder: Path, name: str) -> None:
    """Write the transformer as `model.onnx` (dynamic int8) with its tokenizer.

    Inputs `input_ids` and `attention_mask`, int64 (b, l); output `vectors`, float32 unit (b, d).
    """
    folder.mkdir(parents=True, exist_ok=True)
    encoder = encoder.cpu().eval()
    encoder.precision = torch.float32
    pieces = torch.tensor([[101, 2054, 102, 0], [101, 2054, 2003, 102]])
    mask = (pieces > 0).to(torch.int64)
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch, "plain.onnx")
        torch.onnx.export(
            encoder,
            (pieces, mask),
            str(plain),
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes={
                "input_ids": {0: "b", 1: "l"},
                "attention_mask": {0: "b", 1: "l"},
                "vectors": {0: "b"},
            },
            opset_version=_OPSET,
            dynamo=False,
        )
        # A scale for each channel keeps the vectors (cosine 0.99 instead of 0.94); seven bits,
        # since processors without VNNI saturate at eight.
        quantize_dynamic(
            plain,
            folder / "model.onnx",
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
        )
    split_tokenizer(tokenizer).save(str(folder / "tokenizer.json"), pretty=False)
    about = {
        "format": "codeintel-deep-1",
        "name": name,
        "dimension": encoder.shape.width,
        "longest": LONGEST,
        "digest": digest_of(folder, ("model.onnx", "tokenizer.json")),
    }
    (folder / "config.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")


def split_tokenizer(path: Path) -> Tokenizer:
    """The teacher's tokenizer for raw text: identifiers are split as in training, marks dropped."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)  # pyright: ignore[reportUnknownMemberType] - its stub leaves them open
    lower = tokenizer.normalizer
    parts: list[normalizers.Normalizer] = [
        normalizers.Replace(Regex(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"), " "),
        normalizers.Replace(Regex(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])"), " "),
        normalizers.Replace(Regex(r"[^\p{L}\p{M}\p{N}]+"), " "),
    ]
    if lower is not None:
        parts.append(lower)
    tokenizer.normalizer = normalizers.Sequence(parts)
    return tokenizer
