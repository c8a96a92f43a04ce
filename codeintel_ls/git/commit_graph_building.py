"""What building a commit-graph asks of git, at low priority and when nobody waits for git.

Everything is read from the repository and written elsewhere: a graph is built in a git directory
of our own that borrows the repository's objects. See git-commit-graph(1).
"""

import os
import tempfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.blame_rules import BorrowedObjects
from codeintel_ls.git.commit_graph_file import GraphFile, read_graph_file
from codeintel_ls.git.errors import GitFailedError
from codeintel_ls.git.repository import Repository
from codeintel_ls.git.runner import GitRunner

BUILDING: Final = "building-"
"""How the name of a directory begins in which a graph is built, or was when that was cut short."""

_MOST_TIPS: Final = 1_000


def tips_of(runner: GitRunner, head: str, cancellation: Cancellation) -> tuple[str, ...] | None:
    """HEAD and what branches are at; None where objects are replaced, for which git uses no graph.

    Tags are left out: nearly all of their commits are on a branch.
    """
    told = _ask(
        runner,
        *("for-each-ref", "--format=%(objectname) %(refname)"),
        *("refs/replace", "refs/heads", "refs/remotes"),
        cancellation=cancellation,
    )
    tips = {head: None}
    for row in told.decode("utf-8", "surrogateescape").splitlines():
        commit, _, name = row.partition(" ")
        if name.startswith("refs/replace/"):
            return None
        if len(tips) < _MOST_TIPS:
            tips[commit] = None
    return tuple(tips)


def any_gone(runner: GitRunner, commits: Sequence[str], cancellation: Cancellation) -> bool:
    """Whether the repository lacks any of the commits: its history was rewritten and pruned."""
    told = _ask(
        runner,
        *("cat-file", "--batch-check=%(objecttype)"),
        given=commits,
        cancellation=cancellation,
    )
    return b"missing" in told


def count_new(
    runner: GitRunner, head: str, known: Sequence[str], most: int, cancellation: Cancellation
) -> int:
    """How many commits, of `most` that are counted, HEAD has that none of the known reaches."""
    told = _ask(
        runner,
        *("rev-list", "--count", f"--max-count={most}", "--stdin"),
        given=[head, *(f"^{commit}" for commit in known)],
        cancellation=cancellation,
    )
    return int(told)


@contextmanager
def built(
    runner: GitRunner,
    repository: Repository,
    tips: Sequence[str],
    *,
    folder: Path,
    earlier: Path,
    cancellation: Cancellation,
) -> Generator[GraphFile]:
    """A graph of all that the tips reach, below `folder`, for whoever moves it in the block.

    `earlier` is the directory of objects with the graph before it, from which known filters are
    taken. Raises `GitFailedError`, `GitTimedOutError`, `CancelledError`.
    """
    # A git that is killed leaves its lock behind: nothing is built where the graph will be.
    with tempfile.TemporaryDirectory(prefix=BUILDING, dir=folder) as building:
        objects = Path(building)
        (objects / "info").mkdir()
        theirs = repository.common_dir.absolute() / "objects"
        with closing(BorrowedObjects(repository)) as borrowed:
            _ask(
                runner,
                *("commit-graph", "write", "--stdin-commits"),
                *("--changed-paths", "--no-progress"),
                given=tips,
                environment={
                    **borrowed.environment,
                    "GIT_OBJECT_DIRECTORY": str(objects),
                    "GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates(earlier, theirs),
                },
                cancellation=cancellation,
            )
        written = read_graph_file(objects / "info" / "commit-graph")
        if written is None or not written.has_filters:
            raise GitFailedError("commit-graph", "it wrote no changed-path filters")
        yield written


def alternates(*places: Path) -> str:
    """Paths as git(1) splits them: by colons, quoted as in C where one has a colon itself."""
    return os.pathsep.join(map(_quoted, map(str, places)))


def _quoted(path: str) -> str:
    if os.pathsep not in path:
        return path
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _ask(
    runner: GitRunner,
    *arguments: str,
    cancellation: Cancellation,
    given: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> bytes:
    """What git answers to lines of input."""
    with runner.stream(
        *arguments,
        given="".join(f"{line}\n" for line in given).encode(),
        environment=environment,
        cancellation=cancellation,
        background=True,
    ) as chunks:
        return b"".join(chunks)
