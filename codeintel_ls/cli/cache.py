"""`codeintel-ls cache`: what all indexes take of the disk, and making room."""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from codeintel_ls.cli import output
from codeintel_ls.cli.folders import settings_of
from codeintel_ls.settings import CacheSettings, cache_directory

if TYPE_CHECKING:
    from codeintel_ls.workspace.caches import CacheEntry, StoreEntry
    from codeintel_ls.workspace.pruning import Pruned, Removed

_MEGABYTE: Final = 1_000_000

_EXAMPLES: Final = """
\b
Examples:
  codeintel-ls cache list
  codeintel-ls cache prune --dry-run --max-megabytes 2000
  codeintel-ls cache prune --orphaned
"""


@click.group("cache", epilog=_EXAMPLES, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List what the indexes of all folders take of the disk, and make room.

    Any cache may be removed at any time: the next search or index of its folder makes it anew.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command("path")
def print_path() -> int:
    """Print the folder of all caches, whether or not it exists."""
    output.print_line(output.printable(str(_directory(settings_of(None).cache))))
    return 0


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_all(as_json: bool) -> int:
    """List the caches: the size of each, when it was used last, its folder."""
    from codeintel_ls.workspace.caches import list_caches, list_stores

    settings = settings_of(None).cache
    directory = _directory(settings)
    caches = list_caches(directory)
    stores = list_stores(directory, caches)
    if as_json:
        output.print_json(_listing(directory, settings, caches, stores))
    elif caches or stores:
        _print_listing(directory, settings, caches, stores)
    else:
        output.tell("Nothing is cached yet: the first search or index of a folder makes a cache.")
    return 0


@command.command("prune")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@click.option(
    "--max-megabytes",
    type=click.IntRange(0),
    metavar="N",
    help="Keep at most so much; as set by cache.max_megabytes when left out.",
)
@click.option("--orphaned", is_flag=True, help="Also every cache whose folder is gone just now.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def prune_all(dry_run: bool, max_megabytes: int | None, orphaned: bool, as_json: bool) -> int:
    """Remove caches that nobody needs, then those not used for the longest time.

    Not needed are caches whose folder has been gone for a month, and what is left of repositories
    and removals. Others go only where all together take more than allowed. What is in use stays.
    Exit status 1: something could not be removed.
    """
    from codeintel_ls.workspace.pruning import ORPHANED_SECONDS, prune

    settings = settings_of(None).cache
    megabytes = settings.max_megabytes if max_megabytes is None else max_megabytes
    cap = megabytes * _MEGABYTE
    pruned = prune(
        _directory(settings),
        cap_bytes=cap,
        orphaned_after=0 if orphaned else ORPHANED_SECONDS,
        dry_run=dry_run,
    )
    if as_json:
        output.print_json(_pruning(pruned, cap, dry_run=dry_run))
    else:
        _print_pruning(pruned, cap, dry_run=dry_run)
    for problem in pruned.problems:
        output.tell(problem, "warning")
    return 1 if pruned.problems else 0


def _directory(settings: CacheSettings) -> Path:
    return cache_directory(settings, os.environ)


def _print_listing(
    directory: Path,
    settings: CacheSettings,
    caches: "Sequence[CacheEntry]",
    stores: "Sequence[StoreEntry]",
) -> None:
    now = time.time()
    output.print_line(_shown(directory))
    rows = [
        (output.size(entry.disk_bytes), _when(entry.last_used, now), _named(entry) + _state(entry))
        for entry in caches
    ]
    _print_columns(rows)
    if stores:
        output.print_line()
        output.print_line("Shared by the work trees of a repository:")
        _print_columns(
            [
                (
                    output.size(store.disk_bytes),
                    output.count(len(store.workspaces), "folder"),
                    output.printable(store.name),
                )
                for store in stores
            ]
        )
    output.print_line()
    total, cap = _total(caches, stores), settings.max_megabytes * _MEGABYTE
    output.print_line(f"{output.size(total)} in all; at most {output.size(cap)} are kept.")
    if total > cap:
        output.tell("That is too much: `codeintel-ls cache prune` makes room.", "note")


def _print_pruning(pruned: "Pruned", cap: int, *, dry_run: bool) -> None:
    now = time.time()
    did = "would remove" if dry_run else "removed"
    rows = [
        (output.size(removed.disk_bytes), _named(removed), _why(removed, now))
        for removed in pruned.removed
    ]
    _print_columns(rows, before=did)
    remaining = f"{output.size(pruned.remaining_bytes)} of at most {output.size(cap)}"
    if pruned.removed:
        freed = output.size(_freed(pruned))
        output.print_line(
            f"This would free {freed} and leave {remaining}."
            if dry_run
            else f"Freed {freed}; {remaining} remain."
        )
    else:
        output.print_line(f"There is nothing to remove: the caches take {remaining}.")
    if pruned.remaining_bytes > cap and not pruned.problems:
        output.tell("What is left is in use, or shared by what is in use.", "note")


def _print_columns(rows: Sequence[tuple[str, str, str]], *, before: str = "") -> None:
    """Sizes to the right, the second column to the left, the last one as it is."""
    from rich.cells import cell_len

    first = max((len(size) for size, _, _ in rows), default=0)
    second = max((cell_len(text) for _, text, _ in rows), default=0)
    for size, text, rest in rows:
        aligned = output.fit(text, second)
        output.print_line(f"{before}  {size:>{first}}  {aligned}  {rest}".rstrip())


def _named(entry: "CacheEntry | Removed") -> str:
    return output.printable(entry.name) if entry.root is None else _shown(entry.root)


def _shown(path: Path) -> str:
    """A path for a person, `~` for the home folder."""
    try:
        home = Path.home()
    except RuntimeError:
        return output.printable(str(path))
    inside = path != home and path.is_relative_to(home)
    return output.printable(str(Path("~") / path.relative_to(home) if inside else path))


def _state(entry: "CacheEntry") -> str:
    if entry.in_use:
        return f"  {output.painted('32', 'in use')}"
    if entry.orphaned:
        return f"  {output.painted('33', 'its folder is gone')}"
    earlier = entry.root is None and entry.repository is None
    return f"  {output.painted('2', 'of an earlier version')}" if earlier else ""


def _why(removed: "Removed", now: float) -> str:
    from codeintel_ls.workspace.pruning import Reason

    match removed.reason:
        case Reason.UNFINISHED:
            return "left by a removal that was cut short"
        case Reason.ORPHANED:
            return "its folder is gone"
        case Reason.SUPERSEDED:
            return "of a model that its folder does without"
        case Reason.UNREFERENCED:
            return "shared by nobody any more"
        case Reason.LEAST_RECENTLY_USED:
            return f"last used {_when(removed.last_used or 0.0, now)}"


def _when(then: float, now: float) -> str:
    from codeintel_ls.git.dates import relative_date

    return relative_date(int(min(then, now)), now)


def _total(caches: "Sequence[CacheEntry]", stores: "Sequence[StoreEntry]") -> int:
    return sum(entry.disk_bytes for entry in (*caches, *stores))


def _freed(pruned: "Pruned") -> int:
    return sum(removed.disk_bytes for removed in pruned.removed)


def _listing(
    directory: Path,
    settings: CacheSettings,
    caches: "Sequence[CacheEntry]",
    stores: "Sequence[StoreEntry]",
) -> dict[str, object]:
    return {
        "directory": output.text_of(str(directory)),
        "totalBytes": _total(caches, stores),
        "maxBytes": settings.max_megabytes * _MEGABYTE,
        "workspaces": [
            {
                "name": output.text_of(entry.name),
                "root": _optional(entry.root),
                "repository": entry.repository,
                "diskBytes": entry.disk_bytes,
                "lastUsed": int(entry.last_used),
                "inUse": entry.in_use,
                "orphaned": entry.orphaned,
            }
            for entry in caches
        ],
        "repositories": [
            {
                "name": output.text_of(store.name),
                "diskBytes": store.disk_bytes,
                "workspaces": [output.text_of(name) for name in store.workspaces],
            }
            for store in stores
        ],
    }


def _pruning(pruned: "Pruned", cap: int, *, dry_run: bool) -> dict[str, object]:
    return {
        "dryRun": dry_run,
        "removed": [
            {
                "name": output.text_of(removed.name),
                "root": _optional(removed.root),
                "reason": str(removed.reason),
                "diskBytes": removed.disk_bytes,
            }
            for removed in pruned.removed
        ],
        "freedBytes": _freed(pruned),
        "remainingBytes": pruned.remaining_bytes,
        "maxBytes": cap,
        "problems": [output.text_of(problem) for problem in pruned.problems],
    }


def _optional(path: Path | None) -> str | None:
    return None if path is None else output.text_of(str(path))
