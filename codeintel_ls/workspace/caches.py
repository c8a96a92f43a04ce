"""What all caches take of the disk.

    workspaces/<name>/    one for each folder; its workspace.json says which, and its repository
    repositories/<name>/  stores that the worktrees of a repository share

Invariant: nothing is changed here, and no link is followed.
"""

import json
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, cast

from attrs import frozen

from codeintel_ls.index.lock import CacheLock

_DAY: Final = 24 * 60 * 60.0

WORKSPACES: Final = "workspaces"
STORES: Final = "repositories"
DESCRIPTION: Final = "workspace.json"
_LONGEST: Final = 1 << 16


@frozen(kw_only=True)
class CacheEntry:
    """The cache of one workspace folder.

    `root` is that folder, where it is known; earlier versions did not note it. `repository` names
    the store that it shares, where `repository_known`. `orphaned`: the root is not there any more.
    """

    name: str
    folder: Path
    root: Path | None
    repository: str | None
    repository_known: bool
    disk_bytes: int
    last_used: float
    in_use: bool
    orphaned: bool


@frozen(kw_only=True)
class StoreEntry:
    """What the worktrees of one repository share; `workspaces` are the names of their caches."""

    name: str
    folder: Path
    disk_bytes: int
    workspaces: tuple[str, ...]


def list_caches(directory: Path) -> list[CacheEntry]:
    """The cache of every workspace folder, the most recently used first."""
    entries = [_look_at(folder) for folder in folders_in(directory / WORKSPACES)]
    return sorted(entries, key=lambda entry: (-entry.last_used, entry.name))


def list_stores(directory: Path, workspaces: Iterable[CacheEntry]) -> list[StoreEntry]:
    """The store of every repository, the largest first, with which of `workspaces` share it."""
    sharing: dict[str, list[str]] = {}
    for entry in workspaces:
        if entry.repository is not None:
            sharing.setdefault(entry.repository, []).append(entry.name)
    stores = [
        StoreEntry(
            name=folder.name,
            folder=folder,
            disk_bytes=disk_bytes(folder),
            workspaces=tuple(sorted(sharing.get(folder.name, ()))),
        )
        for folder in folders_in(directory / STORES)
    ]
    return sorted(stores, key=lambda store: (-store.disk_bytes, store.name))


def disk_bytes(folder: Path) -> int:
    """What a folder takes of the disk: blocks where the system tells them, else lengths.

    What cannot be read, or vanishes meanwhile, counts nothing.
    """
    return sum(_taken(state) for state in _files_below(folder))


def _look_at(folder: Path) -> CacheEntry:
    in_use = CacheLock(folder).in_use()
    described = described_by(folder)
    root, repository = described or (None, None)
    last_used = _last_used(folder)
    return CacheEntry(
        name=folder.name,
        folder=folder,
        root=root,
        repository=repository,
        repository_known=described is not None or _is_from_earlier(folder, in_use, last_used),
        disk_bytes=disk_bytes(folder),
        last_used=last_used,
        in_use=in_use,
        orphaned=root is not None and _is_gone(root),
    )


def described_by(folder: Path) -> tuple[Path | None, str | None] | None:
    """The root, unless its name is no text, and the repository; None where the cache is silent."""
    path = folder / DESCRIPTION
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        with path.open("rb") as file:
            values = cast("object", json.loads(file.read(_LONGEST)))
    except (OSError, ValueError, RecursionError):
        return None
    match values:
        case {"root": str() | None as root, "repository": str() | None as repository}:
            return None if root is None else Path(root), repository
        case _:
            return None


def _is_from_earlier(folder: Path, in_use: bool, last_used: float) -> bool:
    """Whether it is the cache of a version that shared no stores, not one that is being made."""
    return (
        not in_use
        and last_used < time.time() - _DAY
        and state_of(folder / DESCRIPTION) is None
        and os.access(folder, os.R_OK | os.X_OK)
    )


def _last_used(folder: Path) -> float:
    """When the description was touched; without one, when a file was written last."""
    described = state_of(folder / DESCRIPTION)
    if described is not None:
        return described.st_mtime
    # The lock and its note are written by those too who look whether it can be removed.
    written = [state.st_mtime for state in _files_below(folder, besides="owner.")]
    itself = state_of(folder)
    return max(written, default=itself.st_mtime if itself is not None else 0.0)


def _is_gone(root: Path) -> bool:
    """Whether it surely does not exist; what cannot be looked at may well."""
    try:
        root.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def folders_in(directory: Path) -> list[Path]:
    """The folders in it, but no links; none where it is a link itself or cannot be read."""
    if directory.is_symlink():
        return []
    try:
        with os.scandir(directory) as entries:
            found = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [Path(path) for path in sorted(found)]


def _files_below(folder: Path, *, besides: str = "\0") -> Iterator[os.stat_result]:
    """What is known of each file below it whose name does not begin with `besides`."""
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    # SQLite makes and removes files of its own at any time.
                    with suppress(OSError):
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
                        elif not entry.name.startswith(besides):
                            yield entry.stat(follow_symlinks=False)
        except OSError:
            continue


def state_of(path: Path) -> os.stat_result | None:
    """What is known of a file, or of a link itself; None where it is not there."""
    try:
        return path.lstat()
    except OSError:
        return None


def _taken(state: os.stat_result) -> int:
    blocks = cast("int | None", getattr(state, "st_blocks", None))
    return state.st_size if blocks is None else blocks * 512
