"""Where the daemon of a folder is found: its socket, its lock and its note.

Standard library only, and little of it: every window of every editor imports this. Invariant:
what lies here belongs to this user alone (owner and mode are checked, links are refused), and one
folder under one home, cache and configuration has one place.
"""

import contextlib
import json
import os
import stat
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
    def socket(self) -> str:
        """Where it listens."""
        return os.path.join(self.directory, "socket")  # noqa: PTH118 (no pathlib at the start)

    @property
    def lock(self) -> str:
        """Held by whoever starts or ends one."""
        return os.path.join(self.directory, "lock")  # noqa: PTH118

    @property
    def note_file(self) -> str:
        """What it says of itself."""
        return os.path.join(self.directory, "daemon.json")  # noqa: PTH118

    @property
    def key(self) -> str:
        """Its name among the places of this user."""
        return os.path.basename(self.directory)  # noqa: PTH119

    def note(self) -> Note | None:
        """What the daemon here says of itself; None where there is none."""
        try:
            with open(self.note_file, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
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
        with open(staged, "w", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            json.dump(note._asdict(), file, ensure_ascii=False)
        os.replace(staged, self.note_file)  # noqa: PTH105

    def make(self) -> None:
        """Make the folder. Raises PlaceError."""
        _make_private(self.directory)

    def clean(self) -> None:
        """Remove the socket and the note. To be called with the lock held."""
        for path in (self.socket, self.note_file):
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108


def place_of(folder: str, environ: Mapping[str, str] = os.environ) -> Place:
    """The place of the daemon that serves `folder`.

    Raises:
        PlaceError: no folder of this user's own can be had.

    """
    folder = os.path.realpath(folder)
    said = "\0".join([os.path.normcase(folder), *(environ.get(name, "") for name in _DECIDING)])
    key = blake2b(os.fsencode(said), digest_size=8).hexdigest()
    return Place(os.path.join(runtime_directory(environ), key), folder)  # noqa: PTH118


def places(environ: Mapping[str, str] = os.environ) -> list[Place]:
    """Every place of this user at which a daemon has left its note. Raises PlaceError."""
    base = runtime_directory(environ)
    found: list[Place] = []
    for name in sorted(os.listdir(base)):  # noqa: PTH208
        place = Place(os.path.join(base, name), "")  # noqa: PTH118
        note = place.note()
        if note is not None:
            found.append(place._replace(folder=note.folder))
    return found


def runtime_directory(environ: Mapping[str, str] = os.environ) -> str:
    """Where all places of this user are: in `$XDG_RUNTIME_DIR`, else in a temporary folder.

    Raises:
        PlaceError: it is not this user's alone.

    """
    base = environ.get("XDG_RUNTIME_DIR", "")
    socket = os.path.join(base, _NAME, "0" * 16, "socket")  # noqa: PTH118
    if os.path.isabs(base) and os.path.isdir(base) and len(os.fsencode(socket)) <= _LONGEST_SOCKET:  # noqa: PTH112, PTH117
        with contextlib.suppress(PlaceError):
            return _make_private(os.path.join(base, _NAME))  # noqa: PTH118
    user = os.getuid() if hasattr(os, "getuid") else "user"
    # Not what TMPDIR says where that is deep: a socket's path has to be short.
    for temporary in (environ.get("TMPDIR") or environ.get("TEMP") or _TEMPORARY, _TEMPORARY):
        path = os.path.join(temporary, f"{_NAME}-{user}")  # noqa: PTH118
        if len(os.fsencode(os.path.join(path, "0" * 16, "socket"))) <= _LONGEST_SOCKET:  # noqa: PTH118
            return _make_private(path)
    raise PlaceError("The folder for temporary files has too long a name for a socket.")


def _make_private(path: str) -> str:
    """Make the folder, for this user alone; the same path. Raises PlaceError."""
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)  # noqa: PTH102
        state = os.lstat(path)
    except OSError as error:
        raise PlaceError(
            f"No folder can be made for the background process: {error.strerror}."
        ) from error
    if not stat.S_ISDIR(state.st_mode):
        raise PlaceError("The folder of the background process is no folder. Remove it.")
    if hasattr(os, "getuid") and (state.st_uid != os.getuid() or state.st_mode & 0o077):
        raise PlaceError("The folder of the background process is open to other users. Remove it.")
    return path
