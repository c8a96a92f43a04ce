"""What the benchmarks work on: a copy of a real tree, a home of their own, repositories.

Invariant: nothing outside the temporary folder is written, and what is indexed is the same
list of files whenever the same tree is given.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve, field, frozen

from codeintel_ls.index.screening import screen_text
from codeintel_ls.index.source import SkippedFileError, read_source
from codeintel_ls.settings import CacheSettings, IndexSettings, Settings
from codeintel_ls.workspace.discovery import discover_files

# The deep model would take processors from what is measured.
NOT_DEEP = '[search]\ndeep = "off"\n'


@frozen(kw_only=True)
class Workbench:
    """`tree` is a git repository with one commit that holds exactly `files`."""

    folder: Path
    tree: Path
    files: Sequence[str]
    repositories: Sequence[Path]
    rounds: int = 3
    peer_python: str = ""
    facts: dict[str, dict[str, object]] = field(factory=dict[str, dict[str, object]])

    @property
    def environment(self) -> Mapping[str, str]:
        """For every child process: nothing of the user's own settings, cache, daemons or git."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return {
            **kept,
            "HOME": str(self.folder / "home"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "XDG_RUNTIME_DIR": str(self.folder / "runtime"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
        }

    @property
    def settings(self) -> Settings:
        """Settings whose cache is the one that servers in `environment` have."""
        return self.settings_with_cache(self.folder / "cache" / "codeintel-ls")

    def settings_with_cache(self, folder: Path) -> Settings:
        """Defaults, with this folder for indexes."""
        return Settings(cache=CacheSettings(directory=str(folder)))

    def of(self, tree: Path, files: Sequence[str]) -> "Workbench":
        """The same for another tree that was made in its folder."""
        return evolve(self, tree=tree, files=files)

    def git(self, folder: Path, *arguments: str) -> bytes:
        """What the git command prints. Raises CalledProcessError."""
        return subprocess.run(
            ["git", *arguments], cwd=folder, env=self.environment, capture_output=True, check=True
        ).stdout

    def describe(self) -> None:
        """Note the sizes of what is worked on."""
        sizes = [(self.tree / path).stat().st_size for path in self.files]
        self.facts["tree"] = {"files": len(sizes), "bytes": sum(sizes)}
        for repository in self.repositories:
            self.facts[repository.name] = {
                "commits": int(self.git(repository, "rev-list", "--count", "--all")),
                "files": self.git(repository, "ls-files", "-z").count(b"\0"),
            }


def first_indexable(tree: Path, most: int) -> list[str]:
    """The first paths, in their order, that the product indexes; `most` 0 means all."""
    settings = IndexSettings()
    paths: list[str] = []
    for found in discover_files(tree, None, settings).files:
        try:
            text = read_source(tree / found.path).text
        except SkippedFileError:
            continue
        if screen_text(found.path, text, settings.max_line_characters) is None:
            paths.append(found.path)
            if len(paths) == most:
                break
    return paths


def set_up(
    folder: Path,
    tree: Path,
    most: int,
    repositories: Sequence[Path],
    *,
    rounds: int,
    peer_python: str,
) -> Workbench:
    """Copy the tree's files into `folder` and make a repository of them."""
    files = first_indexable(tree, most)
    if not files:
        raise SystemExit(f"{tree} holds no file to index: name another folder with --tree.")
    copy = folder / "tree"
    for path in files:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tree / path, copy / path)
    (folder / "home").mkdir()
    (folder / "runtime").mkdir(mode=0o700)
    settings = folder / "config" / "codeintel-ls" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(NOT_DEEP)
    workbench = Workbench(
        folder=folder,
        tree=copy,
        files=files,
        repositories=repositories,
        rounds=rounds,
        peer_python=peer_python,
    )
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    workbench.git(copy, "init", "-q")
    workbench.git(copy, "add", "-f", ".")
    workbench.git(copy, *who, "commit", "-q", "-m", "Everything")
    workbench.describe()
    return workbench
