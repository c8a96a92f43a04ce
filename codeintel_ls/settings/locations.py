"""Where a person's settings and caches lie.

Invariant: only the environment and the user's own settings decide; never a workspace.
"""

import os
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from platformdirs import PlatformDirs

from codeintel_ls.settings.schema import CacheSettings

_APPLICATION = "codeintel-ls"


def user_settings_path(environ: Mapping[str, str]) -> Path:
    """The user's settings file, whether or not it exists.

    `$XDG_CONFIG_HOME/codeintel-ls/config.toml`, or `config.toml` in the platform's folder.
    """
    return _base(environ, "XDG_CONFIG_HOME", PlatformDirs(_APPLICATION).user_config_path) / (
        "config.toml"
    )


def cache_directory(settings: CacheSettings, environ: Mapping[str, str]) -> Path:
    """The folder of all indexes: as set, or `$XDG_CACHE_HOME/codeintel-ls`, or the platform's."""
    if settings.directory:
        return Path(settings.directory).expanduser()
    return _base(environ, "XDG_CACHE_HOME", PlatformDirs(_APPLICATION).user_cache_path)


def state_directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Where a person's answers are kept: `$XDG_STATE_HOME/codeintel-ls`, or the platform's."""
    return _base(environ, "XDG_STATE_HOME", PlatformDirs(_APPLICATION).user_state_path)


def model_records_directory(
    settings: CacheSettings, environ: Mapping[str, str] = os.environ
) -> Path:
    """Where it is kept which models endpoints were found to serve."""
    return cache_directory(settings, environ) / "models"


def repository_directory(
    settings: CacheSettings, place: Path, environ: Mapping[str, str] = os.environ
) -> Path:
    """What all work trees share whose common git directory is `place`: name, hash of its path."""
    place = Path(os.path.realpath(place))
    name = place.parent.name if place.name == ".git" else place.name
    digest = blake2b(str(place).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return cache_directory(settings, environ) / "repositories" / f"{name or 'root'}-{digest}"


def commit_graph_directory(
    settings: CacheSettings, place: Path, environ: Mapping[str, str] = os.environ
) -> Path:
    """Where the commit-graph of the repository lies whose common git directory is `place`."""
    return repository_directory(settings, place, environ) / "commit-graph"


def blame_directory(
    settings: CacheSettings, place: Path, environ: Mapping[str, str] = os.environ
) -> Path:
    """Where blames of the repository are kept whose common git directory is `place`."""
    return repository_directory(settings, place, environ) / "blames"


def _base(environ: Mapping[str, str], variable: str, otherwise: Path) -> Path:
    # The XDG specification: a value that is empty or relative is to be ignored.
    value = Path(environ.get(variable, ""))
    return value / _APPLICATION if value.is_absolute() else otherwise
