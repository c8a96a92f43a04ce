"""Everything that training needs, in one folder: corpus, tokenizers, questions, first weights.

The folder can be carried to another machine in parts of a chosen size.
"""

import json
import lzma
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save
from tokenizers import Tokenizer

from codeintel_ls.embedding.training.corpus import Corpus, save_corpus, word_counts
from codeintel_ls.embedding.training.pieces import (
    WordPieces,
    load_tokenizer,
    pieces_of,
    train_tokenizer,
)

VOCABULARY = 32_000
TEACHER, TABLE = "teacher", "table"
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "lc": 0, "lp": 1, "pb": 1}]


def tokenize_corpus(corpus: Corpus, folder: Path, tokenizers: dict[str, Tokenizer]) -> None:
    """Save a corpus and, for each tokenizer, the pieces of its vocabulary."""
    save_corpus(corpus, folder)
    for name, tokenizer in tokenizers.items():
        pieces = pieces_of(corpus.vocabulary, tokenizer)
        np.savez(folder / f"{name}-pieces.npz", starts=pieces.starts, pieces=pieces.pieces)


def load_pieces(folder: Path, name: str) -> WordPieces:
    """The pieces of the corpus in `folder` for one tokenizer."""
    with np.load(folder / f"{name}-pieces.npz") as kept:
        return WordPieces(kept["starts"], kept["pieces"])


def table_tokenizer(corpus: Corpus, teacher: Tokenizer, folder: Path) -> Tokenizer:
    """Train the table's tokenizer, and save with it each piece in the teacher's terms."""
    tokenizer = train_tokenizer(word_counts(corpus), VOCABULARY)
    tokenizer.save(str(folder / "table-tokenizer.json"))
    teacher.no_padding()
    texts = [
        (tokenizer.id_to_token(number) or "").removeprefix("##")
        for number in range(tokenizer.get_vocab_size())
    ]
    ids = [encoding.ids for encoding in teacher.encode_batch(texts, add_special_tokens=False)]
    (folder / "table-pieces.json").write_text(json.dumps(ids), "utf-8")
    return tokenizer


def load_teacher_tokenizer(minilm: Path) -> Tokenizer:
    """The teacher's own tokenizer."""
    return load_tokenizer(minilm / "tokenizer.json")


def halve_teacher(minilm: Path, to: Path) -> None:
    """Copy the published teacher, its weights in half precision."""
    to.mkdir(parents=True, exist_ok=True)
    tensors = load((minilm / "model.safetensors").read_bytes())
    halves = {
        name: tensor.astype(np.float16) if tensor.dtype.kind == "f" else tensor
        for name, tensor in tensors.items()
    }
    (to / "model.safetensors").write_bytes(save(halves))
    for name in ("config.json", "tokenizer.json"):
        (to / name).write_bytes((minilm / name).read_bytes())


def write_parts(folder: Path, to: Path, size: int) -> Sequence[Path]:
    """Pack the files of `folder` into archives of about `size` bytes at most, xz within."""
    to.mkdir(parents=True, exist_ok=True)
    packed: list[tuple[Path, int]] = []
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    for name in names:
        source = folder / name
        target = to / (name.replace("/", "__") + ".xz")
        data = source.read_bytes()
        # Two-byte words pack best as such; all else as bytes.
        filters = _FILTERS if name.endswith("words.npy") else None
        target.write_bytes(lzma.compress(data, filters=filters, preset=None if filters else 6))
        packed.append((target, target.stat().st_size))
    parts: list[Path] = []
    packed.sort(key=lambda each: -each[1])
    groups: list[tuple[list[Path], int]] = []
    for path, length in packed:
        for number, (paths, total) in enumerate(groups):
            if total + length <= size:
                groups[number] = ([*paths, path], total + length)
                break
        else:
            groups.append(([path], length))
    for number, (paths, _) in enumerate(groups):
        part = to / f"part{number}.tar"
        with tarfile.open(part, "w") as archive:
            for path in paths:
                archive.add(path, path.name)
        for path in paths:
            path.unlink()
        parts.append(part)
    return parts


def read_parts(parts: Sequence[Path], folder: Path) -> None:
    """The reverse of `write_parts`."""
    for part in parts:
        with tarfile.open(part) as archive:
            for member in archive:
                opened = archive.extractfile(member)
                target = folder / member.name.removesuffix(".xz").replace("__", "/")
                target.parent.mkdir(parents=True, exist_ok=True)
                if opened is not None:
                    target.write_bytes(lzma.decompress(opened.read()))
