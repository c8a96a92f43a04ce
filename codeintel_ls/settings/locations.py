"""Where a person's settings and caches lie.

Invariant: only the environment and the user's own settings decide; never a workspace.
"""

from collections.abc import Mapping
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


def _base(environ: Mapping[str, str], variable: str, otherwise: Path) -> Path:
    # The XDG specification: a value that is empty or relative is to be ignored.
    value = Path(environ.get(variable, ""))
    return value / _APPLICATION if value.is_absolute() else otherwise
