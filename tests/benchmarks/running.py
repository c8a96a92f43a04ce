"""The command line of benchmarks: what they work on, in which order they run, where figures go."""

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

from tests.benchmarks.measuring import Row
from tests.benchmarks.reporting import Failure, Report, machine_facts, print_report
from tests.benchmarks.workbench import Workbench, set_up

Benchmarks = Mapping[str, Callable[[Workbench], AsyncIterator[Row]]]

_PROJECT = Path(__file__).parents[2]
_TREE = Path(sysconfig.get_path("purelib"))
_NONE: Benchmarks = {}


def run(
    program: str,
    arguments: list[str],
    benchmarks: Benchmarks,
    on_request: Benchmarks = _NONE,
    files: int = 2000,
) -> int:
    """Run the benchmarks named (all of `benchmarks` without a name).

    1 only where one could not be carried out, 2 for a name that is not known. `files` of the tree
    are worked on, unless the command says otherwise.
    """
    known = {**benchmarks, **on_request}
    options = _parser(program, list(known), files).parse_args(arguments)
    unknown = set(options.names) - set(known)
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
        chosen = {name: known[name] for name in options.names or benchmarks}
        rows, failures = asyncio.run(_run(workbench, chosen))
    machine["loadAfter"] = round(os.getloadavg()[0], 2)
    report = Report(machine=machine, trees=workbench.facts, rows=rows, failures=failures)
    print_report(report, Console(width=None if sys.stdout.isatty() else 180))
    if options.json:
        options.json.write_bytes(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2))
    return 1 if failures else 0


def _parser(program: str, names: list[str], files: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--tree", type=Path, default=_TREE, help="index this (default: the installed packages)"
    )
    parser.add_argument(
        "--files", type=int, default=files, help="of the tree, the first so many; 0: all"
    )
    parser.add_argument(
        "--repository", type=Path, action="append", help="blame here (default: this project)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="cold indexings")
    parser.add_argument("--peer-python", default="", help="an interpreter that has semble")
    return parser


async def _run(workbench: Workbench, benchmarks: Benchmarks) -> tuple[list[Row], list[Failure]]:
    """The rows of the benchmarks; what fails leaves the others standing."""
    rows: list[Row] = []
    failures: list[Failure] = []
    for name, measure in benchmarks.items():
        started = time.monotonic()
        print(f"{name} …", file=sys.stderr, end=" ", flush=True)
        try:
            async for row in measure(workbench):
                rows.append(row)  # noqa: PERF401 - a failure must not take the rows before it along
        # Whatever it is, the figures of the other benchmarks are still wanted.
        except Exception as error:  # noqa: BLE001
            failures.append(Failure(name=name, reason=f"{type(error).__name__}: {error}"))
        print(f"{time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return rows, failures
