"""Which file system a folder lies on, and whether the system tells of what changes there.

Network, shared and most user-space file systems tell of changes that this machine makes through
them, and of nothing that anybody else does: nothing short of looking finds all. See
proc_pid_mountinfo(5).
"""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from attrs import frozen

_SHARED: Final = frozenset(
    "9p acfs afs beegfs ceph cifs coda drvfs fakeowner fuse gfs gfs2 glusterfs gpfs kafs lustre "
    "ncp ncpfs nfs nfs3 nfs4 ocfs2 orangefs panfs prl_fs pvfs2 remote shfs smb2 smb3 smbfs "
    "vboxsf virtiofs vmhgfs".split()
)
"""Others change these without this kernel's knowing (DrvFs is WSL's view of Windows)."""
_FUSE: Final = "fuse."
_ALONE_IN_FUSE: Final = frozenset(
    "cryfs encfs fuse-overlayfs gocryptfs ntfs ntfs-3g securefs".split()
)
"""User-space file systems of which this machine has the only view."""

_ESCAPED: Final = re.compile(rb"\\([0-7]{3})")
_REMOTE_DRIVE: Final = 4
"""DRIVE_REMOTE of GetDriveTypeW."""


@frozen
class FileSystem:
    """What matters of a file system. `kind` is the system's name for it, `nfs4` for example.

    `read_only`: nobody can change it on this machine, by whatever path.
    """

    kind: str
    read_only: bool = False

    @property
    def is_shared(self) -> bool:
        """Whether others can change it without this machine's being told."""
        if self.kind.startswith(_FUSE):
            return self.kind.removeprefix(_FUSE) not in _ALONE_IN_FUSE
        return self.kind in _SHARED


UNKNOWN: Final = FileSystem("unknown")


@frozen
class Mount:
    """A file system and the directory at which it is found."""

    point: str
    file_system: FileSystem


def parse_mounts(mountinfo: bytes) -> list[Mount]:
    """The mounts that a `/proc/<pid>/mountinfo` names, in its order."""
    return [mount for line in mountinfo.splitlines() if (mount := _parse_mount(line)) is not None]


def _parse_mount(line: bytes) -> Mount | None:
    # id, parent, device, root, point, options, any number of fields, "-", type, source, options
    before, dash, after = line.partition(b" - ")
    place, kind = before.split(b" "), after.split(b" ")
    if not dash or len(place) < 6 or len(kind) < 3:
        return None
    # The options of the mount itself are left aside: what is mounted read-only here can be
    # written at another place, and this kernel tells of that.
    file_system = FileSystem(os.fsdecode(_plain(kind[0])), b"ro" in kind[2].split(b","))
    return Mount(os.fsdecode(_plain(place[4])), file_system)


def _plain(field: bytes) -> bytes:
    """The field without its escapes: the kernel writes blanks and backslashes in octal."""
    return _ESCAPED.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), field)


def file_system_at(path: str, mounts: Iterable[Mount]) -> FileSystem:
    """What an absolute path without links lies on: the innermost mount, of several the last."""
    found, longest = UNKNOWN, -1
    for mount in mounts:
        inside = path == mount.point or path.startswith(mount.point.rstrip("/") + "/")
        if inside and len(mount.point) >= longest:
            found, longest = mount.file_system, len(mount.point)
    return found


def is_network_path(path: str) -> bool:
    r"""Whether a path of Windows names a share: `\\server\share`, not `\\?\C:` or a device."""
    plain = path.replace("/", "\\").upper()
    return plain.startswith("\\\\?\\UNC\\") or (
        plain.startswith("\\\\") and not plain.startswith(("\\\\?\\", "\\\\.\\"))
    )


def file_system_of(path: Path) -> FileSystem:
    """What a folder lies on; `UNKNOWN`, which counts as one to be watched, where none can say."""
    real = os.path.realpath(path)
    if sys.platform == "win32":
        import ctypes

        drive = os.path.splitdrive(real)[0]
        remote = ctypes.windll.kernel32.GetDriveTypeW(drive + "\\") == _REMOTE_DRIVE
        return FileSystem("remote") if remote or is_network_path(real) else UNKNOWN
    try:
        if sys.platform == "linux":
            return file_system_at(real, parse_mounts(Path("/proc/self/mountinfo").read_bytes()))
        return FileSystem(UNKNOWN.kind, bool(os.statvfs(real).f_flag & os.ST_RDONLY))
    except OSError:
        return UNKNOWN
