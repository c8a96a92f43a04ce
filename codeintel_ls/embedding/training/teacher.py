"""The teacher: MiniLM, taught by contrast to find code by what people say about it."""

import time
from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch.nn import functional as f

from codeintel_ls.embedding.training.corpus import Corpus
from codeintel_ls.embedding.training.pairs import (
    NAME,
    QUESTION_SHARE,
    SIGNATURE,
    Pairs,
    batches,
    openings,
    same_answers,
    shared_words,
)
from codeintel_ls.embedding.training.pieces import (
    Texts,
    WordPieces,
    assembled,
    field_of,
    query_texts,
    record_texts,
)
from codeintel_ls.embedding.training.transformer import SentenceEncoder

LONGEST_DOCUMENT: Final = 128
LONGEST_QUERY: Final = 48
_START, _END = 101, 102
_TEMPERATURE: Final = 0.05
_WARM: Final = 0.06
_OWN_WORDS_SHARE: Final = 0.35
_OWN_WORDS_DROP: Final = 0.75
_DOCUMENTED_SHARE: Final = 0.5
_SIGNATURE: Final = 24
_BLOCK: Final = 4_096


@frozen(eq=False)
class Material:
    """A corpus on a device, cut for one tokenizer.

    `joined` are the queries' pieces, then the records'; `shared` says of each of the queries'
    pieces whether its word stands in the answer too, and is false for the others'. `openings`
    are the starts and ends of the pieces of questions' openings, which come last.
    """

    corpus: Corpus
    records: Texts
    queries: Texts
    joined: torch.Tensor
    shared: torch.Tensor
    openings: tuple[torch.Tensor, torch.Tensor]

    @classmethod
    def of(cls, corpus: Corpus, pieces: WordPieces, device: str) -> "Material":
        """Move a corpus to a device."""
        queries = query_texts(corpus, pieces, device)
        # From words to pieces: the queries' words are in order, so runs of pieces follow them.
        bounds = torch.from_numpy(pieces.starts).to(device)
        asked = torch.from_numpy(corpus.query_words.astype("int64")).to(device)
        sizes = (bounds[1:] - bounds[:-1])[asked]
        shared = torch.repeat_interleave(shared_words(corpus, device), sizes)
        records = record_texts(corpus, pieces, device)
        phrases = [
            [piece for word in words for piece in pieces.of(word)] for words in openings(corpus)
        ]
        flat = torch.tensor([piece for phrase in phrases for piece in phrase], dtype=torch.int32)
        ends = torch.cumsum(torch.tensor([len(phrase) for phrase in phrases]), 0).to(device)
        ends = ends + len(queries.pieces) + len(records.pieces)
        starts = ends - torch.tensor([len(phrase) for phrase in phrases], device=device)
        joined = torch.cat([queries.pieces, records.pieces, flat.to(device)])
        nowhere = torch.zeros(len(joined) - len(shared), dtype=torch.bool, device=device)
        return cls(corpus, records, queries, joined, torch.cat([shared, nowhere]), (starts, ends))


