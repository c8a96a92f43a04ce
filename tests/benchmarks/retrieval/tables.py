"""Runs as tables for a person and as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.measuring import p95_of, percentile
from tests.benchmarks.retrieval.metric import Estimate
from tests.benchmarks.retrieval.scores import (
    QuestionScore,
    RepositoryRun,
    SystemRun,
    by_category,
    by_language,
    difference,
    over_repositories,
    recall,
    reference_means,
)

_LONGEST = 70


def print_tables(runs: Sequence[RepositoryRun], console: Console) -> None:
    """Repositories, languages, categories, candidates, differences."""
    systems = list(runs[0].systems)
    console.print(_repositories(runs, systems))
    for title, grouped in (("language", by_language), ("category", by_category)):
        console.print(_groups(title, {name: grouped(runs, name) for name in systems}))
    for name in systems:
        if pools := recall(runs, name):
            told = ", ".join(f"{pool} {share:.3f}" for pool, share in pools.items())
            console.print(f"Recall of {name} candidates: {told}", highlight=False)
    for other in systems[1:]:
        above = _figure(difference(runs, systems[0], other), signed=True)
        console.print(f"{systems[0]} above {other}: {above}", highlight=False)
    for run in runs:
        if run.unreachable and not run.repository.held_out:
            lost = ", ".join(run.unreachable)
            console.print(f"{run.repository.name}: not indexed, yet an answer: {lost}")
    for name, mean in reference_means(runs).items():
        console.print(f"Published, {name}: {mean:.3f}", highlight=False)


def print_failures(runs: Sequence[RepositoryRun], below: float, console: Console) -> None:
    """The questions that the first system answers worst; none of repositories held out."""
    for run in runs:
        if run.repository.held_out:
            continue
        for score in sorted(run.first.scores, key=lambda each: each.ndcg):
            if score.ndcg < below:
                console.print(_failure(run, score), highlight=False, markup=False, soft_wrap=True)


def as_json(runs: Sequence[RepositoryRun]) -> dict[str, Any]:
    """Everything, with each question's score unless its repository is held out."""
    systems = list(runs[0].systems)
    return {
        "systems": {
            name: {
                "ndcg": _plain(over_repositories(runs, name)),
                "languages": _plain_all(by_language(runs, name)),
                "categories": _plain_all(by_category(runs, name)),
                "recall": dict(recall(runs, name)),
                "behindFirst": _plain(difference(runs, systems[0], name)),
            }
            for name in systems
        },
        "references": dict(reference_means(runs)),
        "repositories": [_repository_as_json(run) for run in runs],
    }


def _repositories(runs: Sequence[RepositoryRun], systems: Sequence[str]) -> Table:
    table = Table("repository", "language", "asked", *systems)
    for name in ("chunks", "index s", "chunks/s", "p50 ms", "p95 ms", "peer's index s"):
        table.add_column(name, justify="right")
    for run in runs:
        table.add_row(
            run.repository.name + ("*" if run.remark else ""),
            run.repository.language,
            str(len(run.repository.questions)),
            *(_figure(run.systems[name].ndcg) for name in systems),
            f"{run.chunks:,}",
            f"{run.index_seconds:.2f}",
            f"{run.chunks / run.index_seconds:,.0f}",
            *_times([run.first]),
            _peer_seconds([run]),
        )
    table.add_section()
    chunks, seconds = sum(run.chunks for run in runs), sum(run.index_seconds for run in runs)
    table.add_row(
        "mean",
        "",
        str(sum(len(run.repository.questions) for run in runs)),
        *(_figure(over_repositories(runs, name)) for name in systems),
        f"{chunks:,}",
        f"{seconds:.2f}",
        f"{chunks / seconds:,.0f}",
        *_times([run.first for run in runs]),
        _peer_seconds(runs),
    )
    return table


def _groups(title: str, systems: Mapping[str, Mapping[str, Estimate]]) -> Table:
    table = Table(title, *systems)
    for group in next(iter(systems.values())):
        table.add_row(group, *(_figure(estimates[group]) for estimates in systems.values()))
    return table


def _times(runs: Sequence[SystemRun]) -> tuple[str, str]:
    times = [each for run in runs for each in run.milliseconds]
    p95 = p95_of(times)
    return f"{percentile(times, 0.5):.1f}", "–" if p95 is None else f"{p95:.1f}"


def _peer_seconds(runs: Sequence[RepositoryRun]) -> str:
    """Of all these repositories; a peer's systems share one index."""
    seconds = [
        next((one.index_seconds for one in run.systems.values() if one.index_seconds), 0.0)
        for run in runs
    ]
    return f"{sum(seconds):.2f}" if any(seconds) else ""


def _figure(value: Estimate, *, signed: bool = False) -> str:
    mean = f"{value.mean:+.3f}" if signed else f"{value.mean:.3f}"
    return mean if value.error is None else f"{mean} ± {value.error:.3f}"


def _failure(run: RepositoryRun, score: QuestionScore) -> str:
    wanted = ", ".join(
        f"{target.path} (rank {rank})" if rank else target.path
        for target, rank in zip(score.question.targets, score.ranks, strict=True)
    )
    return (
        f"{score.ndcg:.2f} {run.repository.name} [{score.question.category}] "
        f"{score.question.text[:_LONGEST]}\n     wanted {wanted}\n"
        f"     got    {', '.join(score.first[:3])}"
    )


def _repository_as_json(run: RepositoryRun) -> dict[str, Any]:
    return {
        "name": run.repository.name,
        "language": run.repository.language,
        "revision": run.repository.revision,
        "remark": run.remark or None,
        "unreachable": None if run.repository.held_out else list(run.unreachable),
        "files": run.files,
        "chunks": run.chunks,
        "indexSeconds": run.index_seconds,
        "systems": {
            name: {
                "ndcg": _plain(system.ndcg),
                "milliseconds": list(system.milliseconds),
                "indexSeconds": system.index_seconds,
                "chunks": system.chunks,
                "questions": None
                if run.repository.held_out
                else [_question_as_json(score) for score in system.scores],
            }
            for name, system in run.systems.items()
        },
    }


def _question_as_json(score: QuestionScore) -> dict[str, Any]:
    return {
        "query": score.question.text,
        "category": score.question.category,
        "ndcg": score.ndcg,
        "ranks": list(score.ranks),
        "within": dict(score.within),
        "first": list(score.first),
    }


def _plain(value: Estimate) -> dict[str, float | None]:
    return {"mean": value.mean, "error": value.error}


def _plain_all(values: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {name: _plain(value) for name, value in values.items()}
