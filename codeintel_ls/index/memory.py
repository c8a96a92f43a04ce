"""Memory that is not needed any more goes back to the system.

Pages of mapped segments count as this process's own while it has touched them; the system keeps
them cached either way, so that letting go of them costs next to nothing.
"""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_DONTNEED: Final = 4
"""MADV_DONTNEED of Linux, see madvise(2)."""


def give_back() -> None:
    """Let glibc hand free memory back (malloc_trim(3)); elsewhere nothing need be done."""
    with suppress(OSError, AttributeError):
        if sys.platform == "linux":
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def let_go_of_pages(folder: Path) -> None:
    """Unmap the touched pages of the files below `folder` that are mapped for reading only.

    What is read again comes from the system's cache. Does nothing but on Linux.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6", use_errno=True)
        # The system tells of files by their real names.
        for start, end in _mappings(os.path.realpath(folder)):
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)


def _mappings(folder: str) -> Iterator[tuple[int, int]]:
    """Address ranges of files below a folder that nobody here can write to (proc(5), maps)."""
    for line in Path("/proc/self/maps").read_text("utf-8", "surrogateescape").splitlines():
        span, mode, _, _, _, *name = line.split(maxsplit=5)
        if name and name[0].startswith(folder) and "w" not in mode:
            start, _, end = span.partition("-")
            yield int(start, 16), int(end, 16)
