"""Which paths of a folder may be indexed: one decision for listings, events and saves.

Invariants: never a file that a link leads out of the folder, never one inside `.git`, never one
that is screened as a secret; and an ignore file of the search's own (`.codeintelignore`,
`.ignore`) or the `index.exclude` setting keeps out even what git tracks.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from codeintel_ls.git import GitClient
from codeintel_ls.gitignore import IgnoreList
from codeintel_ls.index.reconcile import FoundFile
from codeintel_ls.index.schema import storable_mtime
from codeintel_ls.index.screening import SkipReason, screen_path
from codeintel_ls.settings import IndexSettings
from codeintel_ls.workspace.ignore_rules import IgnoreRules, read_ignore_file, with_ancestors

_SEARCH_FILES: Final = (".ignore", ".codeintelignore")
_GIT_FILES: Final = (".gitignore",)

# Outside a repository nobody has said what belongs to the project. Hidden directories there are
# the state of tools, but for these, which people write by hand.
_WRITTEN_BY_HAND: Final = frozenset({".circleci", ".devcontainer", ".github", ".gitlab"})
_INSTALLED: Final = frozenset({"__pycache__", "node_modules"})
# A virtual environment, and what says so itself (https://bford.info/cachedir/).
_TAGS: Final = ("pyvenv.cfg", "CACHEDIR.TAG")


class PathPolicy:
    """Decides for one folder, by the ignore files as they were when they were first asked.

    Make a new one (`discover_files` does) when `changes_rules` says that a path changed them.
    Paths are relative to `root`, with `/`. Thread-safe.
    """

    def __init__(self, root: Path, git: GitClient | None, settings: IndexSettings) -> None:
        """`git` is the repository that `root` lies in; None where git has no say."""
        self._root = os.path.realpath(root)
        self._largest = settings.max_file_bytes
        self._is_repository = git is not None
        self._excluded = IgnoreRules(root, weaker=[IgnoreList(settings.exclude)])
        self._search_rules = IgnoreRules(root, _SEARCH_FILES)
        self._git_rules, self._git_prefix = _git_rules(Path(self._root), git)
        self._listed: set[str] = set()
        self._listed_directories: set[str] = set()
        self._directories: dict[str, SkipReason | None] = {"": None}

    def add_listed(self, paths: Iterable[str]) -> None:
        """Tell which files git lists: a `.gitignore` does not keep out what is tracked."""
        for path in paths:
            self._listed.add(path)
            directory = path.rpartition("/")[0]
            if directory not in self._listed_directories:
                self._listed_directories.update(with_ancestors(directory))

    def reason(self, path: str) -> SkipReason | None:
        """Why a file of this name and place is not indexed; None where it is.

        Nothing is asked about the file itself: see `find`.
        """
        return self._reason(path) if _is_proper(path) else SkipReason.NOT_A_FILE

    def allows(self, path: str) -> bool:
        """Whether a file of this name and place is indexed."""
        return self.reason(path) is None

    def find(self, path: str) -> FoundFile | SkipReason | None:
        """What lies there: a file to index, or why it is none; None where there is nothing."""
        reason = self.reason(path)
        if reason is not None:
            return reason
        directory = path.rpartition("/")[0]
        place = f"{self._root}/{directory}" if directory else self._root
        try:
            if os.path.realpath(place) != place:
                return SkipReason.SYMLINK_OUTSIDE
            return self._look_at(path)
        except ValueError:  # a name that the file system cannot have
            return SkipReason.NOT_A_FILE

    def find_listed(self, path: str) -> FoundFile | SkipReason | None:
        """As `find`, of a path that a listing gave: proper, and behind no link."""
        return self._reason(path) or self._look_at(path)

    def skips_directory(self, directory: str) -> bool:
        """Whether nothing in a directory is ever indexed: it need not be walked or watched."""
        return self._directory_reason(directory) is not None

    def changes_rules(self, path: str) -> bool:
        """Whether a change of this file changes what other files' fate is."""
        return path.rpartition("/")[2] in {*_SEARCH_FILES, *_GIT_FILES}

    def ignores_root(self) -> bool:
        """Whether the repository ignores the whole folder."""
        prefix = self._git_prefix.removesuffix("/")
        return bool(prefix) and self._git_rules.ignores_directory(prefix)

    def _reason(self, path: str) -> SkipReason | None:
        directory, _, name = path.rpartition("/")
        directory_reason = self._directory_reason(directory)
        if directory_reason is not None:
            return directory_reason
        # In a linked work tree and in a submodule, `.git` is a file.
        if name == ".git" or self._search_rules.ignores(path) or self._excluded.ignores(path):
            return SkipReason.IGNORED
        if path not in self._listed and self._git_rules.ignores(self._git_prefix + path):
            return SkipReason.IGNORED
        return screen_path(path)

    def _look_at(self, path: str) -> FoundFile | SkipReason | None:
        try:
            state = os.lstat(f"{self._root}/{path}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:
            return SkipReason.UNREADABLE
        if not stat.S_ISREG(state.st_mode):
            # The target of a link within the folder is indexed under its own name.
            is_link = stat.S_ISLNK(state.st_mode)
            return SkipReason.SYMLINK_OUTSIDE if is_link else SkipReason.NOT_A_FILE
        if state.st_size > self._largest:
            return SkipReason.TOO_LARGE
        return FoundFile(path, state.st_size, storable_mtime(state))

    def _directory_reason(self, directory: str) -> SkipReason | None:
        if directory in self._directories:
            return self._directories[directory]
        reason = None
        for ancestor in with_ancestors(directory):
            if ancestor not in self._directories:
                skipped = reason is not None or self._skips(ancestor)
                self._directories[ancestor] = SkipReason.IGNORED if skipped else None
            reason = self._directories[ancestor]
        return reason

    def _skips(self, directory: str) -> bool:
        name = directory.rpartition("/")[2]
        if name == ".git" or self._search_rules.ignores_directory(directory):
            return True
        if self._excluded.ignores_directory(directory):
            return True
        if directory in self._listed_directories:
            return False
        if self._git_rules.ignores_directory(self._git_prefix + directory):
            return True
        return not self._is_repository and self._is_of_tools(directory, name)

    def _is_of_tools(self, directory: str, name: str) -> bool:
        if name in _INSTALLED or (name.startswith(".") and name not in _WRITTEN_BY_HAND):
            return True
        return any(os.path.lexists(f"{self._root}/{directory}/{tag}") for tag in _TAGS)


def _git_rules(root: Path, git: GitClient | None) -> tuple[IgnoreRules, str]:
    """Git's rules, and what comes before a folder's path to make it one of the repository."""
    if git is None:
        return IgnoreRules(root, _GIT_FILES, per_repository=True), ""
    prefix = git.relative_path(root)
    weaker = [
        read_ignore_file(str(_users_git_folder() / "ignore")),
        read_ignore_file(str(git.common_dir / "info" / "exclude")),
    ]
    rules = IgnoreRules(git.root, _GIT_FILES, weaker=weaker, per_repository=True)
    return rules, "" if prefix == "." else prefix + "/"


def _users_git_folder() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "git"


def _is_proper(path: str) -> bool:
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/"))
