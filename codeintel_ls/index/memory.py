"""Memory that is not needed any more goes back to the system.

Pages of mapped segments count as this process's own while it has touched them; the system keeps
them cached either way, so that letting go of them costs next to nothing. Invariant: only pages of
mappings that somebody holds are let go, for where one has ended other memory may lie by now.
"""

import ctypes
import mmap
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from codeintel_ls.index.segment import Segment

_DONTNEED: Final = 4
"""MADV_DONTNEED of Linux, see madvise(2)."""


def give_back() -> None:
    """Let glibc hand free memory back (malloc_trim(3)); elsewhere nothing need be done."""
    with suppress(OSError, AttributeError):
        if sys.platform == "linux":
            ctypes.CDLL("libc.so.6").malloc_trim(0)


def resident_of_files() -> int:
    """Bytes of mapped files that count as this process's own now; 0 but on Linux (proc(5), statm).

    Libraries are files, too.
    """
    if sys.platform != "linux":
        return 0
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text("ascii").split()[2]) * mmap.PAGESIZE
    return 0


def let_go_of_pages(segments: Sequence[Segment]) -> None:
    """Let go of the touched pages of the files that these segments have mapped.

    What is read again comes from the system's cache. Does nothing but on Linux.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6", use_errno=True)
        # The segments are held until this returns, so none of these mappings can end meanwhile.
        held = [address for segment in segments for address in segment.addresses()]
        for start, end in _mapped_files():
            if any(start <= address < end for address in held):
                libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _DONTNEED)


def _mapped_files() -> Iterator[tuple[int, int]]:
    """Address ranges of files that are mapped for reading and shared (proc(5), maps).

    A private mapping may hold what is in no file: the linker writes to some and locks them then.

    Two mappings of one file are two ranges: each of them begins at the file's first byte.
    """
    for line in Path("/proc/self/maps").read_text("utf-8", "surrogateescape").splitlines():
        span, mode, _, _, _, *name = line.split(maxsplit=5)
        if name and name[0].startswith("/") and mode == "r--s":
            start, _, end = span.partition("-")
            yield int(start, 16), int(end, 16)
