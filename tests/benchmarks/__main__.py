"""`python -m tests.benchmarks [--json FILE] [--tree FOLDER] [--repository FOLDER]... [NAME...]`."""

import argparse
import asyncio
import os
import sys
import sysconfig
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import orjson
from rich.console import Console

from tests.benchmarks import (
    blame_and_history,
    blame_in_depth,
    cold_index,
    dense_ladder,
    index_at_scale,
    listing_paths,
    million_chunks,
    query_latency,
    save_to_searchable,
    while_indexing,
)
from tests.benchmarks.measuring import Row
from tests.benchmarks.reporting import Failure, Report, machine_facts, print_report
from tests.benchmarks.workbench import Workbench, set_up

BENCHMARKS: Mapping[str, Callable[[Workbench], AsyncIterator[Row]]] = {
    "index": cold_index.measure,
    "query": query_latency.measure,
    "save": save_to_searchable.measure,
    "git": blame_and_history.measure,
    "git-depth": blame_in_depth.measure,
    "paths": listing_paths.measure,
    "ladder": dense_ladder.measure,
    "scale": index_at_scale.measure,
    "while-indexing": while_indexing.measure,
}
ON_REQUEST: Mapping[str, Callable[[Workbench], AsyncIterator[Row]]] = {
    "million": million_chunks.measure,
}
"""Those that take too long to be run unasked."""
_PROJECT = Path(__file__).parents[2]
_TREE = Path(sysconfig.get_path("purelib"))


def main(arguments: list[str]) -> int:
    """Run the benchmarks named (all without a name); 1 only where one could not be carried out."""
    options = _parser().parse_args(arguments)
    known = {*BENCHMARKS, *ON_REQUEST}
    unknown = set(options.names) - known
    if unknown:
        print(
            f"Unknown benchmark {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}."
        )
        return 2
    machine = machine_facts()
    with tempfile.TemporaryDirectory(prefix="codeintel-benchmarks-") as folder:
        workbench = set_up(
            Path(folder),
            options.tree.resolve(),
            options.files,
            [path.resolve() for path in options.repository or [_PROJECT]],
            rounds=options.rounds,
            peer_python=options.peer_python,
        )
        rows, failures = asyncio.run(_run(workbench, options.names or list(BENCHMARKS)))
    machine["loadAfter"] = round(os.getloadavg()[0], 2)
    report = Report(machine=machine, trees=workbench.facts, rows=rows, failures=failures)
    print_report(report, Console(width=None if sys.stdout.isatty() else 180))
    if options.json:
        options.json.write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=", ".join([*BENCHMARKS, *ON_REQUEST])
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--tree", type=Path, default=_TREE, help="index this (default: the installed packages)"
    )
    parser.add_argument(
        "--files", type=int, default=2000, help="of the tree, the first so many; 0: all"
    )
    parser.add_argument(
        "--repository", type=Path, action="append", help="blame here (default: this project)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="cold indexings")
    parser.add_argument("--peer-python", default="", help="an interpreter that has semble")
    return parser


async def _run(workbench: Workbench, names: list[str]) -> tuple[list[Row], list[Failure]]:
    """The rows of the benchmarks named; what fails leaves the others standing."""
    rows: list[Row] = []
    failures: list[Failure] = []
    for name in names:
        started = time.monotonic()
        print(f"{name} …", file=sys.stderr, end=" ", flush=True)
        try:
            async for row in {**BENCHMARKS, **ON_REQUEST}[name](workbench):
                rows.append(row)  # noqa: PERF401 - a failure must not take the rows before it along
        # Whatever it is, the figures of the other benchmarks are still wanted.
        except Exception as error:  # noqa: BLE001
            failures.append(Failure(name=name, reason=f"{type(error).__name__}: {error}"))
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return rows, failures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
