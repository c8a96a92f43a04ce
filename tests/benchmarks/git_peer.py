"""Places in committed files, and the git commands that a person would type about them."""

import random
import subprocess
from pathlib import Path

from attrs import frozen

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
    """What a person types."""

    workbench: Workbench
    repository: Path

    def blame(self, place: Place) -> None:
        lines = f"{place.first + 1},{place.last + 1}"
        self._run("blame", "-L", lines, "HEAD", "--", place.path)

    def log(self, place: Place) -> None:
        self._run("log", "-50", "--", place.path)

    def _run(self, *arguments: str) -> None:
        subprocess.run(
            ["git", "--no-pager", *arguments],
            cwd=self.repository,
            env=self.workbench.environment,
            capture_output=True,
            check=True,
        )
