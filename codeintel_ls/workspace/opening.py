"""What has to be found before a folder can be opened: its cache, its repository, its encoder.

What is wanting is told in a notice wherever the folder can still be of use without it.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from codeintel_ls.embedding import Encoder, ModelUnavailableError, StaticEncoder, load_encoder
from codeintel_ls.git import GitClient, GitError, NotARepositoryError
from codeintel_ls.index.chunking import CHUNKER_VERSION
from codeintel_ls.index.ladder import Ladder, PrimaryKind
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.terms import TERMS_VERSION
from codeintel_ls.settings import (
    IndexSettings,
    PrimaryIndex,
    Settings,
    cache_directory,
    commit_graph_directory,
    repository_directory,
)
from codeintel_ls.workspace.commit_search import CommitSearch


def index_folder(root: Path, settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the cache of a folder lies: readable name, then a hash of its whole path."""
    digest = blake2b(str(root).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return (
        cache_directory(settings.cache, environ) / "workspaces" / f"{root.name or 'root'}-{digest}"
    )


def repository_folder(
    root: Path,
    git: GitClient | None,
    settings: Settings,
    environ: Mapping[str, str] = os.environ,
) -> Path:
    """Where the contents lie that all work trees of the folder's repository share.

    Outside a repository the folder has one of its own.
    """
    place = git.common_dir if git is not None else root
    return repository_directory(settings.cache, place, environ)


def ladder_of(settings: Settings) -> Ladder:
    """Which kinds of index the settings allow."""
    index = settings.index
    kind = None if index.primary is PrimaryIndex.AUTO else PrimaryKind(str(index.primary))
    return Ladder(kind=kind, flat_up_to=index.flat_up_to, scalar_up_to=index.scalar_up_to)


def read_limits(settings: IndexSettings) -> ReadLimits:
    """What the settings allow to be read."""
    return ReadLimits(settings.max_file_bytes, settings.max_line_characters)


def workers_of(settings: IndexSettings) -> int:
    """How many processes index at the same time: by default one for every two processors."""
    return settings.workers or min(max(1, (os.cpu_count() or 1) // 2), 4)


def worker_bytes(settings: Settings) -> int:
    """How much memory an indexing process may take."""
    return settings.index.worker_megabytes * 1024 * 1024


def index_recipe(encoder: Encoder) -> str:
    """Everything that decides what a file's chunks and vectors are, in one string."""
    return f"{encoder.identity}/{CHUNKER_VERSION}/{TERMS_VERSION}"


def discover_git(root: Path, settings: Settings, notices: list[str]) -> GitClient | None:
    """The repository that holds the folder; None without one, or with a notice that says why."""
    try:
        git = GitClient.discover(
            root, timeout=settings.git.timeout_seconds, command=settings.git.path
        )
    except NotARepositoryError:
        return None
    except GitError as error:
        notices.append(str(error))
        return None
    if settings.git.commit_graph:
        git.use_commit_graph(commit_graph_directory(settings.cache, git.common_dir))
    return git


def commit_search(
    root: Path, git: GitClient | None, encoder: Encoder, model: str, settings: Settings
) -> CommitSearch | None:
    """Search in the history of the folder's repository; None outside one. Nothing is read yet."""
    if git is None:
        return None
    return CommitSearch(
        git,
        encoder,
        repository_folder(root, git, settings),
        model=model,
        memory_bytes=worker_bytes(settings),
        unload_after_seconds=settings.index.unload_after_seconds,
    )


def load_ahead() -> None:
    """Load what nearly every folder needs, while a client still says what it wants."""
    # Opening a folder tells of what is wrong.
    with suppress(ModelUnavailableError):
        load_encoder("")


def load_usable_encoder(model: str, notices: list[str]) -> tuple[StaticEncoder, str]:
    """The encoder of the setting, or the bundled one with a notice that says why."""
    try:
        return load_encoder(model), model
    except ModelUnavailableError as error:
        if not model:
            raise
        notices.append(f"{error} The bundled model is used instead.")
        return load_encoder(""), ""
