"""A tokenizer applied to a vocabulary: each word's pieces, and texts as pieces on a device.

Two tokenizers matter: the teacher's (WordPiece, as it came) and the table's (BPE, trained here).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from codeintel_ls.embedding.training.corpus import FIELDS, Corpus

UNKNOWN: Final = "[UNK]"
_CONTINUES: Final = "##"
_ALPHABET: Final = 300
_BATCH: Final = 1_000


def train_tokenizer(counts: Mapping[str, int], size: int) -> Tokenizer:
    """A BPE tokenizer of single lower-case words, from how often each occurs."""
    tokenizer = Tokenizer(
        models.BPE(unk_token=UNKNOWN, continuing_subword_prefix=_CONTINUES, fuse_unk=True)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[UNKNOWN],
        continuing_subword_prefix=_CONTINUES,
        limit_alphabet=_ALPHABET,
        show_progress=False,
    )
    # √count keeps their order and a hundredth of the words.
    lines = (
        " ".join([word] * min(200, 1 + int(count**0.5) // 4))
        for word, count in counts.items()
        if count > 5
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


@frozen(eq=False)
class WordPieces:
    """Word i has pieces `pieces[starts[i] : starts[i + 1]]`; int64 (v + 1,) and int32."""

    starts: NDArray[np.int64]
    pieces: NDArray[np.int32]

    def of(self, word: int) -> list[int]:
        """The pieces of one word."""
        return self.pieces[self.starts[word] : self.starts[word + 1]].tolist()


def pieces_of(vocabulary: Sequence[str], tokenizer: Tokenizer) -> WordPieces:
    """The pieces of each word of a vocabulary."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    encoded = [
        encoding.ids
        for first in range(0, len(vocabulary), _BATCH)
        for encoding in tokenizer.encode_batch(
            list(vocabulary[first : first + _BATCH]), add_special_tokens=False
        )
    ]
    lengths = np.array([len(ids) for ids in encoded], dtype=np.int64)
    flat = [piece for ids in encoded for piece in ids]
    return WordPieces(np.concatenate([[0], np.cumsum(lengths)]), np.array(flat, dtype=np.int32))


def load_tokenizer(path: Path) -> Tokenizer:
    """A tokenizer from its file."""
    return Tokenizer.from_file(str(path))


@frozen(eq=False)
class Texts:
    """n texts of f fields as pieces: field j of text i is `pieces[starts[i, j] : ends[i, j]]`.

    `words` int64 says which word of the vocabulary each piece belongs to.
    """

    pieces: torch.Tensor
    words: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor


def texts_of(
    words: NDArray[np.uint32], lengths: NDArray[np.uint8], pieces: WordPieces, device: str
) -> Texts:
    """Texts from word numbers; `lengths` of shape (n, f) in words."""
    starts = torch.from_numpy(pieces.starts).to(device)
    flat = torch.from_numpy(pieces.pieces).to(device)
    numbers = torch.from_numpy(words.astype(np.int64)).to(device)
    sizes = (starts[1:] - starts[:-1])[numbers]
    before = torch.cumsum(sizes, 0) - sizes
    total = int(sizes.sum())
    owner = torch.repeat_interleave(torch.arange(len(numbers), device=device), sizes)
    place = torch.arange(total, device=device) - before[owner] + starts[numbers[owner]]
    fields = torch.from_numpy(lengths.astype(np.int64)).to(device)
    ends = torch.cumsum(fields.reshape(-1), 0)
    bounds = torch.cat([before, torch.tensor([total], device=device)])
    return Texts(
        flat[place],
        numbers[owner],
        bounds[ends - fields.reshape(-1)].reshape(fields.shape),
        bounds[ends].reshape(fields.shape),
    )


def record_texts(corpus: Corpus, pieces: WordPieces, device: str) -> Texts:
    """A corpus's records, with the fields of `FIELDS`."""
    return texts_of(corpus.words, corpus.lengths, pieces, device)


def query_texts(corpus: Corpus, pieces: WordPieces, device: str) -> Texts:
    """A corpus's queries, of one field."""
    return texts_of(corpus.query_words, corpus.query_lengths[:, None], pieces, device)


def assembled(
    segments: Sequence[tuple[torch.Tensor, torch.Tensor]],
    longest: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the pieces of joined segments lie: places (b, l) and which of them count.

    A segment is its starts and ends, int64 of shape (b,). Longer texts are cut. With the two
    marks that will frame it, the width is a multiple of eight, as attention likes it.
    """
    lengths = torch.stack([ends - starts for starts, ends in segments], 1)
    after = torch.cumsum(lengths, 1)
    width = int(min(longest, max(8, int(after[:, -1].max()))))
    width = -(-(width + 2) // 8) * 8 - 2
    row = torch.arange(width, device=after.device)[None, :]
    places = torch.zeros((len(after), width), dtype=torch.int64, device=after.device)
    for number, (starts, _) in enumerate(segments):
        first = after[:, number] - lengths[:, number]
        inside = (row >= first[:, None]) & (row < after[:, number, None])
        places = torch.where(inside, starts[:, None] + row - first[:, None], places)
    return places, row < after[:, -1, None]


def field_of(texts: Texts, name: str, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """One field of some records, as a segment."""
    number = FIELDS.index(name)
    return texts.starts[rows, number], texts.ends[rows, number]
