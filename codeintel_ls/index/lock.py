"""Who may write a cache: one process at a time, the others read along.

The operating system's lock decides: it falls with its owner, however that ends. The note beside
it covers the cases in which that lock would lie: its file was deleted and made anew while the
owner lives, or the file system keeps no locks. Invariant: nobody becomes the owner while the note
names another process that is alive.
"""

import json
import os
import platform
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final, cast

import psutil
from attrs import asdict, frozen
from filelock import FileLock, Timeout

HONOURED_SECONDS: Final = 120.0
"""For so long a note of another machine counts after its owner has renewed it."""

_RENEWAL_SECONDS: Final = 20.0
_SAME_START_SECONDS: Final = 0.5


class CacheLock:
    """Exclusive ownership of one cache folder. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        """The lock of the cache in `folder`; not yet taken."""
        self._changing = Lock()
        self._path = folder / "owner.lock"
        self._note = folder / "owner.json"
        self._lock = FileLock(self._path, mode=0o600, thread_local=False)
        self._hold: _Hold | None = None
        self._renewed_at = 0.0

    @property
    def owned(self) -> bool:
        """Whether this process holds it."""
        return self._hold is not None

    def try_acquire(self) -> bool:
        """Take the lock if nobody holds it. Raises OSError where the folder is unusable."""
        # filelock counts: two threads that took it at once would have to release it twice.
        with self._changing:
            if self._hold is not None:
                return True
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                return False
            try:
                self._hold = self._claim()
            finally:
                if self._hold is None:
                    self._lock.release()
            return self._hold is not None

    def is_current(self) -> bool:
        """Whether what this process holds is still the lock of the folder."""
        with self._changing:
            return self._is_current()

    def refresh(self) -> bool:
        """Renew the note; for the owner to call every now and then, it costs next to nothing.

        False where it is not the owner, or not any more: the folder was removed, or another
        process has taken it over.
        """
        with self._changing:
            hold = self._hold
            if hold is None or not self._is_current():
                return False
            # That a full disk takes no note does not end the ownership.
            with suppress(OSError):
                if _read(self._note) is None:
                    self._write(hold.note)
                elif time.monotonic() - self._renewed_at > _RENEWAL_SECONDS:
                    os.utime(self._note)
                    self._renewed_at = time.monotonic()
            return True

    def owner(self) -> int | None:
        """The process id its holder wrote down, for messages alone."""
        note = _read(self._note)
        return None if note is None else note.pid

    def in_use(self) -> bool:
        """Whether the note names a process that is alive, this one too; takes nothing."""
        note = _read(self._note)
        return note is not None and self._is_alive(note)

    def release(self) -> None:
        """Give it up; does nothing when not held."""
        with self._changing:
            hold, self._hold = self._hold, None
            if hold is None:
                return
            # While the lock is held still: afterwards the note may be that of the next owner.
            if _read(self._note) == hold.note:
                with suppress(OSError):
                    self._note.unlink()
            self._lock.release()

    def _claim(self) -> "_Hold | None":
        """Write the note, unless somebody else's stands against it."""
        mine, found = _Note.of_this_process(), _read(self._note)
        if found is not None and not found.names_same_process(mine) and self._is_alive(found):
            return None
        try:
            identity = _identity(self._path)
            self._write(mine)
        except FileNotFoundError:
            # The folder was moved away, to be removed, while the lock was being taken.
            return None
        # Without locks that work, another process may have written at the same time.
        return _Hold(mine, identity) if _read(self._note) == mine else None

    def _write(self, note: "_Note") -> None:
        self._note.touch(mode=0o600)
        self._note.write_text(json.dumps(asdict(note)) + "\n", encoding="utf-8")
        self._renewed_at = time.monotonic()

    def _is_current(self) -> bool:
        hold = self._hold
        if hold is None:
            return False
        try:
            if _identity(self._path) != hold.identity:
                return False
        except OSError:
            return False
        return _read(self._note) in {hold.note, None}

    def _is_alive(self, note: "_Note") -> bool:
        """Whether the owner that wrote the note may still be at work."""
        here = _Place.here()
        if note.place.shares_processes_with(here):
            alive = _is_running(note.pid, note.started)
        elif note.place.host == here.host and note.place.boot != here.boot:
            # This machine was started anew since.
            alive = False
        else:
            # Another machine or container: its processes cannot be seen from here.
            alive = None
        return self._was_renewed() if alive is None else alive

    def _was_renewed(self) -> bool:
        try:
            age = time.time() - self._note.stat().st_mtime
        except OSError:
            return False
        # A note from the future is one from before the clock was set back.
        return abs(age) < HONOURED_SECONDS


@frozen(kw_only=True)
class _Place:
    """Where process ids mean the same: a machine since its last start, or a container in it."""

    host: str
    boot: str
    namespace: str

    @classmethod
    def here(cls) -> "_Place":
        """That of this process; what the system does not tell is empty."""
        boot = namespace = ""
        with suppress(OSError):
            boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
            namespace = str(Path("/proc/self/ns/pid").readlink())
        return cls(host=platform.node(), boot=boot, namespace=namespace)

    def shares_processes_with(self, other: "_Place") -> bool:
        """Whether a process id of the one means the same process in the other."""
        if (self.boot, self.namespace) != (other.boot, other.namespace):
            return False
        # A host's name may change while it runs; that it is the same one is known by its start.
        return bool(self.boot) or self.host == other.host


@frozen(kw_only=True)
class _Note:
    """Who the owner is. `started` tells it from a later process with the same id."""

    pid: int
    started: float
    place: _Place

    @classmethod
    def of_this_process(cls) -> "_Note":
        """What this process writes."""
        started = 0.0
        # Where a process may not see even itself, none can be told from another anyway.
        with suppress(psutil.Error, OSError):
            _, started = _start_of(os.getpid())
        return cls(pid=os.getpid(), started=started, place=_Place.here())

    def names_same_process(self, other: "_Note") -> bool:
        """Whether both are of one process; a note of this id from before is of a dead one."""
        return self.pid == other.pid and self.place.shares_processes_with(other.place)


@frozen
class _Hold:
    """What an owner wrote down, and the file that it has locked."""

    note: _Note
    identity: tuple[int, int]


def _identity(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_dev, state.st_ino


def _read(path: Path) -> _Note | None:
    """What the note says; None without one, and for what is no note."""
    try:
        values = cast("object", json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return None
    match values:
        case {
            "pid": int(pid),
            "started": float(started),
            "place": {"host": str(host), "boot": str(boot), "namespace": str(namespace)},
        } if 0 < pid < 1 << 32:
            place = _Place(host=host, boot=boot, namespace=namespace)
            return _Note(pid=pid, started=started, place=place)
        case _:
            return None


def _is_running(pid: int, started: float) -> bool | None:
    """Whether that very process runs; None where the system does not tell."""
    try:
        running, found = _start_of(pid)
    except psutil.NoSuchProcess:
        return False
    except (psutil.Error, OSError):
        return None
    return running and abs(found - started) < _SAME_START_SECONDS


def _start_of(pid: int) -> tuple[bool, float]:
    """Whether the process still runs, and when it started. Raises psutil.Error, OSError."""
    # Linux counts from its own start; psutil adds a time of day, which changes with the clock.
    since = psutil.boot_time() if psutil.LINUX else 0.0
    process = psutil.Process(pid)
    # One that was killed stays in the list until its parent has asked for its end.
    return process.status() != psutil.STATUS_ZOMBIE, process.create_time() - since
