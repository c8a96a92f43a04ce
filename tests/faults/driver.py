"""A server's process, and its indexing process, that end where they are told to.

    python -m tests.faults.driver ERRAND          (JSON, see `Errand`)

Carries out one scenario on a cache, as the server would, and prints `begun` and, where it lived
so long, `done`. Some limits are lowered, so that a few hundred files make folds and merges.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

from attrs import asdict, evolve, frozen

from codeintel_ls.embedding import StaticEncoder, Vectors
from codeintel_ls.index import building, indexer, merge_policy, publication, worker, worker_process
from codeintel_ls.index.dense import DenseIndex
from codeintel_ls.index.errors import IndexingError
from codeintel_ls.index.status import IndexState
from codeintel_ls.settings import CacheSettings, IndexSettings, Settings
from codeintel_ls.workspace import WorkspaceFolder
from tests.faults.steps import Steps, Target

_ERRAND: Final = "CODEINTEL_TESTS_ERRAND"
_PATIENCE: Final = 60.0


@frozen(kw_only=True)
class Errand:
    """What to do: a scenario for the folder `root` with the caches in `cache`.

    `changed` are the paths that one scenario saves one by one. `server` and `worker` say where
    these processes are to be killed, the worker only once. What they do is told in `notes`.
    """

    scenario: str
    root: str
    cache: str
    notes: str
    changed: tuple[str, ...] = ()
    workers: int = 1
    server: Target | None = None
    worker: Target | None = None

    @classmethod
    def parse(cls, text: str) -> "Errand":
        """What `str` gives."""
        values = json.loads(text)
        targets = {
            name: Target(**values[name]) if values[name] else None for name in ("server", "worker")
        }
        return cls(**{**values, "changed": tuple(values["changed"]), **targets})

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    def settings(self) -> Settings:
        """Those with which the folder is opened."""
        return settings_for(Path(self.cache), self.workers)


def settings_for(cache: Path, workers: int = 1) -> Settings:
    """Settings that keep everything in a cache of one's own."""
    return Settings(cache=CacheSettings(directory=str(cache)), index=IndexSettings(workers=workers))


def lower_limits(set_attribute: Callable[[Any, str, Any], None] = setattr) -> None:
    """Have a small tree go through what a large one goes through."""
    set_attribute(indexer, "_FILES_PER_BATCH", 24)
    set_attribute(indexer, "_PUBLISH_SECONDS", 0.0)
    set_attribute(merge_policy, "_FOLD_AT", 60)
    set_attribute(merge_policy, "_LEAST", 60)
    set_attribute(merge_policy, "_PAUSE_SHARE", 0.0)
    set_attribute(publication, "_MOST_TO_READ", 100)
    set_attribute(publication.Publication.publish, "__kwdefaults__", {"most": 100})
    set_attribute(building, "_CHUNKS_PER_BLOCK", 64)
    set_attribute(building, "_BLOCKS_PER_RUN", 2)


def _update(folder: WorkspaceFolder, _: Errand) -> None:
    folder.start()
    folder.update()


def _save(folder: WorkspaceFolder, errand: Errand) -> None:
    for path in errand.changed[::2]:
        folder.update([path])
    folder.changed(errand.changed)
    folder.update()


def _merge(folder: WorkspaceFolder, _: Errand) -> None:
    folder.merge()


def _settle(folder: WorkspaceFolder, _: Errand) -> None:
    folder.settle()


def _rebuild(folder: WorkspaceFolder, _: Errand) -> None:
    folder.rebuild()


SCENARIOS: Final[dict[str, Callable[[WorkspaceFolder, Errand], None]]] = {
    "cold": _update,
    "update": _update,
    "save": _save,
    "switch": _update,
    "merge": _merge,
    "settle": _settle,
    "rebuild": _rebuild,
    "recover": _update,
    "recipe": _update,
}


def _serve(errand: Errand) -> None:
    """Be the server."""
    notes = Path(errand.notes)
    steps = Steps(notes / "server", Path(errand.cache), errand.server)
    steps.install()
    steps.wrap(
        worker_process.WorkerProcess,
        "_exchange",
        lambda _self, _child, task, *_: f"ask {type(task).__name__}",
    )
    targets = iter([errand.worker])

    def spawn() -> "subprocess.Popen[bytes]":
        # The first one alone is killed: the next one lives.
        told = evolve(errand, worker=next(targets, None))
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {_ERRAND: str(told)},
            cwd=Path(__file__).parents[2],
        )

    cast("Any", worker_process)._spawn = spawn
    print("begun", flush=True)
    folder = WorkspaceFolder.open(Path(errand.root), errand.settings())
    try:
        SCENARIOS[errand.scenario](folder, errand)
    except IndexingError as error:
        # A worker died: whoever asked is told so, and the index gets well without being asked.
        print(f"told: {error}", flush=True)
        folder.start()
        if not _is_well(folder):
            raise
    folder.close()
    print("done", flush=True)


def _is_well(folder: WorkspaceFolder) -> bool:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        status = folder.index_status()
        if status.state is IndexState.READY and not status.last_error and not status.pending:
            return True
        time.sleep(0.05)
    return False


def _work(errand: Errand) -> None:
    """Be the indexing process."""
    notes = Path(errand.notes)
    steps = Steps(notes / "worker", Path(errand.cache), errand.worker)
    with (notes / "pids").open("a", encoding="ascii") as pids:
        pids.write(f"{os.getpid()}\n")
    real = StaticEncoder.embed_documents

    def embed_documents(self: StaticEncoder, texts: Sequence[str]) -> Vectors:
        vectors = real(self, texts)
        with (notes / "embedded").open("a", encoding="ascii") as embedded:
            embedded.write(f"{len(texts)}\n")
        return vectors

    StaticEncoder.embed_documents = embed_documents
    steps.install()
    steps.wrap(worker.Worker, "_result", lambda _, task: f"work {type(task).__name__}")
    steps.wrap(StaticEncoder, "embed_documents", lambda *_: "embed")
    steps.wrap(DenseIndex, "save", lambda *_: "save dense")
    worker.main()


if __name__ == "__main__":
    lower_limits()
    if len(sys.argv) > 1:
        _serve(Errand.parse(sys.argv[1]))
    else:
        _work(Errand.parse(os.environ[_ERRAND]))
