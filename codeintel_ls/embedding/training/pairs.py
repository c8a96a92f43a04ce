"""Which question goes with which record, and how batches of them are put together.

Half of a batch comes from few packages, so that its other answers are hard ones; a record is
never a wrong answer to its own question.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray

from codeintel_ls.embedding.training.corpus import KINDS, Corpus

NAME: Final = len(KINDS)
SIGNATURE: Final = NAME + 1
OPENINGS: Final = tuple(
    opening.split()
    for opening in (
        "how does",
        "how is the",
        "where is the",
        "where do we",
        "what",
        "which code",
        "how do i",
        "code that",
        "what happens when",
        "find the",
        "why does",
        "where are",
    )
)
"""Words that open a question and say nothing of what it is about."""
QUESTION_SHARE: Final = 0.15
_SHARE_OF_NAMES: Final = 0.25
_SHARE_OF_SIGNATURES: Final = 0.10
_PACKAGES_IN_BATCH: Final = 8
_FEWEST_WORDS: Final = 3


@frozen(eq=False)
class Pairs:
    """m pairs.

    `answers` are records; `queries` the corpus's queries, or -1 where `kinds` is NAME (the
    symbol's words ask) or SIGNATURE (the code's first words ask for the rest).
    """

    answers: NDArray[np.int64]
    queries: NDArray[np.int64]
    kinds: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> "Pairs":
        """Some of them."""
        return Pairs(self.answers[chosen], self.queries[chosen], self.kinds[chosen])


def pairs_of(corpus: Corpus, seed: int) -> Pairs:
    """All pairs of a corpus: its own questions, and a share of names and signatures."""
    chance = np.random.default_rng(seed)
    asked = np.flatnonzero(corpus.query_lengths >= _FEWEST_WORDS)
    records = np.arange(len(corpus.packages))
    has_name = (corpus.lengths[:, 2] >= 2) & (corpus.lengths[:, 4] >= 12)
    has_signature = (corpus.signatures >= 4) & (corpus.lengths[:, 4] >= corpus.signatures + 12)
    named = records[has_name & (chance.random(len(records)) < _SHARE_OF_NAMES)]
    signed = records[has_signature & (chance.random(len(records)) < _SHARE_OF_SIGNATURES)]
    return Pairs(
        np.concatenate([corpus.answers[asked], named, signed]).astype(np.int64),
        np.concatenate([asked, np.full(len(named) + len(signed), -1)]),
        np.concatenate(
            [corpus.kinds[asked], np.full(len(named), NAME), np.full(len(signed), SIGNATURE)]
        ).astype(np.int64),
    )


def held_out(corpus: Corpus, number: int, seed: int) -> NDArray[np.uint32]:
    """Packages kept out of training: of a good size, and with questions of their own."""
    records = np.bincount(corpus.packages, minlength=len(corpus.package_names))
    own = corpus.packages[corpus.answers]
    asked = np.bincount(own[corpus.kinds <= 1], minlength=len(corpus.package_names))
    fitting = np.flatnonzero((records >= 150) & (asked >= 40)).astype(np.uint32)
    chance = np.random.default_rng(seed)
    return np.sort(chance.permutation(fitting)[:number])


def batches(
    pairs: Pairs, packages: NDArray[np.uint32], size: int, seed: int
) -> Iterator[NDArray[np.int64]]:
    """Endless batches of pair numbers, half of each from eight packages."""
    chance = np.random.default_rng(seed)
    own = packages[pairs.answers]
    run = size // 2 // _PACKAGES_IN_BATCH
    while True:
        single = chance.permutation(len(own))
        order = single[np.argsort(own[single], kind="stable")]
        runs = [order[start : start + run] for start in range(0, len(order) - run + 1, run)]
        chance.shuffle(runs)  # pyright: ignore[reportArgumentType]
        half = size - run * _PACKAGES_IN_BATCH
        at = 0
        for first in range(0, len(runs) - _PACKAGES_IN_BATCH + 1, _PACKAGES_IN_BATCH):
            if at + half > len(single):
                break
            yield np.concatenate(
                [*runs[first : first + _PACKAGES_IN_BATCH], single[at : at + half]]
            )
            at += half


def openings(corpus: Corpus) -> list[list[int]]:
    """The openings that the corpus has all words of, as numbers."""
    numbers = {word: number for number, word in enumerate(corpus.vocabulary)}
    known = [words for words in OPENINGS if all(word in numbers for word in words)]
    return [[numbers[word] for word in words] for words in known]


def shared_words(corpus: Corpus, device: str) -> torch.Tensor:
    """Which words of the queries stand in their answers too: bool of the queries' words."""
    size = len(corpus.vocabulary)
    per_record = torch.from_numpy(corpus.lengths.sum(1, dtype=np.int64)).to(device)
    records = torch.arange(len(per_record), device=device)
    owner = torch.repeat_interleave(records, per_record)
    # The documentation is not what the words must be told from.
    fields = torch.from_numpy(corpus.lengths.astype(np.int64)).to(device)
    kinds = torch.arange(fields.shape[1], device=device).repeat(len(fields))
    is_doc = torch.repeat_interleave(kinds, fields.reshape(-1)) == 3
    words = torch.from_numpy(corpus.words.astype(np.int64)).to(device)
    known = torch.sort((owner * size + words)[~is_doc]).values
    answers = torch.from_numpy(corpus.answers.astype(np.int64)).to(device)
    lengths = torch.from_numpy(corpus.query_lengths.astype(np.int64)).to(device)
    asked = torch.from_numpy(corpus.query_words.astype(np.int64)).to(device)
    wanted = torch.repeat_interleave(answers, lengths) * size + asked
    places = torch.searchsorted(known, wanted).clamp(max=len(known) - 1)
    return known[places] == wanted


def same_answers(answers: torch.Tensor) -> torch.Tensor:
    """(b, b): off the diagonal, pairs whose answer is the same record."""
    same = answers[:, None] == answers[None, :]
    return same & ~torch.eye(len(answers), dtype=torch.bool, device=answers.device)
