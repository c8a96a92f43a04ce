"""Blame where it is dear: long histories, a view's first entry, after a commit, other libraries.

The repository that is blamed is a clone of our own (its work tree is written to), without a
commit-graph but the one that the client makes for itself.
"""

import importlib
import importlib.util
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import git

from codeintel_ls.git import BlameResult, GitClient
from tests.benchmarks.git_peer import GitCommand, Place, random_places, with_commit_graph
from tests.benchmarks.measuring import Goal, Row, in_turn
from tests.benchmarks.workbench import Workbench

_MANY_COMMITS = 500
_LONG_FILES = 12
_VIEW = 60
_PLACES = 12
_COMMITTED_FILES = 12


async def measure(workbench: Workbench) -> AsyncIterator[Row]:
    """Rows of every repository."""
    for repository in workbench.repositories:
        clone = workbench.folder / f"depth-{repository.name}"
        workbench.git(workbench.folder, "clone", "-q", str(repository), str(clone))
        command = GitCommand(workbench, clone)
        places = random_places(workbench, clone)[:_PLACES]
        yield await _first_entry(workbench, clone, command)
        for name, edit in (
            ("blame of a whole file after a commit that changed one place of it", _one_place),
            ("blame of a whole file after a commit that changed two places of it", _two_places),
        ):
            yield await _after_a_commit(workbench, clone, command, places, name, edit)
        async for row in _other_libraries(clone, command, places):
            yield row


async def _first_entry(workbench: Workbench, clone: Path, command: GitCommand) -> Row:
    """From asking for a view of 60 lines to its first hunk, in files with a long history."""
    views = _long_views(workbench, clone)
    client = GitClient.discover(clone)
    with_commit_graph(workbench, client)
    own: list[float] = []

    def first_hunk(view: Place) -> None:
        started = time.perf_counter()
        heard: list[float] = []

        def hear(_: BlameResult) -> None:
            heard.append(time.perf_counter() - started)

        client.blame_range(view.path, view.first, view.first + _VIEW - 1, partial=hear)
        own.append((heard or [time.perf_counter() - started])[0] * 1000)

    _, peer = await in_turn(views, first_hunk, lambda view: command.blame(view, _VIEW))
    client.close()
    return Row(
        name="first hunk of a view of 60 lines, files of more than 500 commits",
        values=own,
        on=clone.name,
        peer="git blame -L",
        peer_values=peer,
        goal=Goal("ratio", 0.15),
        note="" if views else f"{clone.name} has no file with so many commits",
    )


def _long_views(workbench: Workbench, clone: Path) -> list[Place]:
    told = workbench.git(clone, "log", "--format=", "--name-only", "-z").decode(errors="replace")
    counts: dict[str, int] = {}
    for path in told.replace("\n", "").split("\0"):
        counts[path] = counts.get(path, 0) + 1
    chance = random.Random(3)
    views: list[Place] = []
    for path in sorted(counts, key=lambda path: -counts[path]):
        if counts[path] <= _MANY_COMMITS or len(views) == _LONG_FILES:
            break
        if (clone / path).is_file():
            text = (clone / path).read_text(errors="replace")
            lines = text.count("\n")
            if lines > _VIEW:
                views.append(Place(path, chance.randrange(lines - _VIEW), text))
    return views


async def _after_a_commit(
    workbench: Workbench,
    clone: Path,
    command: GitCommand,
    places: Sequence[Place],
    name: str,
    edit: Callable[[str], str],
) -> Row:
    """Blame of the whole file, known before a commit that changed it, beside git's full blame."""
    client = GitClient.discover(clone)
    with_commit_graph(workbench, client)
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    own: list[float] = []
    peer: list[float] = []
    for place in places[:_COMMITTED_FILES]:
        text = (clone / place.path).read_text(errors="replace")
        last = text.count("\n")
        client.blame_range(place.path, 0, last)
        (clone / place.path).write_text(edit(text))
        workbench.git(clone, *who, "commit", "-q", "-a", "-m", "More")
        (took,), (others,) = await in_turn(
            [place],
            lambda place, last=last: client.blame_range(place.path, 0, last),
            command.blame_all,
        )
        own.append(took)
        peer.append(others)
    client.close()
    return Row(
        name=name,
        values=own,
        on=clone.name,
        peer="git blame",
        peer_values=peer,
        goal=Goal("ratio", 0.05),
    )


def _one_place(text: str) -> str:
    """What is blamed without asking git: 3 to 4 in 10 changes of files in real histories."""
    return f"one line more\n{text}"


def _two_places(text: str) -> str:
    return f"a first line\n{text.rstrip()}\na last line\n"


async def _other_libraries(
    clone: Path, command: GitCommand, places: Sequence[Place]
) -> AsyncIterator[Row]:
    """What a blame of ten lines takes with GitPython and with pygit2, where that is installed."""
    repo = git.Repo(clone)

    def with_gitpython(place: Place) -> None:
        lines = f"-L{place.first + 1},{place.last + 1}"
        # The product lets GitPython run nothing.
        forbidden, git.Git.GIT_PYTHON_GIT_EXECUTABLE = git.Git.GIT_PYTHON_GIT_EXECUTABLE, "git"
        try:
            repo.blame("HEAD", place.path, rev_opts=[lines])
        finally:
            git.Git.GIT_PYTHON_GIT_EXECUTABLE = forbidden

    works: dict[str, Callable[[Place], object]] = {"GitPython": with_gitpython}
    if importlib.util.find_spec("pygit2") is not None:
        # It need not be installed, so that nobody knows its types.
        opened: Any = importlib.import_module("pygit2").Repository(str(clone))

        def with_pygit2(place: Place) -> None:
            opened.blame(place.path, min_line=place.first + 1, max_line=place.last + 1)

        works["pygit2"] = with_pygit2
    for name, work in works.items():
        took, peer = await in_turn(places, work, command.blame)
        yield Row(
            name=f"{name}: blame of 10 lines",
            values=took,
            on=clone.name,
            peer="git blame -L",
            peer_values=peer,
        )
    repo.close()
