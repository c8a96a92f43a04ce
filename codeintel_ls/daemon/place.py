"""Where the daemon of a folder is found: its door, its lock and its note.

Standard library only, and little of it: every window of every editor imports this. Invariant:
what lies here belongs to this user alone (owner and mode are checked, links are refused; Windows
keeps other users out of the local application data), and one folder under one home, cache,
configuration and transport has one place. Untried on Windows.
"""

import contextlib
import json
import os
import socket
import stat
import sys
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, NamedTuple, cast

from codeintel_ls.errors import CodeIntelError

_NAME: Final = "codeintel-ls"
_TEMPORARY: Final = "/tmp"  # noqa: S108 (what is found there is checked to be this user's own)
_LONGEST_SOCKET: Final = 100
"""Bytes of a socket's path: unix(7) allows 107, other systems 103."""
_DECIDING: Final = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
"""With other values, settings and indexes are others."""
_TRANSPORT: Final = "CODEINTEL_LS_TRANSPORT"
_LOOPBACK: Final = "-loopback"
"""What the name of a place ends with whose daemon listens at a port."""


class PlaceError(CodeIntelError):
    """There is no folder in which a daemon could safely be found."""


class Note(NamedTuple):
    """What a daemon says of itself. `started` is in Unix seconds, `folder` an absolute path."""

    pid: int
    version: str
    folder: str
    started: float


class Place(NamedTuple):
    """The folder of one daemon; all paths are absolute."""

    directory: str
    folder: str

    @property
    def is_loopback(self) -> bool:
        """Whether it listens at a port of this machine, and not at a Unix socket."""
        return self.directory.endswith(_LOOPBACK)

    @property
    def door(self) -> str:
        """By what clients find it: its socket, or the file that says port and token."""
        name = "address.json" if self.is_loopback else "socket"
        return os.path.join(self.directory, name)  # noqa: PTH118 (no pathlib at the start)

    @property
    def lock(self) -> str:
        """Held by whoever starts or ends one."""
        return os.path.join(self.directory, "lock")  # noqa: PTH118 (as above)

    @property
    def note_file(self) -> str:
        """What it says of itself."""
        return os.path.join(self.directory, "daemon.json")  # noqa: PTH118 (as above)

    @property
    def key(self) -> str:
        """Its name among the places of this user."""
        return os.path.basename(self.directory)  # noqa: PTH119 (as above)

    def note(self) -> Note | None:
        """What the daemon here says of itself; None where there is none."""
        try:
            with open(self.note_file, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 (as above)
                told: Any = json.load(file)
            fields = cast("dict[str, Any]", told)
            return Note(
                int(fields["pid"]),
                str(fields["version"]),
                str(fields["folder"]),
                float(fields["started"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write_note(self, note: Note) -> None:
        """Say it, in one step. Raises OSError."""
        staged = f"{self.note_file}.{note.pid}"
        with open(staged, "w", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 (as above)
            json.dump(note._asdict(), file, ensure_ascii=False)
        os.replace(staged, self.note_file)  # noqa: PTH105 (as above)

    def make(self) -> None:
        """Make the folder. Raises PlaceError."""
        _make_private(self.directory)

    def clean(self) -> None:
        """Remove the door and the note. To be called with the lock held."""
        for path in (self.door, self.note_file):
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108 (as above)


def place_of(folder: str, environ: Mapping[str, str] = os.environ) -> Place:
    """The place of the daemon that serves `folder`.

    `CODEINTEL_LS_TRANSPORT=loopback` asks for one that listens at a port of this machine; where
    there are no Unix sockets, every one does.

    Raises:
        PlaceError: no folder of this user's own can be had, or another transport is asked for.

    """
    folder = os.path.realpath(folder)
    said = "\0".join([os.path.normcase(folder), *(environ.get(name, "") for name in _DECIDING)])
    key = blake2b(os.fsencode(said), digest_size=8).hexdigest()
    if _wants_loopback(environ):
        key += _LOOPBACK
    return Place(os.path.join(runtime_directory(environ), key), folder)  # noqa: PTH118 (as above)


def places(environ: Mapping[str, str] = os.environ) -> list[Place]:
    """Every place of this user at which a daemon has left its note. Raises PlaceError."""
    base = runtime_directory(environ)
    found: list[Place] = []
    for name in sorted(os.listdir(base)):  # noqa: PTH208 (as above)
        place = Place(os.path.join(base, name), "")  # noqa: PTH118 (as above)
        note = place.note()
        if note is not None:
            found.append(place._replace(folder=note.folder))
    return found


def _wants_loopback(environ: Mapping[str, str]) -> bool:
    """Raises PlaceError."""
    wanted = environ.get(_TRANSPORT, "")
    if wanted not in {"", "loopback"}:
        raise PlaceError(f"{_TRANSPORT} may be loopback or empty, and nothing else.")
    return bool(wanted) or not hasattr(socket, "AF_UNIX")


def runtime_directory(environ: Mapping[str, str] = os.environ) -> str:
    """Where all places of this user are: in `$XDG_RUNTIME_DIR`, else in a temporary folder.

    On Windows in the local application data.

    Raises:
        PlaceError: it is not this user's alone.

    """
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA", "")
        if not os.path.isabs(base):  # noqa: PTH117 (as above)
            raise PlaceError("LOCALAPPDATA does not say where the data of programs are.")
        return _make_private(os.path.join(base, f"{_NAME}-daemons"))  # noqa: PTH118 (as above)
    base = environ.get("XDG_RUNTIME_DIR", "")
    door = os.path.join(base, _NAME, "0" * 16, "socket")  # noqa: PTH118 (as above)
    if os.path.isabs(base) and os.path.isdir(base) and len(os.fsencode(door)) <= _LONGEST_SOCKET:  # noqa: PTH112, PTH117 (as above)
        with contextlib.suppress(PlaceError):
            return _make_private(os.path.join(base, _NAME))  # noqa: PTH118 (as above)
    # Not what TMPDIR says where that is deep: a socket's path has to be short.
    for temporary in (environ.get("TMPDIR") or environ.get("TEMP") or _TEMPORARY, _TEMPORARY):
        path = os.path.join(temporary, f"{_NAME}-{os.getuid()}")  # noqa: PTH118 (as above)
        if len(os.fsencode(os.path.join(path, "0" * 16, "socket"))) <= _LONGEST_SOCKET:  # noqa: PTH118 (as above)
            return _make_private(path)
    raise PlaceError("The folder for temporary files has too long a name for a socket.")


def _make_private(path: str) -> str:
    """Make the folder, for this user alone; the same path. Raises PlaceError."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)  # noqa: PTH102 (as above)
        state = os.lstat(path)
    except OSError as error:
        raise PlaceError(
            f"No folder can be made for the background process: {error.strerror}."
        ) from error
    if not stat.S_ISDIR(state.st_mode):
        raise PlaceError("The folder of the background process is no folder. Remove it.")
    if sys.platform != "win32" and (state.st_uid != os.getuid() or state.st_mode & 0o077):
        raise PlaceError("The folder of the background process is open to other users. Remove it.")
    return path
