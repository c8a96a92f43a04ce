"""Everything a user can set, once: names, types, defaults, bounds, scopes and descriptions.

Validation, the JSON Schema and through it the editors' settings are derived from these classes.
Invariants: every setting is read by some room (no dead settings); a setting that names a path or
a command, or that depends on the machine, has the scope `MACHINE` and is never taken from a
workspace's own file (see `loading`).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from attrs import field, fields, frozen

from codeintel_ls.gitignore import InvalidPatternError, check_pattern
from codeintel_ls.settings.choices import (
    BlameHints,
    BlameHover,
    DateFormat,
    DeepSearch,
    LogLevel,
    PrimaryIndex,
    WorkspaceSymbols,
)
from codeintel_ls.settings.embedding import EmbeddingSettings
from codeintel_ls.settings.page_template import page_template_problem
from codeintel_ls.settings.spec import Scope, is_absolute_or_empty
from codeintel_ls.settings.spec import about as _about
from codeintel_ls.settings.template import COMMIT_PLACEHOLDERS, template_problem

_PLACEHOLDERS = ", ".join(f"{{{name}}}" for name in COMMIT_PLACEHOLDERS)


def _is_pattern(text: str) -> bool:
    try:
        check_pattern(text)
    except InvalidPatternError:
        return False
    return True


def _is_command(text: str) -> bool:
    # A relative path would mean another program in every folder.
    return bool(text.strip()) and (Path(text).is_absolute() or Path(text).name == text)


@frozen(kw_only=True)
class IndexSettings:
    """What is indexed and how."""

    enabled: bool = field(
        default=True,
        metadata=_about("Index the folder, so that it can be searched.", scope=Scope.RESOURCE),
    )
    max_file_bytes: int = field(
        default=1_000_000,
        metadata=_about(
            "Files larger than this are not indexed.",
            minimum=1,
            maximum=100_000_000,
            scope=Scope.RESOURCE,
        ),
    )
    max_line_characters: int = field(
        default=10_000,
        metadata=_about(
            "Files with a longer line are not indexed.",
            minimum=80,
            maximum=10_000_000,
            scope=Scope.RESOURCE,
        ),
    )
    max_files: int = field(
        default=200_000,
        metadata=_about(
            "At most this many files of a folder are indexed.",
            minimum=1,
            maximum=5_000_000,
            scope=Scope.RESOURCE,
        ),
    )
    max_chunks: int = field(
        default=2_000_000,
        metadata=_about(
            "At most this many chunks of a folder are indexed; files beyond them are left out.",
            minimum=1_000,
            maximum=20_000_000,
            scope=Scope.RESOURCE,
        ),
    )
    exclude: tuple[str, ...] = field(
        default=(),
        metadata=_about(
            "What is not indexed: patterns in gitignore's syntax, from the folder's root.",
            expected="patterns in gitignore's syntax",
            accepts=_is_pattern,
            scope=Scope.RESOURCE,
        ),
    )
    workers: int = field(
        default=0,
        metadata=_about(
            "Processes that index at the same time; 0 chooses: one for every two processors, "
            "at most four.",
            scope=Scope.MACHINE,
            minimum=0,
            maximum=64,
        ),
    )
    worker_megabytes: int = field(
        default=2_048,
        metadata=_about(
            "An indexing process that takes more memory than this is ended and begins anew.",
            scope=Scope.MACHINE,
            minimum=256,
            maximum=1_000_000,
        ),
    )
    primary: PrimaryIndex = field(
        default=PrimaryIndex.AUTO,
        metadata=_about(
            "How the vectors of the primary index are kept: `auto` chooses by their number.",
            scope=Scope.MACHINE,
        ),
    )
    flat_up_to: int = field(
        default=10_000,
        metadata=_about(
            "`auto` keeps up to this many vectors as they are, and searches them all.",
            scope=Scope.MACHINE,
            minimum=0,
            maximum=20_000_000,
        ),
    )
    scalar_up_to: int = field(
        default=100_000,
        metadata=_about(
            "`auto` finds among up to this many vectors by one bit a number, refined by eight; "
            "of more it searches a calibrated part.",
            scope=Scope.MACHINE,
            minimum=0,
            maximum=20_000_000,
        ),
    )
    unload_after_seconds: int = field(
        default=600,
        metadata=_about(
            "An index that nobody asks for so long leaves the memory; 0: never.",
            scope=Scope.MACHINE,
            minimum=0,
            maximum=1_000_000,
        ),
    )
    watch: bool = field(
        default=True,
        metadata=_about("Notice files that change outside the editor.", scope=Scope.RESOURCE),
    )


@frozen(kw_only=True)
class SearchSettings:
    """How searches answer when a request does not say otherwise."""

    limit: int = field(
        default=20,
        metadata=_about("Results of a search.", minimum=1, maximum=200, scope=Scope.RESOURCE),
    )
    snippet_lines: int = field(
        default=12,
        metadata=_about(
            "Lines of text shown with a result; 0 shows none.",
            minimum=0,
            maximum=200,
            scope=Scope.RESOURCE,
        ),
    )
    deep: DeepSearch = field(
        default=DeepSearch.AUTO,
        metadata=_about(
            "Whether the deep model refines searches, in the background: `auto` (where its runtime "
            "is installed, no endpoint does, and the machine runs on mains and has time) or `off`.",
            scope=Scope.MACHINE,
        ),
    )
    deep_percent: int = field(
        default=25,
        metadata=_about(
            "How much of one processor the deep model takes while it reads the folder, in percent.",
            scope=Scope.MACHINE,
            minimum=1,
            maximum=100,
        ),
    )
    workspace_symbols: WorkspaceSymbols = field(
        default=WorkspaceSymbols.PREFIX,
        metadata=_about(
            "When a workspace symbol query is answered by meaning: `prefix` (it begins with `?`), "
            "`always` or `off`.",
            scope=Scope.WINDOW,
        ),
    )


@frozen(kw_only=True)
class BlameSettings:
    """How blame answers when a request does not say otherwise."""

    ignore_whitespace: bool = field(
        default=False,
        metadata=_about("Blame looks past changes of white space.", scope=Scope.RESOURCE),
    )
    detect_moves: bool = field(
        default=False,
        metadata=_about("Blame follows lines that were moved within a file.", scope=Scope.RESOURCE),
    )
    detect_copies: bool = field(
        default=False,
        metadata=_about(
            "Blame follows lines that came from another file which the same commit changed.",
            scope=Scope.RESOURCE,
        ),
    )
    hover: BlameHover = field(
        default=BlameHover.EVERYWHERE,
        metadata=_about(
            "Where on a line hovering shows its last commit: `off`, `lineEnd` (on the last "
            "character or after it) or `everywhere`.",
            scope=Scope.WINDOW,
        ),
    )
    inlay_hints: BlameHints = field(
        default=BlameHints.OFF,
        metadata=_about(
            "Which lines show their last commit at their end: `off`, `line` (where the editor asks "
            "for one line, that of its cursor) or `visible` (wherever another commit begins).",
            scope=Scope.WINDOW,
        ),
    )
    code_lens: bool = field(
        default=False,
        metadata=_about(
            "Above each definition stand its authors and its last change.", scope=Scope.WINDOW
        ),
    )
    format: str = field(
        default="{author}, {date} · {summary}",
        metadata=_about(
            "The text at the end of a line, with the placeholders "
            f"{_PLACEHOLDERS}; `{{{{` stands for a brace.",
            scope=Scope.WINDOW,
            expected=f"a text with no placeholders but {_PLACEHOLDERS}",
            problem=template_problem,
        ),
    )
    date_format: DateFormat = field(
        default=DateFormat.RELATIVE,
        metadata=_about(
            "How dates of commits are shown: `relative` (3 days ago) or `iso` (2026-01-31).",
            scope=Scope.WINDOW,
        ),
    )


@frozen(kw_only=True)
class GitSettings:
    """How git is run."""

    path: str = field(
        default="git",
        metadata=_about(
            "The git command: a name that is looked up in PATH, or an absolute path.",
            scope=Scope.MACHINE,
            expected="the name of a command or an absolute path",
            accepts=_is_command,
        ),
    )
    timeout_seconds: int = field(
        default=30,
        metadata=_about(
            "A git command that takes longer is stopped.",
            scope=Scope.MACHINE,
            minimum=1,
            maximum=3600,
        ),
    )
    commit_graph: bool = field(
        default=True,
        metadata=_about(
            "Keep a commit-graph with changed-path filters in the cache for repositories that have "
            "none: blame and history are faster with it. The repository itself is not written.",
            scope=Scope.MACHINE,
        ),
    )
    commit_url: str = field(
        default="",
        metadata=_about(
            "The page of a commit, e.g. `https://git.example.org/{path}/commit/{commit}`; `{host}` "
            "and `{path}` are the remote's. Empty: that of the known site of the remote.",
            scope=Scope.MACHINE,
            expected="an http or https URL with {commit} in it, or empty",
            problem=page_template_problem,
        ),
    )


@frozen(kw_only=True)
class CacheSettings:
    """Where indexes are kept, and how much of them."""

    directory: str = field(
        default="",
        metadata=_about(
            "The folder for indexes; empty for the user's cache folder.",
            scope=Scope.MACHINE,
            expected="an absolute path of a folder, or empty",
            accepts=is_absolute_or_empty,
        ),
    )
    max_megabytes: int = field(
        default=10_000,
        metadata=_about(
            "All indexes together take at most so much of the disk; those that were not used for "
            "the longest time are removed.",
            scope=Scope.MACHINE,
            minimum=100,
            maximum=100_000_000,
        ),
    )
    max_workspace_megabytes: int = field(
        default=4_000,
        metadata=_about(
            "The index of one folder takes at most so much of the disk.",
            scope=Scope.MACHINE,
            minimum=50,
            maximum=100_000_000,
        ),
    )


@frozen(kw_only=True)
class LogSettings:
    """What is logged."""

    level: LogLevel = field(
        default=LogLevel.WARNING,
        metadata=_about("The least serious messages that are logged.", scope=Scope.MACHINE),
    )


@frozen(kw_only=True)
class DaemonSettings:
    """How the process lives that all windows on a folder share."""

    idle_seconds: int = field(
        default=60,
        metadata=_about(
            "Seconds after its last client until the shared process of a folder ends.",
            scope=Scope.MACHINE,
            minimum=0,
            maximum=86_400,
        ),
    )


@frozen(kw_only=True)
class Settings:
    """All settings; `Settings()` are the defaults."""

    index: IndexSettings = field(factory=IndexSettings, metadata=_about("What is indexed and how."))
    search: SearchSettings = field(factory=SearchSettings, metadata=_about("Defaults of searches."))
    blame: BlameSettings = field(factory=BlameSettings, metadata=_about("Defaults of blame."))
    git: GitSettings = field(factory=GitSettings, metadata=_about("How git is run."))
    embedding: EmbeddingSettings = field(
        factory=EmbeddingSettings, metadata=_about("What turns text into vectors.")
    )
    cache: CacheSettings = field(
        factory=CacheSettings, metadata=_about("Where indexes are kept, and how much of them.")
    )
    daemon: DaemonSettings = field(
        factory=DaemonSettings, metadata=_about("How the shared process of a folder lives.")
    )
    log: LogSettings = field(factory=LogSettings, metadata=_about("What is logged."))


SECTIONS: Mapping[str, type] = {
    attribute.name: cast("type", attribute.default.factory) for attribute in fields(Settings)
}
