"""Places in committed files, and the git commands that a person would type about them."""

import random
import subprocess
import time
from pathlib import Path

from attrs import frozen

from codeintel_ls.git import GitClient
from codeintel_ls.settings import commit_graph_directory
from tests.benchmarks.workbench import Workbench

_PLACES = 24
LEAST_LINES = 60
_LINES = 10


@frozen
class Place:
    """Ten lines (0-based, inclusive) of a tracked file."""

    path: str
    first: int
    text: str

    @property
    def last(self) -> int:
        return self.first + _LINES - 1


def with_commit_graph(workbench: Workbench, client: GitClient) -> float:
    """Build the client's own commit-graph where servers will find it; how long it took, in ms."""
    client.use_commit_graph(commit_graph_directory(workbench.settings.cache, client.common_dir))
    assert client.commit_graph is not None
    started = time.perf_counter()
    client.commit_graph.refresh()
    return (time.perf_counter() - started) * 1000


def random_places(workbench: Workbench, repository: Path) -> list[Place]:
    """Random places, the same for the same commit."""
    chance = random.Random(7)
    listed = workbench.git(repository, "grep", "-Ilz", "-e", "", "HEAD")
    paths = [name.partition(":")[2] for name in listed.decode().split("\0") if name]
    chance.shuffle(paths)
    places: list[Place] = []
    for path in paths:
        text = workbench.git(repository, "show", f"HEAD:{path}").decode(errors="replace")
        lines = text.count("\n")
        if lines >= LEAST_LINES:
            places.append(Place(path, chance.randrange(lines - _LINES), text))
        if len(places) == _PLACES:
            break
    return places


@frozen
class GitCommand:
    """What a person types, in a repository that has no commit-graph (as a clone has none)."""

    workbench: Workbench
    repository: Path

    def blame(self, place: Place, lines: int = _LINES) -> None:
        self._run("blame", f"-L{place.first + 1},+{lines}", "HEAD", "--", place.path)

    def blame_all(self, place: Place) -> None:
        self._run("blame", "HEAD", "--", place.path)

    def log(self, place: Place) -> None:
        self._run("log", "-50", "--", place.path)

    def log_following(self, place: Place) -> None:
        self._run("log", "--follow", "-50", "--", place.path)

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            ["git", "--no-pager", "-c", "core.commitGraph=false", *arguments],
            cwd=self.repository,
            env=self.workbench.environment,
            capture_output=True,
            check=True,
        )
