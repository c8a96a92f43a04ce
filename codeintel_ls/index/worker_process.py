"""The parent's side of an indexing process: started when needed, killed when asked, replaced.

Invariant: when `close` or a cancelled task returns, the child is gone. A child whose parent dies
ends by itself (its stdin closes).
"""

import pickle
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, Timer
from typing import Final, cast

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.index.errors import WorkerFailedError, WorkerUnavailableError
from codeintel_ls.index.tasks import (
    EmbedTask,
    PreparedFile,
    PrepareTask,
    StartTask,
    TaskFailure,
)

_NICENESS: Final = 10
_LEAST_SECONDS: Final = 30.0
_SECONDS_PER_FILE: Final = 2.0


class WorkerProcess:
    """One child process. Tasks are answered one after the other; callers queue on a lock."""

    def __init__(self, model: str) -> None:
        """`model` is the setting `embedding.model`; nothing is started yet."""
        self._model = model
        self._busy = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The child's process id while there is one."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def prepare(
        self, task: PrepareTask, cancellation: Cancellation
    ) -> tuple[list[PreparedFile], "PreparedBatch"]:
        """Read and chunk files; the batch returned with them can embed what is new in them.

        Raises WorkerFailedError when the child dies over them, WorkerUnavailableError when there
        is none, CancelledError.
        """
        self._busy.acquire()
        try:
            files = cast("list[PreparedFile]", self._ask(task, cancellation))
        except BaseException:
            self._busy.release()
            raise
        return files, PreparedBatch(self, cancellation)

    def start(self, cancellation: Cancellation) -> None:
        """Have the child up and its model loaded, ahead of the first task."""
        with self._busy:
            self._ensure_started(cancellation)

    def close(self) -> None:
        """End the child now, whatever it does; who waits for it gets a WorkerUnavailableError."""
        self._closed = True
        self._kill()
        with self._busy:
            self._discard()

    def embed(self, keys: Sequence[bytes], cancellation: Cancellation) -> dict[bytes, bytes]:
        """For `PreparedBatch`, which holds the lock."""
        return cast("dict[bytes, bytes]", self._ask(EmbedTask(tuple(keys)), cancellation))

    def release(self) -> None:
        """For `PreparedBatch`: let the next caller in."""
        self._busy.release()

    def _ask(self, task: object, cancellation: Cancellation) -> object:
        cancellation.raise_if_cancelled()
        self._ensure_started(cancellation)
        return self._exchange(task, cancellation)

    def _ensure_started(self, cancellation: Cancellation) -> None:
        if self.pid is not None:
            return
        self._discard()
        if self._closed:
            raise WorkerUnavailableError("The indexing process was closed.")
        try:
            # -P: the folder one stands in must not lend modules to the child.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "codeintel_ls.index.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerUnavailableError(
                f"The indexing process could not be started: {error.strerror}."
            ) from error
        # `close` may have looked before there was a child.
        if self._closed:
            self._kill()
        try:
            self._exchange(StartTask(self._model, _NICENESS), cancellation)
        except WorkerFailedError as error:
            raise WorkerUnavailableError(str(error)) from error

    def _exchange(self, task: object, cancellation: Cancellation) -> object:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise WorkerUnavailableError("The indexing process was closed.")
        # Hostile text can keep a parser busy for minutes; its file is then left out.
        files = len(task.files) if isinstance(task, PrepareTask) else 0
        deadline = Timer(_LEAST_SECONDS + _SECONDS_PER_FILE * files, self._kill)
        deadline.daemon = True
        deadline.start()
        try:
            with cancellation.stopping(self._kill):
                pickle.dump(task, process.stdin)
                process.stdin.flush()
                answer: object = pickle.load(process.stdout)  # noqa: S301 (our own child wrote it)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self._kill()
            self._discard()
            cancellation.raise_if_cancelled()
            if self._closed:
                raise WorkerUnavailableError("The indexing process was closed.") from error
            raise WorkerFailedError("The indexing process died or took too long.") from error
        finally:
            deadline.cancel()
        if isinstance(answer, TaskFailure):
            raise WorkerFailedError(answer.message)
        return answer

    def _kill(self) -> None:
        """Safe from any thread: whoever reads from the child sees its pipe end."""
        process = self._process
        if process is not None:
            process.kill()
            process.wait()

    def _discard(self) -> None:
        """Drop a dead child's pipes; only by the thread that holds the lock."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None and process.stdout is not None:
            with suppress(OSError):
                process.stdin.close()
            process.stdout.close()


class PreparedBatch:
    """The files the child has just prepared; holds the child until it is closed."""

    def __init__(self, worker: WorkerProcess, cancellation: Cancellation) -> None:
        """Only `WorkerProcess.prepare` makes these."""
        self._worker = worker
        self._cancellation = cancellation

    def embed(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Packed vectors of those keys of the batch's records."""
        return self._worker.embed(keys, self._cancellation) if keys else {}

    def __enter__(self) -> "PreparedBatch":
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.release()
