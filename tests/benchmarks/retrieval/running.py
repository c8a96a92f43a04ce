"""Every question of one repository, asked of every system that is compared."""

from collections.abc import Mapping, Sequence

from attrs import evolve, frozen

from codeintel_ls.search import SearchMode
from tests.benchmarks.retrieval.asking import (
    Candidates,
    IndexedFolder,
    ask,
    candidates,
    indexed,
    unreachable,
)
from tests.benchmarks.retrieval.checkouts import Checkout
from tests.benchmarks.retrieval.metric import count_within, hit_ranks
from tests.benchmarks.retrieval.reading import Question
from tests.benchmarks.retrieval.scores import QuestionScore, RepositoryRun, SystemRun
from tests.benchmarks.retrieval.semble_answers import semble_runs

WITHOUT_BOOSTS = "without boosts"


@frozen(kw_only=True)
class Plan:
    """What is compared. `model` as in the setting; semble is asked where an interpreter is named.

    `without_boosts` scores, beside each mode, its candidates as fusion alone orders them. `deep`
    has the deep model read everything first.
    """

    modes: Sequence[SearchMode]
    without_boosts: bool = False
    deep: bool = False
    model: str = ""
    peer_python: str = ""
    peer_model: str = ""


def run_repository(checkout: Checkout, plan: Plan) -> RepositoryRun:
    """Index, ask, score. Raises IndexingFailedError, PeerUnavailableError."""
    repository = checkout.repository
    with indexed(checkout.indexed, repository.root, plan.model, deep=plan.deep) as index:
        systems: dict[str, SystemRun] = {}
        plain: dict[str, SystemRun] = {}
        for mode in plan.modes:
            boosted, fused = _answers(index, repository.questions, mode)
            systems[str(mode)] = boosted
            if plan.without_boosts:
                plain[f"{mode}, {WITHOUT_BOOSTS}"] = fused
        run = RepositoryRun(
            repository=repository,
            files=index.files,
            chunks=index.chunks,
            index_seconds=index.seconds,
            systems={**systems, **plain},
            remark=checkout.remark,
            unreachable=unreachable(index, [t for q in repository.questions for t in q.targets]),
        )
    if not plan.peer_python:
        return run
    peers = semble_runs(
        checkout.indexed,
        repository.root,
        repository.questions,
        python=plan.peer_python,
        model=plan.peer_model,
    )
    return evolve(run, systems={**run.systems, **peers})


def _answers(
    index: IndexedFolder, questions: Sequence[Question], mode: SearchMode
) -> tuple[SystemRun, SystemRun]:
    """What the product answers, and its candidates as fusion alone orders them."""
    ask(index, questions[0].text, mode)  # the first one loads what later ones find loaded
    timed = [ask(index, question.text, mode) for question in questions]
    boosted: list[QuestionScore] = []
    plain: list[QuestionScore] = []
    for question, (places, _) in zip(questions, timed, strict=True):
        pool = candidates(index, question.text, mode)
        boosted.append(QuestionScore.of(question, places, _within(question, pool)))
        plain.append(QuestionScore.of(question, pool.fused))
    return (
        SystemRun(scores=boosted, milliseconds=[each for _, each in timed]),
        SystemRun(scores=plain),
    )


def _within(question: Question, pool: Candidates) -> Mapping[str, int]:
    """How many targets each pool holds; `either@100` are the first hundred of both lists."""
    fused = hit_ranks(pool.fused, question.targets)
    dense = hit_ranks(pool.dense, question.targets)
    lexical = hit_ranks(pool.lexical, question.targets)
    either = [
        min((rank for rank in ranks if rank is not None), default=None)
        for ranks in zip(dense, lexical, strict=True)
    ]
    return {
        "fused@50": count_within(fused, 50),
        "fused@100": count_within(fused, 100),
        "dense@100": count_within(dense, 100),
        "lexical@100": count_within(lexical, 100),
        "either@100": count_within(either, 100),
    }
