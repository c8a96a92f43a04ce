"""The static table: a row for each piece, so that sums of rows stand where the teacher's are.

A text's vector is made exactly as the product makes it: a word that occurs c times and has k
pieces gives each of them √(c/k); the path's vector is joined to the text's at half its weight.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

import torch
from attrs import frozen
from torch import nn
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
)
from codeintel_ls.embedding.training.pieces import WordPieces
from codeintel_ls.embedding.training.transformer import SentenceEncoder

DIMENSION: Final = 256
_PATH_WEIGHT: Final = 0.5
_STEM_COUNT: Final = 2
_TEMPERATURE: Final = 0.05
_TEACHER_TEMPERATURE: Final = 0.05
_SHORT: Final = 128
_SHORT_SHARE: Final = 0.25
_WARM: Final = 0.03
_OWN_WORDS_SHARE: Final = 0.25
_OWN_WORDS_DROP: Final = 0.6


@frozen(eq=False)
class Bags:
    """n bags: bag i has `pieces[starts[i] : starts[i + 1]]` with `weights` of the same places."""

    starts: torch.Tensor
    pieces: torch.Tensor
    weights: torch.Tensor

    def take(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The pieces, weights and offsets of some bags, as `embedding_bag` takes them."""
        starts = self.starts[rows]
        sizes = self.starts[rows + 1] - starts
        offsets = torch.cumsum(sizes, 0) - sizes
        total = int(sizes.sum())
        place = torch.arange(total, device=rows.device) + torch.repeat_interleave(
            starts - offsets, sizes, output_size=total
        )
        return self.pieces[place], self.weights[place], offsets


def bags_of(
    owners: torch.Tensor,
    words: torch.Tensor,
    number: int,
    pieces: WordPieces,
    counts: torch.Tensor | None = None,
) -> Bags:
    """Bags of texts given as (owner, word) for each word; owners in any order."""
    device = words.device
    size = len(pieces.starts)
    keys = owners * size + words
    if counts is None:
        distinct, occurs = torch.unique(keys, return_counts=True)
    else:
        distinct, back = torch.unique(keys, return_inverse=True)
        occurs = torch.zeros(len(distinct), device=device).index_add_(0, back, counts)
    owner, word = distinct // size, distinct % size
    starts = torch.from_numpy(pieces.starts).to(device)
    flat = torch.from_numpy(pieces.pieces).to(device)
    sizes = (starts[1:] - starts[:-1])[word]
    weights = torch.sqrt(occurs / sizes.clamp(min=1))
    before = torch.cumsum(sizes, 0) - sizes
    at = torch.repeat_interleave(torch.arange(len(word), device=device), sizes)
    place = torch.arange(len(at), device=device) - before[at] + starts[word[at]]
    per_owner = torch.zeros(number, dtype=torch.int64, device=device).index_add_(0, owner, sizes)
    ends = torch.cumsum(per_owner, 0)
    return Bags(
        torch.cat([torch.zeros(1, dtype=torch.int64, device=device), ends]),
        flat[place],
        weights[at].half(),
    )


@frozen(eq=False)
class Bagged:
    """A corpus as bags: texts without and with their documentation, paths, and queries."""

    bare: Bags
    documented: Bags
    paths: Bags


def bagged(corpus: Corpus, pieces: WordPieces, device: str) -> Bagged:
    """The bags of a corpus's records."""
    lengths = torch.from_numpy(corpus.lengths.astype("int64")).to(device)
    number, width = lengths.shape
    words = torch.from_numpy(corpus.words.astype("int64")).to(device)
    fields = torch.arange(width, device=device).repeat(number)
    owners = torch.arange(number, device=device).repeat_interleave(width)
    field = torch.repeat_interleave(fields, lengths.reshape(-1))
    owner = torch.repeat_interleave(owners, lengths.reshape(-1))
    text, doc, stem = field >= 2, field == 3, field == 1
    path = field <= 1
    bare = text & ~doc
    counts = torch.where(stem[path], float(_STEM_COUNT), 1.0)
    return Bagged(
        bags_of(owner[bare], words[bare], number, pieces),
        bags_of(owner[text], words[text], number, pieces),
        bags_of(owner[path], words[path], number, pieces, counts),
    )


