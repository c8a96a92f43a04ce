"""Memory that is not needed any more goes back to the system."""

import ctypes
import sys


def give_back() -> None:
    """Let glibc hand free memory back (malloc_trim(3)); elsewhere nothing need be done."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):
            return
