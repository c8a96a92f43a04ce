"""The indexing process: files become contents, generations become segments, beside the server.

Started as `python -P -m codeintel_ls.index.worker` with pipes for stdin and stdout. Parsing holds
Python's interpreter lock for as long as a file takes, and training takes seconds: neither may
happen in the process that answers an editor. It ends when its stdin closes, that is, when its
parent is gone for whatever reason. What it writes (contents, a segment under an unfinished name)
is whole or counts as not there.
"""

import gc
import os
import pickle
import sys
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import IO

from codeintel_ls.embedding import EmbeddingError, Encoder, ModelUnavailableError, open_encoder
from codeintel_ls.index.building import BuildTask, build
from codeintel_ls.index.collecting import collect
from codeintel_ls.index.commit_preparing import prepare_commits
from codeintel_ls.index.contents import ContentStore
from codeintel_ls.index.database import unavailable
from codeintel_ls.index.errors import CacheUnavailableError, DamagedCacheError, IndexingError
from codeintel_ls.index.preparing import prepare
from codeintel_ls.index.segment_files import verify_segment
from codeintel_ls.index.tasks import (
    CollectTask,
    Numbered,
    PrepareCommitsTask,
    PrepareTask,
    StartTask,
    TaskFailure,
    VerifyTask,
)


class Worker:
    """Carries out tasks: the urgent ones in their order, and beside them the others in theirs."""

    def __init__(self, answers: IO[bytes]) -> None:
        self._answers = answers
        self._answering = Lock()
        self._opening = Lock()
        self._encoder: Encoder | None = None
        self._contents: dict[str, ContentStore] = {}
        self._queues = {urgent: SimpleQueue[Numbered]() for urgent in (True, False)}

    def serve(self, tasks: IO[bytes]) -> None:
        """Take tasks until `tasks` ends."""
        while True:
            try:
                task: object = pickle.load(tasks)  # noqa: S301 (our own parent wrote it)
            except EOFError:
                return
            if not isinstance(task, Numbered):
                continue
            if isinstance(task.body, StartTask):
                self._answer(task.number, self._started(task.body))
            else:
                urgent = isinstance(task.body, PrepareTask) and task.body.urgent
                self._queues[urgent].put(task)

    def _started(self, task: StartTask) -> object:
        try:
            self._encoder = open_encoder(task.model)
        except ModelUnavailableError as error:
            return TaskFailure(str(error))
        _bound_memory(task.memory_bytes)
        # On Linux a thread has a niceness of its own: what somebody waits for keeps the parent's.
        self._begin(urgent=True)
        if hasattr(os, "nice"):
            os.nice(task.niceness)
        self._begin(urgent=False)
        return True

    def _begin(self, *, urgent: bool) -> None:
        name = "urgent" if urgent else "bulk"
        Thread(target=self._work, args=(self._queues[urgent],), name=name, daemon=True).start()

    def _work(self, queue: "SimpleQueue[Numbered]") -> None:
        while True:
            task = queue.get()
            self._answer(task.number, self._result(task.body))
            # Batches of files and commits are small and many.
            if not isinstance(task.body, PrepareTask | PrepareCommitsTask):
                gc.collect()

    def _result(self, task: object) -> object:
        try:
            if isinstance(task, PrepareTask) and self._encoder is not None:
                return prepare(task, self._encoder, self._contents_at(task.contents))
            if isinstance(task, PrepareCommitsTask) and self._encoder is not None:
                return prepare_commits(task, self._encoder)
            if isinstance(task, BuildTask):
                return build(task)
            if isinstance(task, CollectTask):
                return collect(task)
            if isinstance(task, VerifyTask):
                return all(verify_segment(Path(folder)) for folder in task.folders)
        # These are of the cache or the endpoint: no file that was to be indexed is to blame.
        except (DamagedCacheError, CacheUnavailableError, EmbeddingError) as error:
            return error
        except IndexingError as error:
            return TaskFailure(str(error))
        except MemoryError:
            return TaskFailure(
                "Indexing needs more memory than the setting index.workerMegabytes allows."
            )
        except OSError as error:
            return unavailable(error)
        # Whatever else goes wrong must reach the parent as an answer, or it would wait for one.
        except Exception as error:  # noqa: BLE001
            return TaskFailure(f"Indexing failed with {type(error).__name__}.")
        return TaskFailure("The indexing process was asked for something it does not know.")

    def _contents_at(self, path: str) -> ContentStore:
        with self._opening:
            store = self._contents.get(path)
            if store is None or not store.is_there():
                store = self._contents[path] = ContentStore.existing(Path(path))
            return store

    def _answer(self, number: int, body: object) -> None:
        with self._answering, suppress(BrokenPipeError):
            pickle.dump(Numbered(number, body), self._answers)
            self._answers.flush()


def _bound_memory(most: int) -> None:
    """Have tasks take so many bytes at the most, where the system can do that (setrlimit(2))."""
    if sys.platform == "win32":
        return
    import resource

    with suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (most + _reserved(), hard))


def _reserved() -> int:
    """What libraries and threads have set aside by now and mostly never touch (proc(5))."""
    with suppress(OSError, ValueError, IndexError):
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[5]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    return 0


def main() -> None:
    """Serve tasks until the parent closes the pipe."""
    # A stray print must not get between the answers: fd 1 becomes stderr.
    with os.fdopen(os.dup(0), "rb") as tasks, os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)
        Worker(answers).serve(tasks)
        sys.stderr.flush()
        # Threads may be in the middle of something that nobody waits for any more.
        os._exit(0)


if __name__ == "__main__":
    main()
