"""Scoring by vectors alone: annotated questions about repositories, and held-out packages.

Quick looks while training; the scores that count are taken through the product's own search.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from codeintel_ls.embedding.training.pairs import Pairs
from codeintel_ls.embedding.training.questions import Question

_DEEPEST: Final = 10


def ndcg(
    questions: Sequence[Question],
    asked: torch.Tensor,
    records: torch.Tensor,
    owners: NDArray[np.uint32],
    names: Sequence[str],
) -> Mapping[str, float]:
    """NDCG@10: the mean over repositories ("all"), and over each category's questions.

    `asked` (q, d) and `records` (n, d) are unit vectors; `owners` number each record's
    repository in `names`.
    """
    of_repository: dict[str, list[float]] = {}
    of_category: dict[str, list[float]] = {}
    device = records.device
    rows = {name: np.flatnonzero(owners == number) for number, name in enumerate(names)}
    for number, question in enumerate(questions):
        own = rows[question.repository]
        scores = records[torch.from_numpy(own).to(device)].float() @ asked[number].float()
        best = own[torch.topk(scores, min(_DEEPEST, len(own))).indices.cpu().numpy()]
        gain = gain_of(best.tolist(), question.targets)
        of_repository.setdefault(question.repository, []).append(gain)
        of_category.setdefault(question.category, []).append(gain)
    means = {name: float(np.mean(gains)) for name, gains in of_category.items()}
    repositories = [float(np.mean(gains)) for gains in of_repository.values()]
    return {"all": float(np.mean(repositories)), **means}


def gain_of(best: Sequence[int], targets: Sequence[Sequence[int]]) -> float:
    """NDCG@10 of one ranking: a target is hit at its first rank, a rank counts once."""
    hits = {
        min(ranks)
        for target in targets
        if (ranks := [rank for rank, row in enumerate(best) if row in set(target)])
    }
    ideal = sum(1 / np.log2(rank + 2) for rank in range(min(_DEEPEST, len(targets))))
    return float(sum(1 / np.log2(rank + 2) for rank in hits) / ideal) if ideal else 0.0


def reciprocal_ranks(
    asked: torch.Tensor, records: torch.Tensor, pairs: Pairs, packages: NDArray[np.uint32]
) -> float:
    """Mean reciprocal rank (to 10) of each pair's answer among its own package's records.

    `asked` (m, d); `records` (n, d) are all records, those of other packages are not looked at.
    """
    device = records.device
    own = packages[pairs.answers]
    total, count = 0.0, 0
    for package in np.unique(own):
        rows = torch.from_numpy(np.flatnonzero(packages == package)).to(device)
        which = np.flatnonzero(own == package)
        scores = asked[torch.from_numpy(which).to(device)].float() @ records[rows].float().T
        place = torch.searchsorted(rows, torch.from_numpy(pairs.answers[which]).to(device))
        own_score = scores.gather(1, place[:, None])
        rank = (scores > own_score).sum(1) + 1
        total += float(torch.where(rank <= _DEEPEST, 1.0 / rank, 0.0).sum())
        count += len(which)
    return total / max(1, count)
