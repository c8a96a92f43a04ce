"""A commit-graph with changed-path Bloom filters for a repository that has none, in our cache.

git skips with it most commits that did not touch a path (git-commit-graph(1)). It sees our
directory of objects, in which there is nothing else, through its environment: as an alternate,
or, where the repository has a commit-graph without filters (git uses the first that it finds),
in front of the repository's own. Invariants: the repository's git directory is never written;
git is shown a graph only after its hash was checked; answers are the same without it.
"""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from threading import Lock
from time import time
from typing import Final

from attrs import evolve, frozen
from filelock import FileLock, Timeout

from codeintel_ls.cancellation import Cancellation
from codeintel_ls.git.commit_graph_building import (
    BUILDING,
    alternates,
    any_gone,
    built,
    count_new,
    tips_of,
)
from codeintel_ls.git.commit_graph_file import (
    GraphFile,
    own_graph_exists,
    read_graph_file,
    read_own_graph,
)
from codeintel_ls.git.commit_graph_note import GraphNote, read_note, write_note
from codeintel_ls.git.errors import GitError
from codeintel_ls.git.repository import FileState, Repository, file_state
from codeintel_ls.git.runner import GitRunner, ProcessSlots

BUILD_SECONDS: Final = 600.0

NEW_COMMITS: Final = 64
"""With fewer commits than these since it was built, a graph is as good as a new one."""

_RETRY_SECONDS: Final = 24 * 60 * 60.0
_OFF: Final = frozenset({"false", "no", "off", "0"})

# One after the other: together they would take the slots of what somebody waits for.
_turns: Final = ProcessSlots(1)


class GraphState(StrEnum):
    """How things stand with a repository's graph, in words for people."""

    ABSENT = "not built"
    BUILDING = "being built"
    IN_USE = "in use"
    OWN = "the repository's own is used"
    USELESS = "git would not use it"
    FAILED = "could not be built"


@frozen(kw_only=True)
class GraphStatus:
    """Our graph of a repository: how many commits are in it, and what it takes of the disk."""

    state: GraphState
    commits: int = 0
    disk_bytes: int = 0


