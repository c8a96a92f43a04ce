"""The parent's side of an indexing process: started when needed, killed when asked, replaced.

Invariant: when `close` or a cancelled task returns, the child is gone. A child whose parent dies
ends by itself (its stdin closes).
"""

import itertools
import os
import pickle
import subprocess
import sys
from contextlib import suppress
from threading import Event, Lock, Thread
from typing import IO, Final, cast

import psutil
from attrs import define, field

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.embedding import EmbeddingError, Model
from codeintel_ls.index.building import BuildTask, BuiltSegment
from codeintel_ls.index.errors import (
    CacheUnavailableError,
    DamagedCacheError,
    WorkerFailedError,
    WorkerUnavailableError,
)
from codeintel_ls.index.tasks import (
    CollectTask,
    Numbered,
    PrepareCommitsTask,
    PreparedFile,
    PrepareTask,
    StartTask,
    TaskFailure,
    VerifyTask,
)

_NICENESS: Final = 10
_LEAST_SECONDS: Final = 30.0
_SECONDS_PER_FILE: Final = 2.0
_LONGEST_SECONDS: Final = 3_600.0
"""Of what takes as long as there is much to do, or as an endpoint is slow.

Each request to an endpoint has a deadline of its own.
"""

_NO_FAULT_OF_FILES: Final = (DamagedCacheError, CacheUnavailableError, EmbeddingError)


@define(eq=False)
class _Waiting:
    """Somebody who waits for an answer; none comes when the child dies.

    `ahead` is whose task the child carries out before.
    """

    ahead: "_Waiting | None" = None
    came: Event = field(factory=Event)
    answer: object = None
    died: bool = False

    def await_turn(self) -> None:
        """Return when the child has begun with the task, or died."""
        if self.ahead is not None:
            self.ahead.came.wait()
            self.ahead = None