def document_inputs(
    texts: Texts,
    rows: torch.Tensor,
    with_doc: torch.Tensor,
    without_signature: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pieces and mask of records: folders, stem, symbol, documentation (where asked), code."""
    doc_starts, doc_ends = field_of(texts, "doc", rows)
    starts, ends = field_of(texts, "code", rows)
    if without_signature is not None:
        starts = torch.where(without_signature, torch.minimum(starts + _SIGNATURE, ends), starts)
    segments = [
        field_of(texts, "folders", rows),
        field_of(texts, "stem", rows),
        field_of(texts, "symbol", rows),
        (doc_starts, torch.where(with_doc, doc_ends, doc_starts)),
        (starts, ends),
    ]
    places, counts = assembled(segments, LONGEST_DOCUMENT - 2)
    return _framed(texts.pieces[places], counts)


def _framed(pieces: torch.Tensor, counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Put the start and end marks around texts."""
    rows = len(pieces)
    lengths = counts.sum(1)
    framed = torch.zeros((rows, pieces.shape[1] + 2), dtype=torch.int64, device=pieces.device)
    framed[:, 1:-1] = torch.where(counts, pieces, 0)
    framed[:, 0] = _START
    framed[torch.arange(rows, device=pieces.device), lengths + 1] = _END
    mask = torch.arange(framed.shape[1], device=pieces.device)[None, :] < lengths[:, None] + 2
    return framed, mask


def query_inputs(
    material: Material,
    pairs: Pairs,
    chosen: NDArray[np.int64],
    *,
    train: bool = False,
    own_words: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pieces and mask of the queries of some pairs.

    In training some lose words that stand in their answer: a person does not know the code's.
    With `own_words` all lose all of them.
    """
    device = material.records.pieces.device
    answers = torch.from_numpy(pairs.answers[chosen]).to(device)
    queries = torch.from_numpy(pairs.queries[chosen]).to(device)
    kinds = torch.from_numpy(pairs.kinds[chosen]).to(device)
    asked = queries.clamp(min=0)
    starts, ends = material.queries.starts[asked, 0], material.queries.ends[asked, 0]
    none = torch.zeros_like(starts)
    mined = queries >= 0
    own = (torch.where(mined, starts, none), torch.where(mined, ends, none))
    offset = len(material.queries.pieces)
    name = field_of(material.records, "symbol", answers)
    code_start, code_end = field_of(material.records, "code", answers)
    signature_end = torch.minimum(code_start + _SIGNATURE, code_end)
    is_name, is_signature = kinds == NAME, kinds == SIGNATURE
    first = torch.where(is_name, name[0], code_start) + offset
    last = torch.where(is_name, name[1], signature_end) + offset
    other = is_name | is_signature
    segments = [own, (torch.where(other, first, none), torch.where(other, last, none))]
    if train:
        opened = mined & (torch.rand(len(chosen), device=device) < QUESTION_SHARE)
        which = torch.randint(len(material.openings[0]), (len(chosen),), device=device)
        opening = (torch.where(opened, each[which], none) for each in material.openings)
        start, end = opening
        segments.insert(0, (start, end))
    places, counts = assembled(segments, LONGEST_QUERY - 2)
    pieces, mask = _framed(material.joined[places], counts)
    if train:
        losing = mined & (torch.rand(len(chosen), device=device) < _OWN_WORDS_SHARE)
        lost = material.shared[places] & counts
        lost &= torch.rand(places.shape, device=device) < _OWN_WORDS_DROP
        lost &= losing[:, None] & ((counts & ~lost).sum(1) >= 2)[:, None]
        mask[:, 1:-1] &= ~lost
    if own_words:
        mask[:, 1:-1] &= ~(material.shared[places] & counts)
    return pieces, mask


def train_teacher(
    encoder: SentenceEncoder,
    material: Material,
    pairs: Pairs,
    *,
    seconds: float,
    size: int,
    rate: float,
    seed: int,
    say: Callable[[str], None],
) -> None:
    """Train in place for a time; the learning rate follows the clock."""
    device = material.records.pieces.device
    torch.manual_seed(seed)
    parameters = [each for each in encoder.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=rate, weight_decay=0.01, betas=(0.9, 0.98), fused=device.type == "cuda"
    )
    began = time.monotonic()
    step, heard = 0, 0.0
    running = 0.0
    for batch in batches(pairs, material.corpus.packages, size, seed):
        passed = (time.monotonic() - began) / seconds
        if passed >= 1:
            break
        share = min(1.0, passed / _WARM) * min(1.0, 1.05 - passed)
        for group in optimizer.param_groups:
            group["lr"] = rate * share
        rows = torch.from_numpy(pairs.answers[batch]).to(device)
        kinds = torch.from_numpy(pairs.kinds[batch]).to(device)
        undocumented = (kinds == 0) | (torch.rand(len(rows), device=device) > _DOCUMENTED_SHARE)
        loss = _loss(
            encoder(*query_inputs(material, pairs, batch, train=True)),
            encoder(*document_inputs(material.records, rows, ~undocumented, kinds == SIGNATURE)),
            rows,
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        if time.monotonic() - heard > 10:
            heard = time.monotonic()
            running = float(loss.detach())
            say(f"teacher: step {step}, {passed:.0%}, loss {running:.3f}")
    say(f"teacher: {step} steps of {size} in {time.monotonic() - began:.0f} s")


def _loss(queries: torch.Tensor, documents: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    scores = queries @ documents.T / _TEMPERATURE
    scores = scores.masked_fill(same_answers(rows), -1e4)
    target = torch.arange(len(rows), device=rows.device)
    return (f.cross_entropy(scores, target) + f.cross_entropy(scores.T, target)) / 2


@torch.no_grad()
def embed_records(
    encoder: SentenceEncoder, texts: Texts, rows: torch.Tensor, *, with_doc: bool
) -> torch.Tensor:
    """Vectors of records, float16 (n, width)."""
    blocks: list[torch.Tensor] = []
    for block in rows.split(_BLOCK):
        documented = torch.full_like(block, with_doc, dtype=torch.bool)
        blocks.append(encoder(*document_inputs(texts, block, documented)).half())
    return torch.cat(blocks)


@torch.no_grad()
def embed_queries(
    encoder: SentenceEncoder, material: Material, pairs: Pairs, *, own_words: bool = False
) -> torch.Tensor:
    """Vectors of the pairs' queries, float16 (m, width)."""
    every = np.arange(len(pairs.answers))
    return torch.cat(
        [
            encoder(*query_inputs(material, pairs, block, own_words=own_words)).half()
            for first in range(0, len(every), _BLOCK)
            if len(block := every[first : first + _BLOCK])
        ]
    )


@torch.no_grad()
def embed_plain_queries(encoder: SentenceEncoder, texts: Texts) -> torch.Tensor:
    """Vectors of texts of one field, float32."""
    blocks: list[torch.Tensor] = []
    for block in torch.arange(len(texts.starts), device=texts.pieces.device).split(_BLOCK):
        places, counts = assembled(
            [(texts.starts[block, 0], texts.ends[block, 0])], LONGEST_QUERY - 2
        )
        blocks.append(encoder(*_framed(texts.pieces[places], counts)))
    return torch.cat(blocks)
