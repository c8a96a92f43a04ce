"""Small file systems for tests: they are full soon, or turn read-only."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from attrs import frozen


@frozen
class Disk:
    """A file system that is mounted at `place`."""

    place: Path

    def remount(self, options: str) -> None:
        """Change its size (`size=8m`), or whether it can be written (`ro`, `rw`)."""
        _mount("-o", f"remount,{options}", str(self.place))


@contextmanager
def memory_disk(place: Path, size_bytes: int) -> Iterator[Disk]:
    """A file system in memory, of so many bytes; skips the test where none may be mounted."""
    place.mkdir()
    options = f"size={size_bytes},mode=700"
    with _mounted(place, "-t", "tmpfs", "-o", options, "tmpfs", str(place)) as disk:
        yield disk


@contextmanager
def failing_disk(place: Path) -> Iterator[Disk]:
    """A file system that turns read-only under whoever writes, at `remount("abort")`.

    So it is with one on which the kernel has met an error. Skips the test where there is none.
    """
    place.mkdir()
    image = place.with_suffix(".image")
    with image.open("wb") as file:
        file.truncate(64 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be made here")
    with _mounted(place, "-o", "loop", str(image), str(place)) as disk:
        yield disk


@contextmanager
def _mounted(place: Path, *arguments: str) -> Iterator[Disk]:
    try:
        _mount(*arguments)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system may be mounted here: {error}")
    try:
        yield Disk(place)
    finally:
        # At once for all names, whoever still has a file of it open.
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)
