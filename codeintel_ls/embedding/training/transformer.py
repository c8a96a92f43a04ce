"""MiniLM (BERT with six layers) in plain torch: loaded, trained and exported without its library.

Only what a sentence encoder needs: no dropout, no second segment; mean pooling, unit vectors.
"""

import json
from pathlib import Path
from typing import cast

import torch
from attrs import frozen
from safetensors.torch import load, save
from torch import nn
from torch.nn import functional as f


@frozen
class Shape:
    """The sizes of a BERT."""

    vocabulary: int
    positions: int
    width: int
    inner: int
    heads: int
    layers: int
    epsilon: float


class _Linear(nn.Linear):
    """Computes in its input's precision and keeps its weights in full."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 (torch's name)
        return f.linear(input, self.weight.to(input.dtype), self.bias.to(input.dtype))


class _Norm(nn.LayerNorm):
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 (torch's name)
        weight, bias = self.weight.to(input.dtype), self.bias.to(input.dtype)
        return f.layer_norm(input, self.normalized_shape, weight, bias, self.eps)


class _Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - torch may be missing
        self.heads = shape.heads
        self.query, self.key, self.value, self.output = (
            _Linear(shape.width, shape.width) for _ in range(4)
        )
        self.attention_norm = _Norm(shape.width, shape.epsilon)
        self.wide = _Linear(shape.width, shape.inner)
        self.narrow = _Linear(shape.inner, shape.width)
        self.norm = _Norm(shape.width, shape.epsilon)

    def forward(self, hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        attended = f.scaled_dot_product_attention(
            self._split(self.query(hidden)),
            self._split(self.key(hidden)),
            self._split(self.value(hidden)),
            attn_mask=mask,
        )
        joined = attended.transpose(1, 2).flatten(2)
        hidden = self.attention_norm(hidden + self.output(joined))
        return self.norm(hidden + self.narrow(f.gelu(self.wide(hidden))))

    def _split(self, hidden: torch.Tensor) -> torch.Tensor:
        return hidden.unflatten(2, (self.heads, -1)).transpose(1, 2)


class SentenceEncoder(nn.Module):
    """Pieces (b, l) and which of them count become unit vectors (b, width)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - torch may be missing
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.segments = nn.Embedding(2, shape.width)
        self.norm = _Norm(shape.width, shape.epsilon)
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.layers))
        self.precision = torch.float32

    def forward(self, pieces: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Vectors float32; `counts` is 1 or true for the pieces that count."""
        used = counts.to(torch.bool)
        places = torch.arange(pieces.shape[1], device=pieces.device)
        summed = self.words(pieces) + self.positions(places) + self.segments.weight[0]
        hidden = self.norm(summed).to(self.precision)
        mask = used[:, None, None, :]
        for layer in self.layers:
            hidden = cast("_Layer", layer)(hidden, mask)
        weights = used[:, :, None].to(torch.float32)
        pooled = (hidden.to(torch.float32) * weights).sum(1)
        return f.normalize(pooled, dim=1)


_NAMES = (
    ("embeddings.word_embeddings", "words"),
    ("embeddings.position_embeddings", "positions"),
    ("embeddings.token_type_embeddings", "segments"),
    ("embeddings.LayerNorm", "norm"),
    ("encoder.layer.", "layers."),
    ("attention.self.", ""),
    ("attention.output.dense", "output"),
    ("attention.output.LayerNorm", "attention_norm"),
    ("intermediate.dense", "wide"),
    ("output.dense", "narrow"),
    ("output.LayerNorm", "norm"),
)


def _own_name(name: str) -> str:
    for theirs, ours in _NAMES:
        name = name.replace(theirs, ours)
    return name


def load_published(folder: Path) -> SentenceEncoder:
    """The encoder in a folder of `config.json` and `model.safetensors` as published."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    shape = Shape(
        config["vocab_size"],
        config["max_position_embeddings"],
        config["hidden_size"],
        config["intermediate_size"],
        config["num_attention_heads"],
        config["num_hidden_layers"],
        config["layer_norm_eps"],
    )
    encoder = SentenceEncoder(shape)
    theirs = load((folder / "model.safetensors").read_bytes())
    ours = {
        _own_name(name): tensor.float()
        for name, tensor in theirs.items()
        if "position_ids" not in name and "pooler" not in name
    }
    encoder.load_state_dict(ours)
    return encoder


def save_halved(encoder: SentenceEncoder, path: Path) -> None:
    """Write the weights in half precision."""
    halves = {name: tensor.half().cpu() for name, tensor in encoder.state_dict().items()}
    path.write_bytes(save(halves))


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """The reverse of `save_halved`, in full precision."""
    return {name: half.float() for name, half in load(path.read_bytes()).items()}


def load_mixed(published: Path, taught: Path, share: float) -> SentenceEncoder:
    """The published encoder moved towards the taught weights in a file: `share` of the way."""
    encoder = load_published(published)
    before = encoder.state_dict()
    after = load_weights(taught)
    encoder.load_state_dict(
        {name: share * after[name] + (1 - share) * old for name, old in before.items()}
    )
    return encoder
