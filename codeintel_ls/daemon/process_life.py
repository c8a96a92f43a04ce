"""How the process lives and ends: its standard output, its parent, its last seconds.

Invariants: standard output carries the protocol and nothing else; the process never outlives
its client for longer than a short grace, whatever its threads are doing; its children end with
the pipes that they read.
"""

import contextlib
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

POLL_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 3.0


def reserve_stdout() -> int:
    """A descriptor of standard output for the protocol alone.

    Whatever else writes to standard output, in Python, in native code or in children, goes to
    standard error from now on.
    """
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return descriptor


def reserve_stdin() -> int:
    """A descriptor of standard input for the protocol alone; children inherit an empty one."""
    descriptor = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return descriptor


def exit_hard_after(grace_seconds: float, code: int) -> None:
    """End the process with `code` when it still runs after `grace_seconds`."""

    def end() -> None:
        time.sleep(grace_seconds)
        os._exit(code)

    threading.Thread(target=end, name="codeintel-hard-exit", daemon=True).start()


def is_alive(process_id: int) -> bool:
    """Whether a process of this id runs on this machine."""
    if sys.platform == "win32":
        return _wait_on_windows(process_id, 0)
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def watch_process(process_id: int, on_end: Callable[[], None]) -> None:
    """Call `on_end`, from a thread, when the process ends.

    One that is not alive now is not watched: the client may run in another container, where
    its ids mean nothing here.
    """
    if process_id <= 0 or process_id == os.getpid() or not is_alive(process_id):
        return

    def watch() -> None:
        _wait_for_end(process_id)
        on_end()

    threading.Thread(target=watch, name="codeintel-parent-watch", daemon=True).start()


def _wait_for_end(process_id: int) -> None:
    if sys.platform == "win32":
        _wait_on_windows(process_id, 0xFFFFFFFF)
        return
    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(process_id)
            try:
                poll = select.poll()
                poll.register(descriptor, select.POLLIN)
                poll.poll()
            finally:
                os.close(descriptor)
            return
    while is_alive(process_id):
        time.sleep(POLL_SECONDS)


def _wait_on_windows(process_id: int, milliseconds: int) -> bool:
    """Whether the process still runs after `milliseconds`."""
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (absent elsewhere, also for the type checker)
    synchronize, timed_out = 0x00100000, 0x102
    handle = kernel.OpenProcess(synchronize, False, process_id)
    if not handle:
        return False
    try:
        return bool(kernel.WaitForSingleObject(handle, milliseconds) == timed_out)
    finally:
        kernel.CloseHandle(handle)
