"""The one place that starts git: safe flags, a timeout, a cap on processes, and an end to all.

Every process is the leader of a group of its own; cancelling, a timeout or leaving the block kills
the group. Invariant: when a call returns or raises, its process is dead and reaped.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Condition, Lock
from typing import IO

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.alarms import ALARMS
from codeintel_ls.git.errors import (
    GitError,
    GitFailedError,
    GitMissingError,
    GitTimedOutError,
    NotARepositoryError,
    UntrustedRepositoryError,
)
from codeintel_ls.git.program import SAFE_FLAGS, find_git, safe_environment

DEFAULT_SECONDS = 30.0
DEFAULT_PROCESSES = 4

_BACKGROUND_NICENESS = 10
_CHUNK = 1 << 16
_SHOWN_DETAIL = 300
_ABSOLUTE_PATH = re.compile(r"(?<![\w.\-/])/(?:[^\s'\":]*/)?([^\s'\":/]+)")


class ProcessSlots:
    """How many git processes may run at once; waiting for a slot can be cancelled.

    What somebody waits for goes first; what is done ahead leaves one slot free for it.
    """

    def __init__(self, count: int = DEFAULT_PROCESSES) -> None:
        self._count = self._free = count
        self._visible = 0
        self._changed = Condition()

    @contextmanager
    def slot(self, cancellation: Cancellation, *, background: bool = False) -> Generator[None]:
        """Hold one slot for the block. Raises `CancelledError`."""
        with cancellation.stopping(self._wake), self._changed:
            self._visible += not background
            try:
                self._changed.wait_for(
                    lambda: self._may_start(background=background) or cancellation.cancelled
                )
                cancellation.raise_if_cancelled()
                self._free -= 1
            finally:
                self._visible -= not background
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()

    def _may_start(self, *, background: bool) -> bool:
        if background:
            return self._visible == 0 and self._free > min(1, self._count - 1)
        return self._free > 0

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


SHARED_SLOTS = ProcessSlots()


class GitRunner:
    """Runs git in one work tree. Thread-safe.

    `seconds` is the longest that one process may take, `command` git's name or absolute path. All
    runners share the slots unless given their own. Raises `GitMissingError` where there is no
    usable git.
    """

    def __init__(
        self,
        root: Path,
        *,
        seconds: float = DEFAULT_SECONDS,
        slots: ProcessSlots = SHARED_SLOTS,
        command: str = "git",
    ) -> None:
        self.root = root
        self.seconds = seconds
        self.slots = slots
        self.command = command
        # What git is told beside the safe environment, asked anew for every process.
        self.extra_environment: Callable[[], Mapping[str, str]] = dict
        self._program = find_git(root, command)

    def output(
        self,
        *arguments: str,
        folder: Path | None = None,
        given: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        cancellation: Cancellation | None = None,
    ) -> bytes:
        """All that git writes when run with `arguments` in `folder`, with `given` on its input."""
        with self.stream(
            *arguments,
            folder=folder,
            given=given,
            environment=environment,
            cancellation=cancellation,
        ) as chunks:
            return b"".join(chunks)

    @contextmanager
    def stream(
        self,
        *arguments: str,
        folder: Path | None = None,
        given: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        cancellation: Cancellation | None = None,
        background: bool = False,
    ) -> Generator[Iterator[bytes]]:
        """What git writes, as it comes. Leaving the block early ends git.

        In the `background` it gets a slot when nobody else wants one, and little of the processor.
        Raises `CancelledError`, `GitTimedOutError`, or the error that git ended with.
        """
        cancellation = cancellation or Cancellation()
        with (
            self.slots.slot(cancellation, background=background),
            tempfile.TemporaryFile() as complaints,
        ):
            told = {**self.extra_environment(), **(environment or {})}
            process = self._start(
                arguments, folder or self.root, given is not None, told, complaints
            )
            if background:
                _give_way(process.pid)
            child = _Child(process, self.seconds)
            try:
                with cancellation.stopping(child.kill):
                    child.feed(given)
                    yield self._chunks(child, arguments[0], complaints, cancellation)
            finally:
                child.end()

    def service(self, *arguments: str) -> "Service":
        """A git that waits for questions until it is ended; it holds no slot."""
        return Service(self._start(arguments, self.root, True, {}, subprocess.DEVNULL))

    def _start(
        self,
        arguments: tuple[str, ...],
        folder: Path,
        fed: bool,
        environment: Mapping[str, str],
        complaints: IO[bytes] | int,
    ) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [os.fspath(self._program), *SAFE_FLAGS, *arguments],
                cwd=folder,
                env={**safe_environment(), **environment},
                stdin=subprocess.PIPE if fed else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=complaints,
                start_new_session=True,
                bufsize=0,
            )
        except (FileNotFoundError, NotADirectoryError) as error:
            if folder.is_dir():
                message = "git cannot be started any more. Was it uninstalled?"
                raise GitMissingError(message) from error
            raise NotARepositoryError("The folder is gone.") from error
        except OSError as error:
            raise GitFailedError(arguments[0], error.strerror or "it cannot be started") from error

    def _chunks(
        self,
        child: "_Child",
        command: str,
        complaints: IO[bytes],
        cancellation: Cancellation,
    ) -> Iterator[bytes]:
        yield from child.read()
        status = child.wait()
        cancellation.raise_if_cancelled()
        if child.timed_out:
            raise GitTimedOutError(command, self.seconds)
        if status != 0:
            complaints.seek(0)
            raise self._failure(command, complaints.read(_CHUNK).decode("utf-8", "replace"))

    def _failure(self, command: str, said: str) -> GitError:
        if "dubious ownership" in said or "unsafe repository" in said:
            return UntrustedRepositoryError()
        if "not a git repository" in said:
            return NotARepositoryError()
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        fatal = [line for line in lines if line.startswith(("fatal:", "error:"))]
        detail = " ".join((fatal or lines)[:1]).removeprefix("fatal: ").removeprefix("error: ")
        detail = _ABSOLUTE_PATH.sub(r"\1", detail.replace(str(self.root), "."))
        return GitFailedError(command, detail[:_SHOWN_DETAIL])


class _Child:
    """One running git and its group, killed once its time is up."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float | None) -> None:
        self.timed_out = False
        self._process = process
        self._reaped = False
        self._lock = Lock()
        self._limit = ALARMS.after(seconds, self._expire) if seconds is not None else None

    def feed(self, given: bytes | None) -> None:
        """Write all of git's input. A git that ended before it read everything is no error here."""
        pipe = self._process.stdin
        if pipe is None:
            return
        remaining = memoryview(given or b"")
        try:
            while remaining:
                remaining = remaining[pipe.write(remaining) :]
        except BrokenPipeError:
            return
        finally:
            pipe.close()

    def read(self) -> Iterator[bytes]:
        """Chunks of output until git closes it."""
        pipe = self._process.stdout
        assert pipe is not None, "the process was started with a pipe"  # noqa: S101 - for the types
        while chunk := os.read(pipe.fileno(), _CHUNK):
            yield chunk

    def wait(self) -> int:
        """The exit status, once there is one."""
        status = self._process.wait()
        with self._lock:
            self._reaped = True
        if self._limit is not None:
            self._limit.cancel()
        return status

    def kill(self) -> None:
        """End the whole group now. Does nothing once the process was waited for."""
        with self._lock:
            # A reaped process's number may belong to somebody else by now.
            if self._reaped or self._process.returncode is not None:
                return
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (AttributeError, OSError):
                # No process groups here (Windows), or nothing is left of this one.
                self._process.kill()

    def end(self) -> None:
        """Leave nothing behind: no process, no timer, no open pipe."""
        self.kill()
        self.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _expire(self) -> None:
        self.timed_out = True
        self.kill()


class Service:
    """A git that answers one question after the other on its pipes; whoever began it ends it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._child = _Child(process, None)

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._process.poll() is None

    @property
    def output(self) -> int:
        """The file descriptor that its answers come from."""
        pipe = self._process.stdout
        assert pipe is not None, "the process was started with a pipe"  # noqa: S101 - for the types
        return pipe.fileno()

    def feed(self, question: bytes) -> None:
        """Write a short question. Raises OSError once the process has ended."""
        pipe = self._process.stdin
        assert pipe is not None, "the process was started with a pipe"  # noqa: S101 - for the types
        remaining = memoryview(question)
        while remaining:
            remaining = remaining[pipe.write(remaining) :]

    def kill(self) -> None:
        """End the process now, from any thread; `end` has yet to follow."""
        self._child.kill()

    def end(self) -> None:
        """Leave nothing behind: no process and no open pipe."""
        self._child.end()
        if self._process.stdin is not None:
            self._process.stdin.close()


def _give_way(pid: int) -> None:
    """Let every other process go first, where the system can do that (setpriority(2))."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, _BACKGROUND_NICENESS)
