"""Which folder a command is about, its settings, and its opened index.

Invariant: a folder that is too broad to be meant (a home, the file system's root) is indexed only
when the person named it.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from codeintel_ls.cli import output
from codeintel_ls.errors import InvalidRequestError
from codeintel_ls.settings import Settings, load_settings

if TYPE_CHECKING:
    from codeintel_ls.git import GitClient
    from codeintel_ls.index.status import IndexStatus
    from codeintel_ls.workspace import WorkspaceFolder


def current_folder() -> Path:
    """Where the person stands. Raises InvalidRequestError when it was deleted."""
    try:
        return Path.cwd()
    except OSError as error:
        raise InvalidRequestError("The current folder is gone. Go to one that exists.") from error


def choose_folder(named: str | None) -> Path:
    """The named folder, else the repository that one stands in, else where one stands.

    Raises InvalidRequestError for what is no readable folder, and for a home folder or the root
    of the file system that nobody named.
    """
    root = folder_to_look_at(named)
    if named is None and _is_too_broad(root):
        what = "your home folder" if root == _home() else f"all of {root}"
        raise InvalidRequestError(
            f"This would index {what}, which is hardly meant. Go to a project, or name its folder."
        )
    return root


def folder_to_look_at(named: str | None) -> Path:
    """The same for what indexes nothing: any readable folder will do."""
    if named is not None:
        return _readable(Path(named).expanduser(), named)
    here = current_folder()
    return _readable(_repository_root(here) or here, here.name)


def settings_of(folder: Path | None) -> Settings:
    """The settings that hold in `folder`; what is wrong with them is told on standard error."""
    loaded = load_settings(folder)
    for problem in loaded.problems:
        output.tell(problem.message, "warning")
    return loaded.settings


@contextmanager
def opened(root: Path, settings: Settings) -> Generator["WorkspaceFolder"]:
    """The folder with its index, closed in every case: no process of it is left."""
    from codeintel_ls.workspace import WorkspaceFolder

    folder = WorkspaceFolder.open(root, settings)
    try:
        yield folder
    finally:
        folder.close()


def has_index(root: Path, settings: Settings) -> bool:
    """Whether something was ever indexed there; looks without making anything."""
    from codeintel_ls.workspace import index_folder

    return index_folder(root, settings).is_dir()


def no_index_yet(root: Path) -> str:
    """What to say where nothing is indexed."""
    return f"{root.name or root} has no index yet. Make one with `codeintel-ls index`."


def tell_notices(status: "IndexStatus", *, following: bool = True) -> None:
    """What a person should know of an index; `following` with that another process keeps it."""
    for notice in (*status.notices, *status.remarks):
        if following or not notice.startswith("Another process"):
            output.tell(notice, "note")


def _readable(folder: Path, name: str) -> Path:
    if not name and folder == Path():
        raise InvalidRequestError("The folder's name is empty. Name a folder.")
    # os.path's functions answer False where pathlib's raise: behind a closed folder, say.
    if not os.path.isdir(folder):  # noqa: PTH112
        what = "is not a folder" if os.path.exists(folder) else "does not exist"  # noqa: PTH110
        raise InvalidRequestError(f"{name} {what}. Name a folder that can be indexed.")
    if not os.access(folder, os.R_OK | os.X_OK):
        raise InvalidRequestError(f"{name} cannot be read: you have no permission to list it.")
    return folder.resolve()


def discover_repository(folder: Path) -> "GitClient":
    """The repository that holds `folder`, with the git that the person's settings name.

    Raises GitError.
    """
    from codeintel_ls.git import GitClient

    # Which git is run is never a workspace's to say. What is wrong is told by `settings_of`.
    git = load_settings(None).settings.git
    client = GitClient.discover(folder, timeout=git.timeout_seconds, command=git.path)
    client.commit_template = git.commit_url
    return client


def _repository_root(folder: Path) -> Path | None:
    from codeintel_ls.git import GitError

    try:
        client = discover_repository(folder)
    except GitError:
        # Opening the folder says what is wrong with its repository.
        return None
    client.close()
    return client.root.resolve()


def _is_too_broad(root: Path) -> bool:
    home = _home()
    return root == Path(root.anchor) or (home is not None and home.is_relative_to(root))


def _home() -> Path | None:
    try:
        return Path.home().resolve()
    except (RuntimeError, OSError):
        return None
