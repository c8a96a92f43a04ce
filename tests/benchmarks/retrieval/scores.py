"""What one run found out: scores of questions, and what they come to.

A mean over repositories is that of their own means; a mean over a category is that of its
questions, from whatever repository.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from attrs import field, frozen

from tests.benchmarks.retrieval.metric import Estimate, Place, estimate, hit_ranks, ndcg
from tests.benchmarks.retrieval.reading import Question, Repository

SHOWN = 5


@frozen(kw_only=True)
class QuestionScore:
    """`ranks` of the targets among the results, the first of which are `first`.

    `within` counts the targets that the candidates hold, by the name of each pool.
    """

    question: Question
    ranks: tuple[int | None, ...]
    first: tuple[str, ...]
    within: Mapping[str, int] = field(factory=dict[str, int])

    @classmethod
    def of(
        cls, question: Question, places: Sequence[Place], within: Mapping[str, int] | None = None
    ) -> "QuestionScore":
        """The score of these results."""
        return cls(
            question=question,
            ranks=hit_ranks(places, question.targets),
            first=tuple(f"{place.path}:{place.first_line}" for place in places[:SHOWN]),
            within=within or {},
        )

    @property
    def ndcg(self) -> float:
        """NDCG@10."""
        return ndcg(self.ranks)


@frozen(kw_only=True)
class SystemRun:
    """What one system answered to all questions of a repository, and how long each took."""

    scores: Sequence[QuestionScore]
    milliseconds: Sequence[float] = ()
    index_seconds: float | None = None
    chunks: int | None = None

    @property
    def ndcg(self) -> Estimate:
        """NDCG@10, mean over the questions."""
        return estimate([score.ndcg for score in self.scores])


@frozen(kw_only=True)
class RepositoryRun:
    """One repository: systems by name, the first is the one in question.

    `unreachable` answers lie in no indexed file.
    """

    repository: Repository
    files: int
    chunks: int
    index_seconds: float
    systems: Mapping[str, SystemRun]
    remark: str = ""
    unreachable: Sequence[str] = ()

    @property
    def first(self) -> SystemRun:
        """The run of the system in question."""
        return next(iter(self.systems.values()))


def over_repositories(runs: Sequence[RepositoryRun], system: str) -> Estimate:
    """The score of a system; its error is that over repositories."""
    return estimate([run.systems[system].ndcg.mean for run in runs])


def by_language(runs: Sequence[RepositoryRun], system: str) -> Mapping[str, Estimate]:
    """The same for the repositories of each language."""
    groups: dict[str, list[RepositoryRun]] = defaultdict(list)
    for run in runs:
        groups[run.repository.language].append(run)
    return {name: over_repositories(group, system) for name, group in sorted(groups.items())}


def by_category(runs: Sequence[RepositoryRun], system: str) -> Mapping[str, Estimate]:
    """The mean over the questions of each category, the largest first."""
    groups: dict[str, list[float]] = defaultdict(list)
    for run in runs:
        for score in run.systems[system].scores:
            groups[score.question.category].append(score.ndcg)
    by_size = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return {name: estimate(values) for name, values in by_size}


def difference(runs: Sequence[RepositoryRun], system: str, other: str) -> Estimate:
    """By how much a system is above another, repository by repository."""
    return estimate([run.systems[system].ndcg.mean - run.systems[other].ndcg.mean for run in runs])


def reference_means(runs: Sequence[RepositoryRun]) -> Mapping[str, float]:
    """The means of the published scores that every one of these repositories has."""
    names = [run.repository.references for run in runs]
    shared = [name for name in names[0] if all(name in each for each in names)] if names else []
    return {name: estimate([each[name] for each in names]).mean for name in shared}


def recall(runs: Sequence[RepositoryRun], system: str) -> Mapping[str, float]:
    """The share of all targets that each pool of candidates holds."""
    found: dict[str, int] = defaultdict(int)
    targets = 0
    for run in runs:
        for score in run.systems[system].scores:
            targets += len(score.ranks)
            for pool, count in score.within.items():
                found[pool] += count
    return {pool: count / targets for pool, count in found.items()}
