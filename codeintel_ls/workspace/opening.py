"""What has to be found before a folder can be opened: its cache, its repository, its encoder.

What is wanting is told in a notice wherever the folder can still be of use without it.
"""

import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from codeintel_ls.embedding import Encoder, ModelUnavailableError, StaticEncoder, load_encoder
from codeintel_ls.git import GitClient, GitError, NotARepositoryError
from codeintel_ls.index.chunking import CHUNKER_VERSION
from codeintel_ls.index.terms import TERMS_VERSION
from codeintel_ls.settings import Settings, cache_directory


def index_folder(root: Path, settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the cache of a folder lies: readable name, then a hash of its whole path."""
    digest = blake2b(str(root).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return (
        cache_directory(settings.cache, environ) / "workspaces" / f"{root.name or 'root'}-{digest}"
    )


def index_recipe(encoder: Encoder) -> str:
    """Everything that decides what a file's chunks and vectors are, in one string."""
    return f"{encoder.identity}/{CHUNKER_VERSION}/{TERMS_VERSION}"


def discover_git(root: Path, settings: Settings, notices: list[str]) -> GitClient | None:
    """The repository that holds the folder; None without one, or with a notice that says why."""
    try:
        return GitClient.discover(
            root, timeout=settings.git.timeout_seconds, command=settings.git.path
        )
    except NotARepositoryError:
        return None
    except GitError as error:
        notices.append(str(error))
        return None


def load_usable_encoder(model: str, notices: list[str]) -> tuple[StaticEncoder, str]:
    """The encoder of the setting, or the bundled one with a notice that says why."""
    try:
        return load_encoder(model), model
    except ModelUnavailableError as error:
        if not model:
            raise
        notices.append(f"{error} The bundled model is used instead.")
        return load_encoder(""), ""
