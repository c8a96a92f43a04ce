"""What `doctor` checks: each one a function that says what it found and what to do.

Invariant: a check leaves nothing behind, and one that fails does not keep the others from running.
"""

import os
import platform
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from attrs import frozen

from codeintel_ls.cli import output
from codeintel_ls.cli.folders import discover_repository
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.git import NoCommitsYetError, NotARepositoryError
from codeintel_ls.settings import LoadedSettings, cache_directory, load_settings

_PYTHONS: Final = ((3, 11), (3, 14))
_INOTIFY: Final = Path("/proc/sys/fs/inotify/max_user_watches")
_LANGUAGES: Final = tuple(
    "python javascript typescript typescriptreact go rust java c cpp csharp ruby php kotlin swift"
    " scala lua shellscript elixir html css sql yaml toml json markdown".split()
)


class Health(StrEnum):
    """`NOTE`: works, with something to know."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@frozen
class Check:
    """What was looked at, what was found, what to do about it."""

    name: str
    health: Health
    message: str
    advice: str = ""


@frozen
class Setting:
    """Where one looks, and the settings that hold there."""

    folder: Path
    loaded: LoadedSettings


def run_checks(place: Path, checks: Mapping[str, Callable[[Setting], Check]]) -> Iterator[Check]:
    """Each of the checks, of this machine and of the folder, one after the other."""
    setting = Setting(place, load_settings(place))
    for name, check in checks.items():
        try:
            yield check(setting)
        except CodeIntelError as error:
            yield Check(name, Health.WRONG, str(error))
        # A broken installation fails in any way; saying how is what a doctor is for.
        except Exception as error:  # noqa: BLE001
            advice = "Install codeintel-ls again with its dependencies."
            yield Check(name, Health.WRONG, f"{type(error).__name__}: {error}", advice)


def _python(_: Setting) -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if _PYTHONS[0] <= sys.version_info[:2] < _PYTHONS[1]:
        return Check("python", Health.OK, found)
    return Check("python", Health.WRONG, found, "Use Python 3.11, 3.12 or 3.13.")


def _git(setting: Setting) -> Check:
    from codeintel_ls.git.runner import GitRunner

    command = setting.loaded.settings.git.path
    try:
        client = discover_repository(setting.folder)
    except NotARepositoryError:
        # A git that lies in the workspace is never run; here there is no workspace.
        root = _existing(_cache(setting))
    else:
        root = client.root
        client.close()
    version = GitRunner(root, command=command).output("version").decode("utf-8", "replace")
    return Check("git", Health.OK, version.strip().removeprefix("git version "))


def _repository(setting: Setting) -> Check:
    try:
        client = discover_repository(setting.folder)
    except NotARepositoryError:
        without = "the folder is in no repository: search works, blame and history need one"
        return Check("repository", Health.NOTE, without)
    try:
        head = client.head()
    finally:
        client.close()
    if head is None:
        return Check("repository", Health.NOTE, str(NoCommitsYetError()))
    return Check("repository", Health.OK, f"{client.root.name} at {head[:10]}, trusted")


def _grammars(_: Setting) -> Check:
    from codeintel_ls.index.chunking.grammars import parse, rules_of

    missing: list[str] = []
    for language in _LANGUAGES:
        known = rules_of(language, "")
        if known is None or parse(known[0], "") is None:
            missing.append(language)
    if not missing:
        return Check("grammars", Health.OK, f"all {len(_LANGUAGES)} load")
    advice = "Install codeintel-ls again; until then such files are cut by lines."
    return Check("grammars", Health.WRONG, f"not loaded: {', '.join(missing)}", advice)


def _model(setting: Setting) -> Check:
    from codeintel_ls.embedding import load_encoder

    encoder = load_encoder(setting.loaded.settings.embedding.model)
    which = "as set by embedding.model" if setting.loaded.settings.embedding.model else "bundled"
    return Check("model", Health.OK, f"{encoder.identity}, {encoder.dimension} dimensions, {which}")


def _deep(setting: Setting) -> Check:
    from codeintel_ls.embedding import DeepEncoder, bundled_deep_model
    from codeintel_ls.settings import DeepSearch

    if setting.loaded.settings.search.deep is DeepSearch.OFF:
        return Check("deep model", Health.NOTE, 'switched off by the setting "search.deep"')
    model = bundled_deep_model()
    if model is None:
        told = "not used: its runtime is in no default installation (codeintel-ls[deep])"
        return Check("deep model", Health.NOTE, told)
    return Check("deep model", Health.OK, f"{DeepEncoder(model).identity} refines searches")


def _vectors(_setting: Setting) -> Check:
    from importlib.metadata import version

    import faiss
    import numpy as np

    index = faiss.IndexFlatIP(8)
    index.add(np.eye(8, dtype=np.float32))
    _, nearest = index.search(np.eye(8, dtype=np.float32)[3:4], 1)
    works = int(nearest[0][0]) == 3
    found = f"faiss {version('faiss-cpu')}, numpy {np.__version__}"
    if works:
        return Check("vectors", Health.OK, found)
    return Check("vectors", Health.WRONG, f"{found}: a wrong answer", "Install faiss-cpu again.")


def _sqlite(setting: Setting) -> Check:
    place = _existing(_cache(setting))
    with tempfile.TemporaryDirectory(dir=place, prefix="codeintel-ls-doctor-") as folder:
        connection = sqlite3.connect(Path(folder, "check.sqlite3"))
        try:
            mode: str = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            connection.execute("CREATE TABLE made (id INTEGER)")
        finally:
            connection.close()
    found = f"{sqlite3.sqlite_version}, journal mode {mode} in the cache folder"
    if mode == "wal":
        return Check("sqlite", Health.OK, found)
    advice = "Put the cache on a local disk: setting cache.directory."
    return Check("sqlite", Health.WRONG, found, advice)


def _cache_folder(setting: Setting) -> Check:
    cache = _cache(setting)
    advice = "Give yourself the folder, or name another one: setting cache.directory."
    place = _existing(cache)
    if not os.access(place, os.W_OK | os.X_OK):
        return Check("cache", Health.WRONG, f"{cache} cannot be written", advice)
    if not cache.exists():
        return Check("cache", Health.OK, f"{cache}, not made yet")
    sizes = [entry.stat().st_size for entry in cache.rglob("*") if entry.is_file()]
    found = f"{cache}, {sum(sizes) / 1e6:,.1f} MB"
    indexes = [entry for entry in cache.glob("workspaces/*") if entry.is_dir()]
    if any(stat.S_IMODE(entry.stat().st_mode) & 0o077 for entry in indexes) and os.name == "posix":
        return Check("cache", Health.WRONG, f"{found}, others can read it", f"chmod -R go= {cache}")
    return Check("cache", Health.OK, f"{found}, {output.count(len(indexes), 'folder')} indexed")


def _watching(setting: Setting) -> Check:
    from codeintel_ls.git import GitError
    from codeintel_ls.workspace.discovery import discover_files

    try:
        limit = int(_INOTIFY.read_text(encoding="ascii"))
    except OSError:
        return Check("watching", Health.OK, "this system sets no limit")
    try:
        client = discover_repository(setting.folder)
    except GitError:
        client = None
    found = discover_files(setting.folder, client, setting.loaded.settings.index)
    if client is not None:
        client.close()
    folders = len({file.path.rpartition("/")[0] for file in found.files})
    told = f"{output.count(folders, 'folder')} to watch, the system allows {limit:,}"
    if folders < limit:
        return Check("watching", Health.OK, told)
    advice = f"sudo sysctl fs.inotify.max_user_watches={max(524_288, 2 * folders)}"
    return Check("watching", Health.WRONG, told, advice)


def _settings(setting: Setting) -> Check:
    problems = setting.loaded.problems
    if not problems:
        return Check("settings", Health.OK, "all understood")
    said = " ".join(problem.message for problem in problems)
    return Check("settings", Health.WRONG, said, "Mend them: `codeintel-ls config --path`.")


def _cache(setting: Setting) -> Path:
    return cache_directory(setting.loaded.settings.cache, os.environ)


def _existing(path: Path) -> Path:
    return next(above for above in (path, *path.parents) if above.is_dir())


CHECKS: Final[dict[str, Callable[[Setting], Check]]] = {
    "python": _python,
    "git": _git,
    "repository": _repository,
    "grammars": _grammars,
    "model": _model,
    "deep model": _deep,
    "vectors": _vectors,
    "sqlite": _sqlite,
    "cache": _cache_folder,
    "watching": _watching,
    "settings": _settings,
}
