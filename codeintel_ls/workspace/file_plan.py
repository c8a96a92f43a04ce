"""What a hint about single files comes to: which of them must be read, which are gone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from codeintel_ls.index.reconcile import FoundFile, IndexPlan
from codeintel_ls.index.source import ReadLimits
from codeintel_ls.index.store import Store
from codeintel_ls.index.tasks import FileToIndex
from codeintel_ls.workspace.discovery import Discovered, PathPolicy

_UNDECODABLE_NAME: Final = "undecodable-name"
_LONGEST_LINE: Final = "max_line_characters"


def plan_files(
    root: Path, policy: PathPolicy, store: Store, paths: Iterable[str]
) -> tuple[IndexPlan, bool]:
    """The plan for these paths, and whether one is a directory: then the folder must be listed."""
    wanted = set(filter(has_plain_name, paths))
    known, skips = store.files_at(wanted), store.skips_at(wanted)
    stale: list[FileToIndex] = []
    gone: list[str] = []
    directories = False
    for path in sorted(wanted):
        if (root / path).is_dir():
            directories = True
            continue
        # What was a directory until now took its files with it.
        gone.extend(store.paths_below(path))
        if isinstance(policy.find(path), FoundFile):
            before = known.get(path)
            stale.append(FileToIndex(path, before.digest if before else None))
        elif path in known or path in skips:
            gone.append(path)
    return IndexPlan(tuple(stale), tuple(gone)), directories


def chosen_by(store: Store, limits: ReadLimits) -> bool:
    """Whether the files in the store were chosen by these limits."""
    return store.meta(_LONGEST_LINE) == str(limits.max_line_characters)


def note_limits(store: Store, limits: ReadLimits) -> None:
    """Have the store remember by which limits its files were chosen."""
    if not chosen_by(store, limits):
        store.set_meta(_LONGEST_LINE, str(limits.max_line_characters))


def plain_files(discovered: Discovered) -> tuple[list[FoundFile], Mapping[str, int]]:
    """The files to index, and how many others there are by reason: with names that are no UTF-8."""
    files = [file for file in discovered.files if has_plain_name(file.path)]
    odd = {_UNDECODABLE_NAME: len(discovered.files) - len(files)}
    return files, Counter(discovered.skipped) + Counter(odd)


def has_plain_name(path: str) -> bool:
    """Whether the name is text; bytes that are no UTF-8 arrive as lone surrogates."""
    return path.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in path)
