"""A tree, caches that stand at some point of its history, and a process that works on them."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
from attrs import define, field, frozen

from codeintel_ls.errors import CodeIntelError
from codeintel_ls.index.segment_files import SEGMENTS
from codeintel_ls.workspace import WorkspaceFolder
from tests.faults.checking import (
    PATIENCE,
    Reference,
    asked,
    differences,
    fresh,
    opened,
    recovered,
    vector_keys,
)
from tests.faults.driver import Errand
from tests.faults.steps import Target
from tests.faults.trees import check_out, copied, make_repository
from tests.waiting import eventually

VICTIMS: Final = ("server", "worker")
_REPOSITORY: Final = Path(__file__).parents[2]
_BEGINS_WITH: Final[Mapping[str, str]] = {
    "cold": "",
    "update": "before",
    "save": "before",
    "switch": "both",
    "merge": "layers",
    "settle": "layers",
    "rebuild": "layers",
    "recover": "damaged",
    "recipe": "foreign",
}
"""The cache that each scenario begins with."""
_ANSWERED: Final = {"update", "save", "switch", "merge", "settle", "rebuild"}
"""Where there is an index that was whole before."""


@frozen(kw_only=True)
class Kill:
    """Who is to be killed in a scenario: at a step, or so many seconds after it has begun."""

    scenario: str
    victim: str
    target: Target | None = None
    seconds: float = 0.0
    workers: int = 1

    def __str__(self) -> str:
        target = self.target
        when = f"{target.kind} ({target.number})" if target else f"{self.seconds:.3f} s"
        return f"{self.scenario}: {self.victim} at {when}"


@frozen(kw_only=True)
class Trace:
    """What an undisturbed run goes through: the steps of each process, and its seconds."""

    steps: Mapping[str, Counter[str]]
    seconds: float


@define
class Workshop:
    """Everything lies in the folder `place`. The tree stands at its branch `after`."""

    place: Path
    root: Path = field(init=False)
    reference: Reference = field(init=False)
    _changed: tuple[str, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.root = self.place / "tree"
        self._changed = tuple(make_repository(self.root))
        self._make("before", "cold", "")
        check_out(self.root, "after")
        self.reference = fresh(self.root)
        self._make("layers", "update", "before")
        check_out(self.root, "before")
        self._make("both", "update", "layers")
        check_out(self.root, "after")
        _damage(_database(copied(self.place / "layers", self.place / "damaged")))
        _estrange(_database(copied(self.place / "layers", self.place / "foreign")))

    @property
    def cache(self) -> Path:
        """The cache that is worked on."""
        return self.place / "cache"

    def trace(self, scenario: str) -> Trace:
        """Let a scenario end undisturbed."""
        seconds = self._let_end(Kill(scenario=scenario, victim=""), _BEGINS_WITH[scenario])
        steps = {victim: Counter(self._told(victim)) for victim in VICTIMS}
        return Trace(steps=steps, seconds=seconds)

    def carry_out(self, kill: Kill) -> tuple[bool, list[str]]:
        """Whether the victim died, and what was wrong with the others or afterwards."""
        process = self._started(kill, _BEGINS_WITH[kill.scenario])
        before = vector_keys(self.cache)
        died = kill.target is None and self._kill_later(process, kill)
        try:
            output, errors = process.communicate(timeout=2 * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True, ["The server hangs."]
        problems = self._wrong_afterwards(kill, before)
        if kill.target is not None:
            died = self._told(kill.victim).count(kill.target.kind) >= kill.target.number
        if process.returncode != (-signal.SIGKILL if died and kill.victim == "server" else 0):
            problems.insert(0, f"The server ended with {process.returncode}: {output}{errors}")
        return died, problems

    def _wrong_afterwards(self, kill: Kill, before: frozenset[bytes]) -> list[str]:
        """What is wrong with the index once it is opened again."""
        problems: list[str] = []
        if not eventually(lambda: not any(map(_is_running, self._pids()))):
            problems.append("An indexing process outlives its server.")
        missing = len(self.reference.texts - vector_keys(self.cache))
        # What a rebuild embeds again is asked for.
        if kill.scenario != "rebuild":
            problems += self._embedded_in_vain(before)
        try:
            with opened(self.root, self.cache) as folder:
                if kill.scenario in _ANSWERED and not asked(folder).hits:
                    problems.append("It does not answer when it is opened.")
                folder.start()
                status = recovered(folder)
                problems += differences(folder, self.reference)
                embedded = folder.index_status().embedded
                if not eventually(lambda: _is_tidy(folder)):
                    problems.append("Segments are left over, or gone.")
        except (AssertionError, CodeIntelError) as error:
            return [*problems, str(error)]
        # A batch is in the store whole or not at all, so that exactly what is missing is made.
        if embedded != missing:
            problems.append(f"{embedded} texts were embedded where {missing} were missing.")
        if status.notices and kill.scenario not in {"recover", "recipe"}:
            problems.append(f"It tells of {status.notices}.")
        return problems

    def _embedded_in_vain(self, before: frozenset[bytes]) -> list[str]:
        """What the killed run embedded beyond its needs: each worker may lose one batch."""
        counts = [int(line) for line in self._told("embedded")]
        needed = len(self.reference.vectors - before)
        lost = max(counts, default=0) * len(self._pids())
        if sum(counts) <= needed + lost:
            return []
        return [f"{sum(counts)} texts were embedded where {needed} were missing before."]

    # -- processes -----------------------------------------------------------------------------

    def _make(self, name: str, scenario: str, begins_with: str) -> None:
        """Make a cache as a scenario leaves it."""
        self._let_end(Kill(scenario=scenario, victim=""), begins_with)
        copied(self.cache, self.place / name)

    def _let_end(self, kill: Kill, begins_with: str) -> float:
        """Disturb nothing; returns how many seconds it took."""
        process = self._started(kill, begins_with)
        began = time.monotonic()
        output, errors = process.communicate(timeout=2 * PATIENCE)
        assert process.returncode == 0, f"{kill.scenario} failed: {output}{errors}"
        return time.monotonic() - began

    def _started(self, kill: Kill, begins_with: str) -> "subprocess.Popen[str]":
        """A server that has begun its work on a copy of a cache."""
        notes = self.place / "notes"
        for place in (self.cache, notes):
            shutil.rmtree(place, ignore_errors=True)
        notes.mkdir()
        if begins_with:
            copied(self.place / begins_with, self.cache)
        errand = Errand(
            scenario=kill.scenario,
            root=str(self.root),
            cache=str(self.cache),
            notes=str(notes),
            changed=self._changed,
            workers=kill.workers,
            server=kill.target if kill.victim == "server" else None,
            worker=kill.target if kill.victim == "worker" else None,
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver", str(errand)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=_REPOSITORY,
        )
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def _kill_later(self, process: "subprocess.Popen[str]", kill: Kill) -> bool:
        """Kill the victim after its time; whether it was alive until then."""
        if kill.victim == "worker":
            eventually(lambda: bool(self._pids()) or process.poll() is not None)
        with suppress(subprocess.TimeoutExpired):
            process.wait(kill.seconds)
            return False
        if kill.victim == "server":
            process.kill()
            return True
        with suppress(ProcessLookupError, IndexError):
            os.kill(self._pids()[-1], signal.SIGKILL)
            return True
        return False

    def _told(self, name: str) -> list[str]:
        note = self.place / "notes" / name
        return note.read_text(encoding="ascii").splitlines() if note.exists() else []

    def _pids(self) -> list[int]:
        return [int(line) for line in self._told("pids")]


def _is_tidy(folder: WorkspaceFolder) -> bool:
    """Whether the segments on disk are those of the manifest."""
    index = folder._index
    listed = {entry.name for entry in index.published.manifest.segments}
    return listed == {path.name for path in (index.folder / SEGMENTS).glob("*")}


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _database(cache: Path) -> Path:
    (database,) = cache.glob("workspaces/*/index.sqlite3")
    return database


def _damage(database: Path) -> None:
    with database.open("r+b") as file:
        file.write(bytes(4096))


def _estrange(database: Path) -> None:
    """Have it made by another version of this program."""
    connection = sqlite3.connect(database)
    with connection:
        connection.execute("UPDATE meta SET value = 'another' WHERE key = 'recipe'")
    connection.close()
