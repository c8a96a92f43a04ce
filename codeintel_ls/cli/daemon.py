"""`codeintel-ls daemon`: the servers in the background that editors and terminals share."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import psutil

from codeintel_ls.cli import output
from codeintel_ls.cli.folders import current_folder, folder_to_look_at, settings_of
from codeintel_ls.daemon.place import Note, Place, place_of, places
from codeintel_ls.daemon.process_life import reserve_stdout
from codeintel_ls.daemon.starting import ask_to_end
from codeintel_ls.daemon.transport import address_of
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.settings import state_directory

_END_SECONDS: Final = 10.0
_TURN: Final = 0.05
_TAIL_LINES: Final = 40

_EXAMPLES: Final = """
\b
Examples:
  codeintel-ls daemon list
  codeintel-ls daemon stop --all
  codeintel-ls daemon logs --follow
"""


@click.group("daemon", epilog=_EXAMPLES, invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """List, stop and look into the servers that run in the background.

    There is one for each folder that is in use. It starts with its first client and ends by
    itself, soon after its last.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_all(as_json: bool) -> int:
    """List those that run, with how many clients each has, its memory and its age.

    Exit status 1: none runs.
    """
    running = _running()
    if as_json:
        output.print_json({"daemons": [_document(place, note) for place, note in running]})
    for place, note in () if as_json else running:
        memory = output.size(_memory(note.pid))
        age = _age(time.time() - note.started)
        clients = output.count(_clients(place, note.pid), "client")
        folder = output.printable(output.text_of(place.folder))
        output.print_line(
            f"{note.pid:>8}  {note.version:<10} {clients:>11} {memory:>9} {age:>6}  {folder}"
        )
    if not running and not as_json:
        output.tell("None runs.")
    return 0 if running else 1


@command.command("stop")
@click.argument("folder", required=False, metavar="[FOLDER]")
@click.option("--all", "every", is_flag=True, help="Stop those of all folders.")
def stop(folder: str | None, every: bool) -> int:
    """Stop the one of FOLDER (of where one stands), and wait for its end. Exit status 1: none ran.

    Editors that use it start another one.
    """
    if every and folder is not None:
        raise click.UsageError("Name a folder or say --all, not both.")
    wanted = None if every else place_of(str(_folder(folder))).key
    chosen = [(place, note) for place, note in _running() if wanted in {None, place.key}]
    for place, note in chosen:
        # The signals of Windows end a process before it can tidy up.
        if sys.platform != "win32" or not ask_to_end(place):
            os.kill(note.pid, signal.SIGTERM)
    for place, note in chosen:
        if not _has_ended(note.pid):
            raise CodeIntelError(
                f"The process {note.pid} does not end. End it with: kill -9 {note.pid}"
            )
        output.tell(f"Stopped {note.pid} ({place.folder}).")
    if not chosen:
        output.tell("None runs." if every else "None runs for this folder.")
    return 0 if chosen else 1


@command.command("logs")
@click.argument("folder", required=False, metavar="[FOLDER]")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--path", "only_path", is_flag=True, help="Print where the log is.")
def logs(folder: str | None, follow: bool, only_path: bool) -> int:
    """Print the end of the log of FOLDER's server (of where one stands): it holds no source."""
    log = log_file(place_of(str(_folder(folder))))
    if only_path:
        output.print_line(output.printable(str(log)))
        return 0
    if not log.exists():
        output.tell("There is no log yet: no server has run for this folder.")
        return 1
    with log.open(encoding="utf-8", errors="replace") as file:
        for line in file.readlines()[-_TAIL_LINES:]:
            output.print_line(output.printable(line.rstrip("\n")))
        while follow:
            output.flush()
            line = file.readline()
            if line:
                output.print_line(output.printable(line.rstrip("\n")))
            else:
                time.sleep(_TURN)
    return 0


@command.command("run", hidden=True)
@click.argument("folder")
def run(folder: str) -> int:
    """Be the server of FOLDER; standard output hears `ready`, or why not."""
    if sys.platform != "win32":
        if os.fork():
            # Whoever started this waits for it: the one that serves is nobody's child.
            os._exit(0)
        os.setsid()
    ready = reserve_stdout()
    from codeintel_ls.server.hosting import run_daemon, say

    try:
        place = place_of(folder)
        idle = settings_of(None).daemon.idle_seconds
        return run_daemon(place, log_file(place), idle, ready)
    except (OSError, CodeIntelError) as error:
        reason = (error.strerror or "") if isinstance(error, OSError) else str(error)
        say(ready, reason or type(error).__name__)
        return 2


def log_file(place: Place) -> Path:
    """The log of the server at a place."""
    name = Path(place.folder).name or "root"
    return state_directory() / "logs" / f"{name}-{place.key}.log"


def _folder(named: str | None) -> Path:
    if named is None:
        return folder_to_look_at(None)
    path = Path(named).expanduser()
    # One that was deleted may still be served.
    return path if path.is_absolute() else current_folder() / path


def _running() -> Sequence[tuple[Place, Note]]:
    found: list[tuple[Place, Note]] = []
    for place in places():
        note = place.note()
        if note is not None and is_ours(note):
            found.append((place, note))
    return found


def is_ours(note: Note) -> bool:
    """Whether the process of a note is the one that wrote it, and no later one with its id."""
    try:
        started = psutil.Process(note.pid).create_time()
    except psutil.Error:
        return False
    return started <= note.started + 1


def _has_ended(pid: int) -> bool:
    until = time.monotonic() + _END_SECONDS
    while _is_running(pid):
        if time.monotonic() > until:
            return False
        time.sleep(_TURN)
    return True


def _is_running(pid: int) -> bool:
    """Whether it is; one that has ended and that nobody has waited for is not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _memory(pid: int) -> int:
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.Error:
        return 0


def _clients(place: Place, pid: int) -> int:
    """How many connections it has: each has the name of the socket that listens, or its port.

    0 where that cannot be known.
    """
    try:
        here = address_of(place)
        connections = psutil.Process(pid).net_connections("tcp4" if place.is_loopback else "unix")
    except (psutil.Error, OSError):
        return 0
    return max(sum(connection.laddr == here for connection in connections) - 1, 0)


def _document(place: Place, note: Note) -> dict[str, object]:
    return {
        "pid": note.pid,
        "version": note.version,
        "folder": output.text_of(place.folder),
        "started": note.started,
        "clients": _clients(place, note.pid),
        "memoryBytes": _memory(note.pid),
    }


def _age(seconds: float) -> str:
    """`12s`, `3m`, `5h`, `2d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"