class ShadowGraph:
    """The graph of one repository, which its work trees share. Thread-safe.

    `folder` is in our cache, and may be removed at any time; only `refresh` makes it.
    """

    def __init__(self, repository: Repository, runner: GitRunner, folder: Path) -> None:
        self._repository = repository
        self._runner = runner
        self._folder = folder
        self._objects = folder / "objects"
        self._place = self._objects / "info" / "commit-graph"
        self._theirs = repository.common_dir.absolute() / "objects"
        self._lock = Lock()
        self._checked: tuple[FileState, GraphFile | None] = (None, None)
        # How things stand where there is no graph.
        self._state = GraphState.ABSENT

    @property
    def environment(self) -> Mapping[str, str]:
        """What lets a git that runs in the repository see the graph; empty without a sound one.

        Reads the graph when it was replaced; one that is damaged is removed.
        """
        if self._sound() is None:
            return {}
        if not own_graph_exists(self._theirs):
            return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates(self._objects)}
        return {
            "GIT_OBJECT_DIRECTORY": str(self._objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": alternates(self._theirs),
        }

    @property
    def status(self) -> GraphStatus:
        """How things stand, without running git."""
        graph = self._sound()
        if graph is None:
            return GraphStatus(state=self._state)
        state = GraphState.BUILDING if self._state is GraphState.BUILDING else GraphState.IN_USE
        return GraphStatus(state=state, commits=graph.commits, disk_bytes=graph.disk_bytes)

    def refresh(self, cancellation: Cancellation | None = None) -> GraphStatus:
        """Build the graph, or build it anew, if it is worth it; remove it if it is of no use.

        Runs git at low priority, for `BUILD_SECONDS` at most; does nothing while another thread
        or process does it. Raises `CancelledError`. What fails otherwise is in the status.
        """
        try:
            self._refresh(self._patient_runner(), cancellation or Cancellation())
        except (GitError, OSError, NotImplementedError):
            # The last is filelock's, where a file system keeps no locks.
            self._state = GraphState.FAILED
        finally:
            if self._state is GraphState.BUILDING:
                self._state = GraphState.ABSENT
        return self.status

    def _patient_runner(self) -> GitRunner:
        """Of the same slots, so that there are never more processes than may be."""
        runner = GitRunner(
            self._runner.root,
            seconds=BUILD_SECONDS,
            slots=self._runner.slots,
            command=self._runner.command,
        )
        runner.extra_environment = lambda: self.environment
        return runner

    def _refresh(self, runner: GitRunner, cancellation: Cancellation) -> None:
        head = self._repository.head()
        if head is None:
            return
        state = self._useless(head)
        if state is not None:
            self._drop(state)
            return
        _make_private(self._folder)
        try:
            with (
                FileLock(self._folder / "building.lock", blocking=False, mode=0o600),
                _turns.slot(cancellation),
            ):
                self._refresh_alone(head, runner, cancellation)
        except Timeout:
            return

    def _useless(self, head: str) -> GraphState | None:
        """Why the repository needs no graph of ours, or git would not look at it."""
        config = self._repository.config
        switched_off = any(
            config(section, option).lower() in _OFF
            for section, option in (("core", "commitGraph"), ("commitGraph", "readChangedPaths"))
        )
        grafted = (self._repository.common_dir / "info" / "grafts").exists()
        if switched_off or grafted or self._repository.shallow_commits():
            return GraphState.USELESS
        own = read_own_graph(self._theirs)
        if own is None:
            # What is built beside a damaged graph may come from it.
            return GraphState.USELESS
        if all(file.has_filters for file in own) and any(file.contains(head) for file in own):
            return GraphState.OWN
        return None

    def _refresh_alone(self, head: str, runner: GitRunner, cancellation: Cancellation) -> None:
        for left in self._folder.glob(f"{BUILDING}*/"):
            shutil.rmtree(left, ignore_errors=True)
        tips = tips_of(runner, head, cancellation)
        if tips is None:
            self._drop(GraphState.USELESS)
            return
        note = read_note(self._folder)
        if self._sound() is not None and (
            not note.tips or any_gone(runner, note.tips, cancellation)
        ):
            self._drop(GraphState.ABSENT)
        graph = self._sound()
        if graph is not None and (
            graph.contains(head)
            or count_new(runner, head, note.tips, NEW_COMMITS, cancellation) < NEW_COMMITS
        ):
            return
        if 0 <= time() - note.failed_at < _RETRY_SECONDS:
            self._state = GraphState.FAILED
            return
        self._state = GraphState.BUILDING
        try:
            self._build(runner, tips, cancellation)
        except GitError:
            write_note(self._folder, evolve(note, failed_at=time()))
            raise
        write_note(self._folder, GraphNote(tips))
        self._state = GraphState.ABSENT

    def _build(self, runner: GitRunner, tips: tuple[str, ...], cancellation: Cancellation) -> None:
        with built(
            runner,
            self._repository,
            tips,
            folder=self._folder,
            earlier=self._objects,
            cancellation=cancellation,
        ) as graph:
            _make_private(self._place.parent)
            graph.path.replace(self._place)

    def _sound(self) -> GraphFile | None:
        """The graph as it is now, if it is whole and of the repository's kind of ids."""
        state = file_state(self._place)
        with self._lock:
            if state == self._checked[0]:
                return self._checked[1]
            graph = read_graph_file(self._place) if state is not None else None
            hash_name = self._repository.config("extensions", "objectFormat") or "sha1"
            if graph is not None and graph.hash_name != hash_name:
                graph = None
            if graph is None:
                _remove(self._place)
            self._checked = (state, graph)
            return graph

    def _drop(self, state: GraphState) -> None:
        """Remove the graph; its directory stays, for a git that was just told of it."""
        _remove(self._place)
        self._state = state


def _make_private(folder: Path) -> None:
    """Make the folder, and the parents that are missing, readable by their owner alone."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _remove(path: Path) -> None:
    # In a cache that cannot be written it stays, and is not used.
    with suppress(OSError):
        path.unlink(missing_ok=True)
