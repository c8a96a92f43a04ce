"""Which file system a folder lies on."""

import os
import subprocess
from pathlib import Path

import pytest

from codeintel_ls.workspace.file_systems import (
    UNKNOWN,
    FileSystem,
    Mount,
    file_system_at,
    file_system_of,
    is_network_path,
    parse_mounts,
)
from tests.unit.workspace.watchers import linux, mounted

MOUNTS = rb"""22 27 0:21 / /proc rw,nosuid shared:5 - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard
40 27 0:40 / /home/me/net rw,relatime shared:9 master:2 - nfs4 server:/export rw,vers=4.2
41 40 0:41 / /home/me/net/deep rw - ext4 /dev/vdb rw
42 27 0:42 / /mnt/my\040files\134x\011y\012z rw - cifs //server/share\040a rw,vers=3.0
43 27 0:43 / /mnt/caf\351 rw - fuse.sshfs me@host: rw,user_id=0
44 27 254:0 /srv /mnt/bound ro,relatime - ext4 /dev/vda1 rw,discard
45 27 7:1 / /snap/core ro,nodev - squashfs /dev/loop1 ro,errors=continue
46 27 0:46 / /mnt/c rw,noatime - 9p C:\134 rw,aname=drvfs;path=C:\134
47 27 0:47 / /over rw - ext4 /dev/vdc rw
48 47 0:48 / /over rw - virtiofs tag rw
this is no mount
49 27 0:49 / /half rw -
"""


def kind_at(path: str) -> str:
    return file_system_at(path, parse_mounts(MOUNTS)).kind


def test_the_innermost_mount_counts_and_names_that_only_begin_alike_do_not() -> None:
    assert kind_at("/home/me/project") == "ext4"
    assert kind_at("/home/me/net") == "nfs4"
    assert kind_at("/home/me/net/project") == "nfs4"
    assert kind_at("/home/me/net/deep/project") == "ext4"
    assert kind_at("/home/me/network") == "ext4"
    assert kind_at("/proc/1") == "proc"


def test_of_several_mounts_at_one_place_the_last_counts() -> None:
    assert kind_at("/over/it") == "virtiofs"


def test_names_are_read_with_their_escapes() -> None:
    assert kind_at("/mnt/my files\\x\ty\nz/project") == "cifs"
    assert kind_at(os.fsdecode(b"/mnt/caf\xe9/project")) == "fuse.sshfs"


def test_lines_of_another_shape_are_passed_over() -> None:
    assert len(parse_mounts(MOUNTS)) == 11
    assert parse_mounts(b"") == []
    assert file_system_at("/anywhere", []) == UNKNOWN
    assert not UNKNOWN.is_shared


def test_what_is_read_only_here_may_be_written_elsewhere() -> None:
    mounts = parse_mounts(MOUNTS)
    assert not file_system_at("/mnt/bound", mounts).read_only
    assert file_system_at("/snap/core/x", mounts) == FileSystem("squashfs", read_only=True)


def test_root_is_a_mount_like_others() -> None:
    assert file_system_at("/", [Mount("/", FileSystem("nfs"))]).kind == "nfs"


@pytest.mark.parametrize(
    "kind",
    "9p afs ceph cifs drvfs fuse fuse.glusterfs fuse.rclone fuse.sshfs nfs nfs4 remote smb3 "
    "vboxsf virtiofs".split(),
)
def test_file_systems_that_others_change(kind: str) -> None:
    assert FileSystem(kind).is_shared


@pytest.mark.parametrize(
    "kind", "apfs btrfs ext4 fuse.gocryptfs fuseblk overlay squashfs tmpfs xfs zfs".split()
)
def test_file_systems_of_this_machine_alone(kind: str) -> None:
    assert not FileSystem(kind).is_shared


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (r"\\server\share\project", True),
        ("//server/share/project", True),
        (r"\\wsl.localhost\Debian\home", True),
        (r"\\?\UNC\server\share\project", True),
        (r"\\?\C:\project", False),
        (r"\\.\C:\project", False),
        (r"C:\project", False),
        (r"project\inner", False),
    ],
)
def test_shares_of_windows_are_known_by_their_names(path: str, expected: bool) -> None:
    assert is_network_path(path) is expected


@linux
def test_real_file_systems_are_found() -> None:
    assert file_system_of(Path("/proc/self")).kind == "proc"
    assert file_system_of(Path("/proc/no/such/place")).kind == "proc"


@linux
def test_a_real_mount_is_found_through_a_link_and_with_an_odd_name(tmp_path: Path) -> None:
    with mounted(tmp_path / "my files\\\n") as place:
        (place / "project").mkdir()
        (tmp_path / "link").symlink_to(place / "project")
        assert file_system_of(tmp_path / "link") == FileSystem("tmpfs")
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        assert file_system_of(tmp_path / "link") == FileSystem("tmpfs", read_only=True)
