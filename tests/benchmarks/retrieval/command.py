"""The command line: which questions, which checkouts, which systems, where the figures go."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console

from codeintel_ls.embedding import (
    DeepModel,
    ModelUnavailableError,
    bundled_deep_model,
    load_encoder,
    open_encoder,
)
from codeintel_ls.search import SearchMode
from tests.benchmarks.reporting import machine_facts
from tests.benchmarks.retrieval.asking import IndexingFailedError
from tests.benchmarks.retrieval.checkouts import Checkout, find_checkouts
from tests.benchmarks.retrieval.reading import (
    Repository,
    UnreadableQuestionsError,
    read_own_words,
    read_split,
)
from tests.benchmarks.retrieval.running import Plan, run_repository
from tests.benchmarks.retrieval.scores import RepositoryRun
from tests.benchmarks.retrieval.semble_answers import PeerUnavailableError
from tests.benchmarks.retrieval.tables import as_json, print_failures, print_tables

_SPLIT = Path(__file__).parents[4] / "shared" / "search-bench"
_OWN_WORDS = Path(__file__).parent / "questions"
_WIDTH = 200


def run(arguments: Sequence[str]) -> int:
    """Ask and print. 1 where a repository could not be asked or none is there, 2 for bad input."""
    options = _parser().parse_args(arguments)
    model = str(options.model.resolve()) if options.model else ""
    try:
        repositories = _repositories(options)
        # The product falls back on its own model; a score must not.
        encoder = load_encoder(model).identity
        if options.deep:
            encoder += f", {open_encoder(_deep_model()).identity}"
    except (UnreadableQuestionsError, ModelUnavailableError) as error:
        print(error, file=sys.stderr)
        return 2
    found = find_checkouts(
        repositories, options.checkouts.resolve(), any_revision=options.any_revision
    )
    for reason in found.left_out:
        print(f"Left out: {reason}", file=sys.stderr)
    for checkout in found.usable:
        if checkout.remark:
            print(f"Marked *: {checkout.remark}", file=sys.stderr)
    plan = Plan(
        modes=[SearchMode(mode) for mode in dict.fromkeys(options.mode or ["hybrid"])],
        without_boosts=options.no_boosts,
        deep=options.deep,
        model=model,
        peer_python=options.peer_python,
        peer_model=str(options.peer_model.resolve()) if options.peer_model else "",
    )
    machine = machine_facts()
    runs, failed = _run(found.usable, plan)
    if not runs:
        print("No repository could be asked.", file=sys.stderr)
        return 1
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    console.print(f"Encoder {encoder}; {machine}", highlight=False)
    print_tables(runs, console)
    if options.failures is not None:
        print_failures(runs, options.failures, console)
    if options.json:
        content = {
            "machine": machine,
            "encoder": encoder,
            "leftOut": list(found.left_out),
            **as_json(runs),
        }
        options.json.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return 1 if failed else 0


def _deep_model() -> DeepModel:
    model = bundled_deep_model()
    if model is None:
        raise ModelUnavailableError("--deep needs the extra `deep`: pip install -e '.[deep]'.")
    return model


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.retrieval", description=__doc__
    )
    parser.add_argument("--checkouts", type=Path, required=True, help="one folder a repository")
    parser.add_argument("--split", type=Path, default=_SPLIT, help="the public split's folder")
    parser.add_argument(
        "--own-words",
        type=Path,
        nargs="?",
        const=_OWN_WORDS,
        metavar="FOLDER",
        help="own-words questions instead of the split, without those held out",
    )
    parser.add_argument(
        "--held-out", action="store_true", help="of own-words questions only those held out"
    )
    parser.add_argument("--repository", action="append", metavar="NAME", help="only this one")
    parser.add_argument(
        "--any-revision", action="store_true", help="use checkouts of other revisions, too"
    )
    parser.add_argument(
        "--mode", action="append", choices=list(map(str, SearchMode)), help="default: hybrid"
    )
    parser.add_argument(
        "--no-boosts", action="store_true", help="score each mode without ranking layers, too"
    )
    parser.add_argument("--deep", action="store_true", help="with the deep model's vectors")
    parser.add_argument("--model", type=Path, metavar="FOLDER", help="another static model")
    parser.add_argument("--peer-python", default="", metavar="FILE", help="it has semble")
    parser.add_argument("--peer-model", type=Path, metavar="FOLDER", help="model2vec's, for semble")
    parser.add_argument(
        "--failures", type=float, nargs="?", const=0.5, metavar="SCORE", help="list those below"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


def _repositories(options: argparse.Namespace) -> list[Repository]:
    """Those that are asked for. Raises UnreadableQuestionsError."""
    if options.held_out and (options.own_words is None or options.repository):
        raise UnreadableQuestionsError(
            "--held-out goes with --own-words, and takes them all: no single --repository."
        )
    if options.own_words is None:
        known = read_split(options.split)
    else:
        known = [
            repository
            for repository in read_own_words(options.own_words)
            if repository.held_out == options.held_out
        ]
    wanted = options.repository or [repository.name for repository in known]
    unknown = set(wanted) - {repository.name for repository in known}
    if unknown:
        names = ", ".join(repository.name for repository in known)
        raise UnreadableQuestionsError(
            f"Unknown repository {', '.join(sorted(unknown))}; there are {names}."
        )
    return [repository for repository in known if repository.name in wanted]


def _run(checkouts: Sequence[Checkout], plan: Plan) -> tuple[list[RepositoryRun], bool]:
    """The runs, and whether one could not be carried out: that leaves the others standing."""
    runs: list[RepositoryRun] = []
    failed = False
    for checkout in checkouts:
        name = checkout.repository.name
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            runs.append(run_repository(checkout, plan))
        except (IndexingFailedError, PeerUnavailableError) as error:
            print(f"FAILED {name}: {error}", file=sys.stderr)
            failed = True
    return runs, failed
