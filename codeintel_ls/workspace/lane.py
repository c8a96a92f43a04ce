"""A lane: one thread that carries out jobs on an index, one after the other.

A folder has two, so that a save need not wait for a full index: one for whole-folder work, one
for single files. Invariant: every job that was added ends, in success, error or cancellation,
and whoever waits for it is told.
"""

import logging
from collections import deque
from collections.abc import Callable
from threading import Condition, Event, Thread

from codeintel_ls.cancellation import Cancellation, CancelledError
from codeintel_ls.errors import CodeIntelError
from codeintel_ls.progress import Progress, no_progress

_log = logging.getLogger(__name__)


class Job:
    """Something to be done once, which several callers may wait for."""

    def __init__(self, name: str, run: Callable[["Job"], None], progress: Progress) -> None:
        """`run` is called on the lane's thread with the job itself."""
        self.name = name
        self.run = run
        self.progress = progress
        self.cancellation = Cancellation()
        self.error: CodeIntelError | None = None
        self.ended = Event()

    def wait(self, cancellation: Cancellation) -> None:
        """Return when the job is done; raise its error, or CancelledError.

        Cancelling the waiting cancels the job.
        """
        with cancellation.stopping(self.cancellation.cancel):
            self.ended.wait()
        if self.error is not None:
            raise self.error


class Lane:
    """A queue of jobs and its thread. Thread-safe."""

    def __init__(
        self, name: str, *, idle: Callable[[], None] | None = None, idle_seconds: float = 0.25
    ) -> None:
        """`idle` is called on the thread every `idle_seconds` while there is nothing to do."""
        self._jobs: deque[Job] = deque()
        self._current: Job | None = None
        self._condition = Condition()
        self._closed = False
        self._idle = idle
        self._idle_seconds = idle_seconds
        self._idle_trouble = ""
        self._thread = Thread(target=self._loop, name=name, daemon=True)
        self._thread.start()

    def add(self, name: str, run: Callable[[Job], None], progress: Progress = no_progress) -> Job:
        """Queue a job."""
        job = Job(name, run, progress)
        with self._condition:
            if self._closed:
                job.error = CancelledError()
                job.ended.set()
                return job
            self._jobs.append(job)
            self._condition.notify()
        return job

    def has_waiting(self, name: str) -> bool:
        """Whether a job of that name is queued, has not begun, and is to be carried out."""
        with self._condition:
            return any(job.name == name and not job.cancellation.cancelled for job in self._jobs)

    def wait_for_more(self, seconds: float) -> None:
        """Wait until another job is queued or the lane is closed, `seconds` at the most."""
        with self._condition:
            self._condition.wait_for(lambda: bool(self._jobs) or self._closed, seconds)

    def cancel(self) -> None:
        """Cancel the running and the queued jobs."""
        with self._condition:
            jobs = [*self._jobs, *([self._current] if self._current else [])]
        for job in jobs:
            job.cancellation.cancel()

    def stop(self) -> None:
        """Cancel everything, and begin nothing more."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self.cancel()

    def close(self, timeout: float = 2.0) -> None:
        """Stop, and end the thread."""
        self.stop()
        self._thread.join(timeout)

    def _loop(self) -> None:
        while True:
            with self._condition:
                self._current = None
                while not self._jobs and not self._closed:
                    if not self._condition.wait(self._idle_seconds if self._idle else None):
                        break
                if not self._jobs and self._closed:
                    return
                job = self._jobs.popleft() if self._jobs else None
                self._current = job
            if job is not None:
                self._carry_out(job)
            elif self._idle is not None:
                self._idle_trouble = _trouble(self._idle, self._idle_trouble)

    @staticmethod
    def _carry_out(job: Job) -> None:
        try:
            job.cancellation.raise_if_cancelled()
            job.run(job)
        except CodeIntelError as error:
            job.error = error
        # A fault in one job must neither end the lane nor leave its waiters hanging.
        except Exception as error:  # noqa: BLE001
            _log.exception("%s failed", job.name)
            job.error = CodeIntelError(f"{job.name} failed with {type(error).__name__}.")
        finally:
            job.ended.set()


def _trouble(work: Callable[[], None], before: str) -> str:
    """Why work that is done again and again failed; logged when it was not so before."""
    try:
        work()
    except CodeIntelError as error:
        if str(error) != before:
            _log.warning("%s", error)
        return str(error)
    # The thread must outlive whatever befalls it between two jobs.
    except Exception as error:  # noqa: BLE001
        if repr(error) != before:
            _log.exception("Waiting for work failed")
        return repr(error)
    return ""
