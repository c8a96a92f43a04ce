"""`python -m tests.equality REPOSITORY... [--triples N] [--buffers N] [--moves N] [--seed N]`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.equality.answers import Tally
from tests.equality.buffers import prove_buffers
from tests.equality.moves import prove_moves
from tests.equality.subject import scratch_of
from tests.equality.triples import prove_triples


def main(arguments: list[str]) -> int:
    """One line for each repository, and one for each difference; 1 if there is any."""
    options = _parser().parse_args(arguments)
    different = 0
    for repository in options.repositories:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="codeintel-equality-") as folder:
            triples, buffers, moves = _prove(repository, Path(folder), options)
        found = [*triples.differences, *buffers.differences, *moves.differences]
        print(
            f"{repository}: {triples.compared} triples, {buffers.compared} buffers, "
            f"{options.moves} moves ({moves.compared} files compared), "
            f"{triples.lines + buffers.lines + moves.lines} lines, "
            f"{len(found)} differences, {time.monotonic() - started:.0f} s",
            flush=True,
        )
        for difference in found:
            print(f"  seed {options.seed}, {difference}", flush=True)
        different += len(found)
    return 1 if different else 0


def _prove(
    repository: Path, folder: Path, options: argparse.Namespace
) -> tuple[Tally, Tally, Tally]:
    subject = scratch_of(repository, folder / "scratch")
    try:
        triples = prove_triples(subject, options.triples, options.seed)
        buffers = prove_buffers(subject, options.buffers, options.seed, options.save)
        moves = prove_moves(subject, options.moves, options.seed)
    finally:
        subject.close()
    return triples, buffers, moves


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.equality", description=__doc__)
    parser.add_argument("repositories", nargs="+", type=Path, metavar="REPOSITORY")
    parser.add_argument("--triples", type=int, default=300, help="of file, revision and range")
    parser.add_argument("--buffers", type=int, default=100, help="edited and not saved")
    parser.add_argument("--moves", type=int, default=100, help="commits, checkouts, rebases …")
    parser.add_argument("--seed", type=int, default=1, help="the same seed draws the same")
    parser.add_argument(
        "--save", type=Path, metavar="FOLDER", help="keep buffers that differ there"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
