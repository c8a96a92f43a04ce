"""Cache folders with as much in them as a test says."""

import json
import os
import time
from pathlib import Path
from typing import Any

from codeintel_ls.workspace.pruning import Pruned, prune

KIB = 1024
DAY = 24 * 60 * 60.0
PLENTY = 1 << 40


class Caches:
    """A cache folder as the program leaves it, with as much in it as a test says."""

    def __init__(self, directory: Path, roots: Path) -> None:
        self.directory = directory
        self.roots = roots
        self.roots.mkdir()

    def workspace(
        self,
        name: str,
        *,
        kib: int = 64,
        days: float = 0,
        repository: str | None = None,
        described: bool = True,
        root: str | None = None,
    ) -> Path:
        """A workspace's cache that was last used so many days ago; its root exists.

        `root` names that where the cache's own name does not.
        """
        folder = self.directory / "workspaces" / name
        (folder / "segments").mkdir(parents=True)
        fill(folder / "index.sqlite3", kib // 2)
        fill(folder / "segments" / "one", kib - kib // 2)
        if described:
            place = self.roots / (root or name)
            place.mkdir(exist_ok=True)
            description = {"root": str(place), "repository": repository}
            (folder / "workspace.json").write_text(json.dumps(description))
        for path in (*folder.rglob("*"), folder):
            age(path, days)
        return folder

    def store(self, name: str, *, kib: int = 64) -> Path:
        """The store of a repository."""
        folder = self.directory / "repositories" / name
        folder.mkdir(parents=True)
        fill(folder / "contents.sqlite3", kib)
        return folder

    def prune(self, cap_kib: int = PLENTY, **options: Any) -> Pruned:
        """Prune it down to so many KiB."""
        return prune(self.directory, cap_bytes=cap_kib * KIB, **options)

    def left(self) -> set[str]:
        """The names of workspaces and stores that are there."""
        return {path.name for path in self.directory.glob("*/*")}


def fill(path: Path, kib: int) -> None:
    path.write_bytes(os.urandom(kib * KIB))


def age(path: Path, days: float) -> None:
    then = time.time() - days * DAY
    os.utime(path, (then, then))
