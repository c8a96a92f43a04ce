"""Where a repository is and what its files say: discovery, HEAD, remotes, configuration.

All of it is read by GitPython from files. Invariant: GitPython never starts git (it is given a
program that does not exist), so that every process goes through the runner.
"""

import os
from collections.abc import Callable
from configparser import Error as ConfigError
from pathlib import Path
from threading import Lock

from codeintel_ls.git.errors import NotARepositoryError

_NO_PROGRAM = os.path.join(os.sep, "nonexistent", "git")  # noqa: PTH118 - a name, no path to open
# What stands in HEAD where refs are kept as a reftable (gitrepository-layout(5)).
_REFTABLE_HEAD = "refs/heads/.invalid"
_LOOSE_REF_BYTES = 4096

FileState = tuple[int, int, int] | None
AskHead = Callable[[], str | None]


def _load_gitpython() -> None:
    """Import GitPython without the `git version` that it would run to find its program."""
    hushed = {"GIT_PYTHON_REFRESH": "quiet", "GIT_PYTHON_GIT_EXECUTABLE": _NO_PROGRAM}
    before = {name: os.environ.get(name) for name in hushed}
    os.environ.update(hushed)
    try:
        import git
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    git.Git.GIT_PYTHON_GIT_EXECUTABLE = _NO_PROGRAM


_load_gitpython()

import git  # noqa: E402 - only after it was loaded as above
from git.refs.symbolic import SymbolicReference  # noqa: E402

_UNREADABLE = (git.GitError, ConfigError, OSError, ValueError, TypeError, AssertionError)


def file_state(path: Path | str) -> FileState:
    """What changes when a file is replaced or written; None where there is none."""
    try:
        state = os.stat(path)  # noqa: PTH116 (asked at every hover: joining paths costs more)
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


class Repository:
    """One work tree and its git directory. Thread-safe."""

    def __init__(self, repo: git.Repo, root: Path) -> None:
        self.root = root
        self.git_dir = Path(repo.git_dir)
        self.common_dir = _common_dir(self.git_dir)
        # As text: they are read at every hover, and joining paths costs more than reading.
        self._own, self._common = (f"{place}{os.sep}" for place in (self.git_dir, self.common_dir))
        self._repo = repo
        self._lock = Lock()
        # Replaced by whoever can run git, for the one case in which files do not tell.
        self.ask_head: AskHead = lambda: None
        self._packed: tuple[tuple[str, FileState], str | None] | None = None
        self._shallow: tuple[FileState, frozenset[str]] = (None, frozenset())

    @classmethod
    def discover(cls, folder: Path) -> "Repository":
        """The repository whose work tree holds `folder`. Raises `NotARepositoryError`."""
        folder = folder.absolute()
        start = folder if folder.is_dir() else folder.parent
        try:
            repo = git.Repo(start, search_parent_directories=True, expand_vars=False)
        except _UNREADABLE as error:
            raise NotARepositoryError from error
        if repo.bare or repo.working_tree_dir is None:
            raise NotARepositoryError("The repository is bare: it has no files to look at.")
        root = Path(repo.working_tree_dir)
        if not os.path.lexists(root / ".git"):
            raise NotARepositoryError
        if start.resolve().is_relative_to(Path(repo.git_dir).resolve()):
            raise NotARepositoryError("The folder is git's own.")
        return cls(repo, root)

    @property
    def owned_by_us(self) -> bool:
        """Whether git will not ask for `safe.directory` (git-config(1))."""
        if not hasattr(os, "geteuid"):
            return False
        ours = os.geteuid()
        try:
            return all(
                place.stat().st_uid == ours
                for place in (self.root, self.root / ".git", self.git_dir)
            )
        except OSError:
            return False

    def head(self) -> str | None:
        """The id of the commit that HEAD is at, None before the first one. Reads two files."""
        target = _read_ref(self._own + "HEAD")
        if target is None:
            return None
        if not target.startswith("ref:"):
            return target
        name = target.removeprefix("ref:").strip()
        if name == _REFTABLE_HEAD:
            return self.ask_head()
        loose = _read_ref(self._common + name) if name.startswith("refs/heads/") else None
        if loose is not None and not loose.startswith("ref:"):
            return loose
        return self._head_elsewhere(name)

    def _head_elsewhere(self, name: str) -> str | None:
        """HEAD among the packed refs, or through more than one symbolic ref."""
        key = (name, file_state(self._common + "packed-refs"))
        with self._lock:
            if self._packed is not None and self._packed[0] == key and key[1] is not None:
                return self._packed[1]
        try:
            found = SymbolicReference.dereference_recursive(self._repo, "HEAD")
        except _UNREADABLE:
            found = None
        with self._lock:
            self._packed = (key, found)
        return found

    def shallow_commits(self) -> frozenset[str]:
        """The commits whose parents a shallow clone lacks (`shallow`: one id a line)."""
        state = file_state(self._common + "shallow")
        if state != self._shallow[0]:
            try:
                told = (self.common_dir / "shallow").read_text("ascii", "replace")
            except OSError:
                told = ""
            self._shallow = (state, frozenset(told.split()))
        return self._shallow[1]

    def config(self, section: str, option: str) -> str:
        """A configured value from all levels, empty where it is unset or unreadable."""
        try:
            value = self._repo.config_reader().get_value(section, option, default="")
        except _UNREADABLE:
            return ""
        return str(value)

    def remote_url(self) -> str | None:
        """The URL of `origin`, or of the only remote."""
        try:
            urls = {remote.name: str(remote.url) for remote in self._repo.remotes}
        except _UNREADABLE:
            return None
        if "origin" in urls:
            return urls["origin"]
        return next(iter(urls.values())) if len(urls) == 1 else None

    def config_state(self) -> tuple[FileState, ...]:
        """Changes when the repository's own configuration does."""
        return (
            file_state(self._common + "config"),
            file_state(self._own + "config.worktree"),
        )

    def close(self) -> None:
        """Give back what GitPython holds."""
        self._repo.close()


def _common_dir(git_dir: Path) -> Path:
    # Not GitPython's, which obeys GIT_COMMON_DIR of our own environment.
    try:
        told = os.fsdecode((git_dir / "commondir").read_bytes()).strip()
    except OSError:
        return git_dir
    return Path(os.path.normpath(git_dir / told))


def _read_ref(path: str) -> str | None:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (see the paths as text)
            return file.read(_LOOSE_REF_BYTES).decode("utf-8", "surrogateescape").strip() or None
    except OSError:
        return None