def query_bags(
    corpus: Corpus,
    pairs: Pairs,
    pieces: WordPieces,
    device: str,
    shared: torch.Tensor | None,
    seed: int,
) -> Bags:
    """The bags of the pairs' queries; with `shared`, some lose words that their answer has."""
    torch.manual_seed(seed)
    queries = torch.from_numpy(pairs.queries).to(device)
    kinds = torch.from_numpy(pairs.kinds).to(device)
    answers = torch.from_numpy(pairs.answers).to(device)
    lengths = torch.from_numpy(corpus.query_lengths.astype("int64")).to(device)
    record_lengths = torch.from_numpy(corpus.lengths.astype("int64")).to(device)
    asked = torch.from_numpy(corpus.query_words.astype("int64")).to(device)
    words = torch.from_numpy(corpus.words.astype("int64")).to(device)
    query_starts = torch.cumsum(lengths, 0) - lengths
    flat = record_lengths.reshape(-1)
    record_starts = (torch.cumsum(flat, 0) - flat).reshape(record_lengths.shape)
    signatures = torch.from_numpy(corpus.signatures.astype("int64")).to(device)
    mined = queries >= 0
    start = torch.where(mined, query_starts[queries.clamp(min=0)], 0)
    size = torch.where(mined, lengths[queries.clamp(min=0)], 0)
    for kind, place in ((NAME, 2), (SIGNATURE, 4)):
        of_kind = kinds == kind
        start = torch.where(of_kind, record_starts[answers, place] + len(asked), start)
        full = record_lengths[answers, place]
        own = full if kind == NAME else torch.minimum(full, signatures[answers])
        size = torch.where(of_kind, own, size)
    everything = torch.cat([asked, words])
    owner = torch.repeat_interleave(torch.arange(len(queries), device=device), size)
    before = torch.cumsum(size, 0) - size
    place = torch.arange(len(owner), device=device) - before[owner] + start[owner]
    if shared is not None:
        losing = (torch.rand(len(queries), device=device) < _OWN_WORDS_SHARE)[owner]
        everywhere = torch.cat([shared, torch.zeros_like(words, dtype=torch.bool)])
        lost = everywhere[place] & losing
        lost &= torch.rand(len(place), device=device) < _OWN_WORDS_DROP
        owner, place = owner[~lost], place[~lost]
    asking = everything[place]
    if shared is not None:
        numbers = openings(corpus)
        opened = torch.nonzero(torch.rand(len(queries), device=device) < QUESTION_SHARE)[:, 0]
        which = torch.randint(len(numbers), (len(opened),), device=device)
        for number, words_of_opening in enumerate(numbers):
            own = opened[which == number].repeat_interleave(len(words_of_opening))
            added = torch.tensor(words_of_opening, device=device)
            owner = torch.cat([owner, own])
            asking = torch.cat([asking, added.repeat(len(own) // len(words_of_opening))])
    return bags_of(owner, asking, len(queries), pieces)


class Table(nn.Module):
    """The rows, and a map from their space into the teacher's that only training needs."""

    def __init__(self, rows: torch.Tensor, width: int) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType] - torch may be missing
        self.rows = nn.Parameter(rows.clone())
        self.map = nn.Linear(rows.shape[1], width, bias=False)

    def vectors(self, bags: Bags, chosen: torch.Tensor) -> torch.Tensor:
        """Unit vectors of some bags."""
        pieces, weights, offsets = bags.take(chosen)
        summed = f.embedding_bag(
            pieces.long(), self.rows, offsets, mode="sum", per_sample_weights=weights.float()
        )
        return f.normalize(summed, dim=1)

    def documents(self, texts: Bags, paths: Bags, chosen: torch.Tensor) -> torch.Tensor:
        """Unit vectors of records: the text's, and half of the path's."""
        joined = self.vectors(texts, chosen) + _PATH_WEIGHT * self.vectors(paths, chosen)
        return f.normalize(joined, dim=1)


@torch.no_grad()
def first_rows(
    teacher: SentenceEncoder, inputs: Sequence[Sequence[int]], counts: torch.Tensor
) -> torch.Tensor:
    """Rows to start from: the teacher's vector of each piece, brought to 256 dimensions.

    `inputs` are each piece's ids in the teacher's tokenizer; `counts` how often each piece
    occurs: the common are made short.
    """
    device = counts.device
    vectors: list[torch.Tensor] = []
    for first in range(0, len(inputs), 4_096):
        block = inputs[first : first + 4_096]
        width = max(2, *(len(each) + 2 for each in block))
        ids = torch.zeros((len(block), width), dtype=torch.int64)
        for row, each in enumerate(block):
            ids[row, : len(each) + 2] = torch.tensor([101, *each, 102])
        ids = ids.to(device)
        vectors.append(teacher(ids, ids > 0))
    every = torch.cat(vectors)
    every = every - every.mean(0)
    weight = 1e-4 / (1e-4 + counts / counts.sum())
    _, _, axes = torch.linalg.svd(every, full_matrices=False)
    rows = every @ axes[:DIMENSION].T * weight[:, None]
    rows[0] = 0
    return rows


@frozen(kw_only=True)
class Recipe:
    """How a table is trained: shares of the losses, and for how long.

    `regression`: distance to the teacher's own vectors; `ranking`: difference of the teacher's
    and the table's order of a batch; the rest is contrast with the right answers.
    """

    seconds: float
    size: int = 4_096
    rate: float = 3e-3
    regression: float = 0.0
    ranking: float = 0.0
    contrast: float = 1.0


def train_table(
    table: Table,
    corpus: Corpus,
    pairs: Pairs,
    bags: Bagged,
    queries: Sequence[Bags],
    taught_queries: torch.Tensor,
    taught_records: torch.Tensor,
    recipe: Recipe,
    *,
    seed: int,
    say: Callable[[str], None],
) -> None:
    """Train in place. `queries` are taken in turn: the same questions with other words lost.

    `taught_queries` (m, w) and `taught_records` (n, w) are the teacher's vectors, float16.
    """
    device = table.rows.device
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(table.parameters(), lr=recipe.rate, betas=(0.9, 0.99))
    answers = torch.from_numpy(pairs.answers).to(device)
    kinds = torch.from_numpy(pairs.kinds).to(device)
    began, step, heard = time.monotonic(), 0, 0.0
    for batch in batches(pairs, corpus.packages, recipe.size, seed):
        passed = (time.monotonic() - began) / recipe.seconds
        if passed >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * min(1.0, passed / _WARM) * min(1.0, 1.03 - passed)
        chosen = torch.from_numpy(batch).to(device)
        rows = answers[chosen]
        asked = table.vectors(queries[step % len(queries)], chosen)
        # A batch is documented or not as a whole, but for what its documentation asks for.
        documented = step % 2 == 0
        found = table.documents(bags.bare, bags.paths, rows)
        if documented:
            other = table.documents(bags.documented, bags.paths, rows)
            found = torch.where((kinds[chosen] == 0)[:, None], found, other)
        loss = _losses(
            table, asked, found, taught_queries[chosen], taught_records[rows], rows, recipe
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            table.rows[0] = 0
        step += 1
        if time.monotonic() - heard > 10:
            heard = time.monotonic()
            say(f"table: step {step}, {passed:.0%}, loss {float(loss.detach()):.3f}")
    say(f"table: {step} steps of {recipe.size} in {time.monotonic() - began:.0f} s")


def _losses(
    table: Table,
    asked: torch.Tensor,
    found: torch.Tensor,
    taught_asked: torch.Tensor,
    taught_found: torch.Tensor,
    rows: torch.Tensor,
    recipe: Recipe,
) -> torch.Tensor:
    same = same_answers(rows)
    target = torch.arange(len(rows), device=rows.device)
    loss = torch.zeros((), device=rows.device)
    scores = (asked @ found.T / _TEMPERATURE).masked_fill(same, -1e4)
    if recipe.contrast:
        short = f.normalize(asked[:, :_SHORT], dim=1) @ f.normalize(found[:, :_SHORT], dim=1).T
        short = (short / _TEMPERATURE).masked_fill(same, -1e4)
        for share, each in ((1 - _SHORT_SHARE, scores), (_SHORT_SHARE, short)):
            both = f.cross_entropy(each, target) + f.cross_entropy(each.T, target)
            loss = loss + recipe.contrast * share * both / 2
    if recipe.ranking:
        taught = (taught_asked.float() @ taught_found.float().T) / _TEACHER_TEMPERATURE
        taught = taught.masked_fill(same, -1e4)
        divergence = f.kl_div(
            f.log_softmax(scores, 1),
            f.log_softmax(taught, 1),
            log_target=True,
            reduction="batchmean",
        )
        loss = loss + recipe.ranking * divergence
    if recipe.regression:
        near = f.cosine_similarity(table.map(found), taught_found.float(), dim=1).mean()
        near = near + f.cosine_similarity(table.map(asked), taught_asked.float(), dim=1).mean()
        loss = loss + recipe.regression * (2 - near)
    return loss
