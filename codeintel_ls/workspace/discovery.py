"""Lists the files of a folder that may be indexed: by git in a repository, by walking elsewhere.

Invariants: no link is followed, so a walk ends and stays in the folder; a file that is left out
is counted under its reason. What git ignores is not looked at and therefore not counted.
"""

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

from attrs import frozen

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git import GitClient, GitError
from codeintel_ls.index.reconcile import FoundFile
from codeintel_ls.index.screening import SkipReason
from codeintel_ls.settings import IndexSettings
from codeintel_ls.workspace.path_policy import PathPolicy

__all__ = ["OVER_LIMIT", "Discovered", "PathPolicy", "discover_files"]

OVER_LIMIT: Final = "over-limit"
_BETWEEN_CANCELLATIONS: Final = 512


@frozen(kw_only=True)
class Discovered:
    """The files to index, by path, and how many others there are by reason.

    `skipped` counts a directory that a walk does not enter as one. `truncated`: the folder holds
    more than `max_files`, `skipped["over-limit"]` of them known. `policy` decides the same for
    one path at a time. `notices` are for a person.
    """

    files: tuple[FoundFile, ...]
    skipped: Mapping[str, int]
    source: Literal["git", "walk"]
    truncated: bool
    policy: PathPolicy
    notices: tuple[str, ...] = ()


def discover_files(
    root: Path,
    git: GitClient | None,
    settings: IndexSettings,
    cancellation: Cancellation | None = None,
) -> Discovered:
    """What may be indexed in `root`; `git` is the repository that it lies in, if any.

    Where git fails, or ignores the whole folder, the folder is walked. Raises `CancelledError`.
    """
    cancellation = cancellation or Cancellation()
    notices: tuple[str, ...] = ()
    if git is not None:
        try:
            listing = _Listing(root, git, settings, cancellation)
            paths = sorted(listing.by_git(git, ""))
        except GitError as error:
            notices = (f"Git could not list the files, so the folder was walked. {error}",)
        else:
            if paths or not listing.policy.ignores_root():
                return listing.collect(paths, "git", notices)
    listing = _Listing(root, None, settings, cancellation)
    return listing.collect(listing.by_walk(""), "walk", notices)


class _Listing:
    def __init__(
        self,
        root: Path,
        git: GitClient | None,
        settings: IndexSettings,
        cancellation: Cancellation,
    ) -> None:
        self._root = Path(os.path.realpath(root))
        self._git = git
        self._most = settings.max_files
        self._cancellation = cancellation
        self._skipped: Counter[str] = Counter()
        self.policy = PathPolicy(self._root, git, settings)

    def collect(
        self, paths: Iterable[str], source: Literal["git", "walk"], notices: tuple[str, ...]
    ) -> Discovered:
        """Look at every path; stop at the most that are wanted."""
        files: list[FoundFile] = []
        truncated = False
        for number, path in enumerate(paths):
            if number % _BETWEEN_CANCELLATIONS == 0:
                self._cancellation.raise_if_cancelled()
            found = self.policy.find_listed(path)
            if isinstance(found, SkipReason):
                self._skipped[found] += 1
            elif found is not None and len(files) < self._most:
                files.append(found)
            elif found is not None:
                truncated = True
                self._skipped[OVER_LIMIT] += 1
                if source == "walk":
                    break
        files.sort(key=lambda file: file.path)
        return Discovered(
            files=tuple(files),
            skipped={str(reason): count for reason, count in self._skipped.items()},
            source=source,
            truncated=truncated,
            policy=self.policy,
            notices=notices,
        )

    def by_git(self, git: GitClient, directory: str) -> Iterator[str]:
        """The files of a directory as its repository lists them, and those of inner ones."""
        listing = git.list_files(self._root / directory, self._cancellation)
        prefix = f"{directory}/" if directory else ""
        paths = [prefix + path for path in listing.paths] if prefix else listing.paths
        self.policy.add_listed(paths)
        yield from paths
        for inner in listing.repositories:
            if not self.policy.skips_directory(prefix + inner):
                yield from self._by_inner_repository(prefix + inner)

    def _by_inner_repository(self, directory: str) -> Iterator[str]:
        place = self._root / directory
        if os.path.realpath(place) != str(place):
            self._skipped[SkipReason.SYMLINK_OUTSIDE] += 1
            return
        try:
            git = self._inner_client(place)
            try:
                if Path(os.path.realpath(git.root)) == place:
                    yield from self.by_git(git, directory)
                    return
            finally:
                git.close()
        except GitError:
            # Damaged, or somebody else's: its files are listed without it.
            pass
        yield from self.by_walk(directory)

    def _inner_client(self, place: Path) -> GitClient:
        return self._git.discover_inner(place) if self._git else GitClient.discover(place)

    def by_walk(self, top: str) -> Iterator[str]:
        """The files of a directory, those near to it first."""
        directories = deque([top])
        while directories:
            self._cancellation.raise_if_cancelled()
            directory = directories.popleft()
            # Before anything in it is judged: an inner repository judges by itself.
            if directory != top and os.path.lexists(self._root / directory / ".git"):
                yield from self._by_inner_repository(directory)
                continue
            inner, files = self._scan(directory)
            directories.extend(inner)
            yield from files

    def _scan(self, directory: str) -> tuple[list[str], list[str]]:
        """The directories to walk, and the other entries."""
        prefix = f"{directory}/" if directory else ""
        inner: list[str] = []
        files: list[str] = []
        try:
            with os.scandir(self._root / directory) as entries:
                for entry in entries:
                    path = prefix + entry.name
                    if entry.name == ".git":
                        continue
                    if not entry.is_dir(follow_symlinks=False):
                        files.append(path)
                    elif self.policy.skips_directory(path):
                        self._skipped[SkipReason.IGNORED] += 1
                    else:
                        inner.append(path)
        except OSError:
            self._skipped[SkipReason.UNREADABLE] += 1
        return sorted(inner), sorted(files)
