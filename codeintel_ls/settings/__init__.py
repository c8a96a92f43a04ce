"""Everything a user can set: one typed schema, its sources, its JSON Schema.

Invariant: reading settings never fails and never runs anything; what is wrong is named and the
rest still works.
"""

from codeintel_ls.settings.choices import (
    BlameHints,
    BlameHover,
    DateFormat,
    DeepSearch,
    EmbeddingProvider,
    LogLevel,
    PrimaryIndex,
    WorkspaceSymbols,
)
from codeintel_ls.settings.embedding import EmbeddingSettings
from codeintel_ls.settings.json_schema import json_schema
from codeintel_ls.settings.loading import WORKSPACE_FILE, LoadedSettings, load_settings
from codeintel_ls.settings.locations import (
    blame_directory,
    cache_directory,
    commit_graph_directory,
    model_records_directory,
    repository_directory,
    state_directory,
    user_settings_path,
)
from codeintel_ls.settings.schema import (
    BlameSettings,
    CacheSettings,
    DaemonSettings,
    GitSettings,
    IndexSettings,
    LogSettings,
    SearchSettings,
    Settings,
)
from codeintel_ls.settings.template import fill_template
from codeintel_ls.settings.validation import SettingsProblem

__all__ = [
    "WORKSPACE_FILE",
    "BlameHints",
    "BlameHover",
    "BlameSettings",
    "CacheSettings",
    "DaemonSettings",
    "DateFormat",
    "DeepSearch",
    "EmbeddingProvider",
    "EmbeddingSettings",
    "GitSettings",
    "IndexSettings",
    "LoadedSettings",
    "LogLevel",
    "LogSettings",
    "PrimaryIndex",
    "SearchSettings",
    "Settings",
    "SettingsProblem",
    "WorkspaceSymbols",
    "blame_directory",
    "cache_directory",
    "commit_graph_directory",
    "fill_template",
    "json_schema",
    "load_settings",
    "model_records_directory",
    "repository_directory",
    "state_directory",
    "user_settings_path",
]