class _Child:
    """One process and the thread that reads its answers."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._tasks, self._answers = process.stdin, process.stdout
        self._numbers = itertools.count()
        self._lock = Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._last: dict[bool, _Waiting] = {}
        self._ended = False
        self._reader = Thread(target=self._read, name="worker-answers", daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        return not self._ended and self.process.poll() is None

    def ask(self, task: object) -> _Waiting:
        waiting = _Waiting()
        with self._lock:
            number = next(self._numbers)
            if self._ended:
                waiting.died = True
                waiting.came.set()
                return waiting
            self._waiting[number] = waiting
            # The child has a queue for what is urgent and one for all else.
            urgent = isinstance(task, PrepareTask) and task.urgent
            waiting.ahead, self._last[urgent] = self._last.get(urgent), waiting
            # A broken pipe is what the reader sees, too.
            with suppress(OSError):
                tasks = cast("IO[bytes]", self._tasks)
                pickle.dump(Numbered(number, task), tasks)
                tasks.flush()
        return waiting

    def kill(self) -> None:
        """Safe from any thread: whoever waits is told that the child died."""
        self.process.kill()
        self.process.wait()

    def _read(self) -> None:
        answers = cast("IO[bytes]", self._answers)
        try:
            while True:
                answer = cast("Numbered", pickle.load(answers))  # noqa: S301 (our own child's)
                with self._lock:
                    waiting = self._waiting.pop(answer.number, None)
                if waiting is not None:
                    waiting.answer = answer.body
                    waiting.came.set()
        except (EOFError, OSError, pickle.UnpicklingError):
            pass
        finally:
            self.kill()
            with self._lock:
                self._ended = True
                lost, self._waiting = self._waiting, {}
                with suppress(OSError):
                    cast("IO[bytes]", self._tasks).close()
                answers.close()
            for waiting in lost.values():
                waiting.died = True
                waiting.came.set()


class WorkerProcess:
    """One child process. Urgent tasks are carried out beside the others. Thread-safe."""

    def __init__(self, model: Model, memory_bytes: int) -> None:
        """`model` is what embeds; nothing is started yet."""
        self._model = model
        self._memory_bytes = memory_bytes
        self._starting = Lock()
        self._child: _Child | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        child = self._child
        return child.process.pid if child is not None and child.is_alive else None

    @property
    def memory_bytes(self) -> int:
        """What the child holds in memory now."""
        pid = self.pid
        if pid is None:
            return 0
        try:
            return psutil.Process(pid).memory_info().rss
        except psutil.Error:
            return 0

    def prepare(self, task: PrepareTask, cancellation: Cancellation) -> list[PreparedFile]:
        """Read, chunk and embed files.

        Raises WorkerFailedError when the child dies over them, WorkerUnavailableError when there
        is none, EmbeddingError when there are no vectors to be had now, CancelledError,
        DamagedCacheError, CacheUnavailableError.
        """
        seconds = _LEAST_SECONDS + len(task.files) * _SECONDS_PER_FILE
        if not isinstance(self._model, str):
            # No file is to blame for an endpoint that is slow.
            seconds = _LONGEST_SECONDS
        return cast("list[PreparedFile]", self._ask(task, seconds, cancellation))

    def prepare_commits(self, task: PrepareCommitsTask, cancellation: Cancellation) -> int:
        """Embed commits; returns how many. Raises as `prepare` does."""
        return cast("int", self._ask(task, _LONGEST_SECONDS, cancellation))

    def build(self, task: BuildTask, cancellation: Cancellation) -> BuiltSegment:
        """Write a segment. Raises as `prepare` does."""
        return cast("BuiltSegment", self._ask(task, _LONGEST_SECONDS, cancellation))

    def collect(self, task: CollectTask, cancellation: Cancellation) -> int:
        """Delete what nothing refers to. Raises as `prepare` does."""
        return cast("int", self._ask(task, _LONGEST_SECONDS, cancellation))

    def verify(self, task: VerifyTask, cancellation: Cancellation) -> bool:
        """Whether the segments are whole. Raises as `prepare` does."""
        return cast("bool", self._ask(task, _LONGEST_SECONDS, cancellation))

    def start(self, cancellation: Cancellation) -> None:
        """Have the child up and its model loaded, ahead of the first task."""
        self._started(cancellation)

    def end(self) -> None:
        """End the child; the next task starts another."""
        with self._starting:
            child, self._child = self._child, None
        if child is not None:
            child.kill()

    def close(self) -> None:
        """End the child now, whatever it does; who waits for it gets a WorkerUnavailableError."""
        self._closed = True
        self._kill()
        self.end()

    def _ask(self, task: object, seconds: float, cancellation: Cancellation) -> object:
        cancellation.raise_if_cancelled()
        child = self._started(cancellation)
        return self._exchange(child, task, seconds, cancellation)

    def _started(self, cancellation: Cancellation) -> _Child:
        with self._starting:
            child = self._child
            if child is not None and child.is_alive:
                return child
            if self._closed:
                raise WorkerUnavailableError("The indexing process was closed.")
            child = self._child = _Child(_spawn())
            # `close` may have looked before there was a child.
            if self._closed:
                child.kill()
            start = StartTask(
                model=self._model, niceness=_NICENESS, memory_bytes=self._memory_bytes
            )
            try:
                self._exchange(child, start, _LEAST_SECONDS, cancellation)
            except WorkerFailedError as error:
                # It lives still where it has no model, and would never answer.
                child.kill()
                raise WorkerUnavailableError(str(error)) from error
            return child

    def _exchange(
        self, child: _Child, task: object, seconds: float, cancellation: Cancellation
    ) -> object:
        with cancellation.stopping(child.kill):
            waiting = child.ask(task)
            # A long build ahead is no fault of the task; it has a limit of its own.
            waiting.await_turn()
            # Hostile text can keep a parser busy for minutes; its file is then left out.
            if not waiting.came.wait(seconds):
                child.kill()
                waiting.came.wait()
        if waiting.died:
            cancellation.raise_if_cancelled()
            if self._closed:
                raise WorkerUnavailableError("The indexing process was closed.")
            raise WorkerFailedError("The indexing process died or took too long.")
        if isinstance(waiting.answer, _NO_FAULT_OF_FILES):
            raise waiting.answer
        if isinstance(waiting.answer, TaskFailure):
            raise WorkerFailedError(waiting.answer.message)
        return waiting.answer

    def _kill(self) -> None:
        child = self._child
        if child is not None:
            child.kill()


def _spawn() -> "subprocess.Popen[bytes]":
    try:
        # -P: the folder one stands in must not lend modules to the child.
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "codeintel_ls.index.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            # Threads of OpenMP that wait for work must not spin beside an editor.
            env={**os.environ, "OMP_WAIT_POLICY": "passive"},
        )
    except OSError as error:
        raise WorkerUnavailableError(
            f"The indexing process could not be started: {error.strerror}."
        ) from error
