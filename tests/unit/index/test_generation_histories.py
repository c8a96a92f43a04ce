"""Any history of commits, publishing, folds and merges answers as a fresh build of the same files.

The machine below keeps, in plain dictionaries, which file searches should see at each path, and
compares the live generation, one loaded from disk and one made from the stores alone.
"""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from codeintel_ls.index.building import BuildTask, BuiltSegment, build
from codeintel_ls.index.ladder import PrimaryKind
from codeintel_ls.index.manifest import read_manifest
from codeintel_ls.index.merge_policy import Step
from codeintel_ls.index.schema import FileToView
from codeintel_ls.index.segment_files import SEGMENTS, verify_segment
from tests.unit.index.generations import BUILD, anew, assert_alike, live, publication_of
from tests.unit.index.records import FakeEncoder, save, stores

WORDS = ["parse", "request", "retry", "socket", "color", "invoice"]
PATHS = ["a.py", "b.py", "pkg/c.py", "pkg/d.py", "e.py"]
QUESTIONS = ["parse request", "color", "invoice socket retry pkg"]
SMALL = {
    "codeintel_ls.index.generation._MOST_IN_MEMORY": 2,
    "codeintel_ls.index.building._CHUNKS_PER_BLOCK": 3,
    "codeintel_ls.index.building._BLOCKS_PER_RUN": 2,
}
"""So that few files meet what many would."""

paths = st.sampled_from(PATHS)
some_paths = st.lists(paths, min_size=1, max_size=3, unique=True)
texts = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), max_size=4, unique=True
)
Change = tuple[dict[str, list[str]], list[str], list[str] | None]
one_change = st.tuples(
    st.dictionaries(paths, texts, max_size=3),
    st.lists(paths, max_size=1),
    st.one_of(st.none(), st.just([]), some_paths),
)
"""Saved files, removed ones, and then published: all for None, or these paths."""
some_changes = st.lists(one_change, min_size=1, max_size=6)
changes = st.lists(one_change, max_size=3)


class Histories(RuleBasedStateMachine):
    """`seen` is what searches see, `held` what lives in the store, by path."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="histories-"))
        self.encoder = FakeEncoder()
        self.open = ExitStack()
        for name, value in SMALL.items():
            self.open.enter_context(mock.patch(name, value))
        # What becomes of a machine that loses its power is no question here.
        self.open.enter_context(mock.patch("os.fsync"))
        self.store = self.open.enter_context(stores(self.folder))
        self.publication = publication_of(self.folder, self.store, self.encoder.dimension)
        self.follower = publication_of(self.folder, self.store, self.encoder.dimension)
        self.held: dict[str, FileToView] = {}
        self.seen: dict[str, FileToView] = {}
        self.since_build: dict[str, FileToView | None] = {}

    def teardown(self) -> None:
        self.open.close()
        shutil.rmtree(self.folder)

    # -- what happens ----------------------------------------------------------------------------

    @rule(several=some_changes)
    def commit(self, several: list[Change]) -> None:
        for change in several:
            self.change(change)

    @rule(change=one_change, other=some_paths)
    def publish_others(self, change: Change, other: list[str]) -> None:
        """What was committed stays unseen while others are shown."""
        self.change((change[0], change[1], other))

    @rule(old=paths, new=paths)
    def rename(self, old: str, new: str) -> None:
        if old in self.held and old != new:
            places = self.store.places([self.held[old].id << 20])
            text = [f"{place.path.partition('.')[0]} moved" for place in places.values()]
            save(self.store, self.encoder, {new: text})
            self.store.commit(removed=[old])
            self.look([old, new])

    @rule(meanwhile=changes)
    def merge(self, meanwhile: list[Change]) -> None:
        self.carry_out(Step(0, PrimaryKind.FLAT), meanwhile)

    @rule(meanwhile=changes, choose=st.integers(0, 5))
    def fold(self, meanwhile: list[Change], choose: int) -> None:
        ends = [entry.upto for entry in self.publication.load().manifest.segments]
        since = ends[-1 - choose % len(ends)] if ends else 0
        self.carry_out(Step(since, PrimaryKind.FLAT), meanwhile)

    @rule()
    def follow_the_policy(self) -> None:
        step = self.publication.next_step(indexing=False, at_once=True)
        if step is not None:
            self.carry_out(step, [])

    @rule()
    def fail_to_build(self) -> None:
        def failing(task: BuildTask) -> BuiltSegment:
            build(task)
            raise OSError(28, "No space")

        with pytest.raises(OSError, match="No space"):
            self.publication.carry_out(Step(0, PrimaryKind.FLAT), failing)

    @rule()
    def restart(self) -> None:
        self.publication = publication_of(self.folder, self.store, self.encoder.dimension)
        self.publication.load()
        self.publication.clean()
        assert self.publication.damage == ""
        self.seen = dict(self.held)

    @rule()
    def unload(self) -> None:
        before = self.publication.counts
        self.publication.unload()
        assert self.publication.counts.chunks == before.chunks
        self.publication.load()
        self.seen = dict(self.held)

    @rule()
    def follow(self) -> None:
        self.follower.follow()
        self.compare_with_everything(self.follower.load())

    # -- what must hold --------------------------------------------------------------------------

    @invariant()
    def the_live_generation_is_that_of_the_files_seen(self) -> None:
        if not hasattr(self, "publication"):
            return
        generation = self.publication.load()
        fresh = anew(self.store, self.encoder.dimension, self.seen.values())
        assert_alike(generation, fresh, self.store, self.encoder, QUESTIONS)
        unseen = [file for path, file in self.held.items() if self.seen.get(path) != file]
        assert self.publication.unpublished() == sum(file.chunks for file in unseen)
        assert self.publication.take_lost() == []

    @invariant()
    def what_is_on_disk_is_everything(self) -> None:
        loaded = publication_of(self.folder, self.store, self.encoder.dimension)
        self.compare_with_everything(loaded.load())
        assert (loaded.damage, loaded.take_lost()) == ("", [])

    @invariant()
    def the_manifest_lists_whole_segments(self) -> None:
        manifest = read_manifest(self.folder)
        entries = manifest.segments if manifest else ()
        assert all(verify_segment(self.folder / SEGMENTS / entry.name) for entry in entries)
        assert [entry.upto for entry in entries] == sorted({entry.upto for entry in entries})

    # -- inside ----------------------------------------------------------------------------------

    def compare_with_everything(self, generation: Any) -> None:
        fresh = anew(self.store, self.encoder.dimension)
        assert (
            live(fresh).keys()
            == live(anew(self.store, self.encoder.dimension, self.held.values())).keys()
        )
        assert_alike(generation, fresh, self.store, self.encoder, QUESTIONS[:2])
        assert generation.number == generation.covered == self.store.generation()

    def look(self, changed: "dict[str, list[str]] | list[str]") -> None:
        found = {file.path: file for file in self.store.changes_at(changed, 0).born}
        for path in changed:
            if path in found:
                self.held[path] = found[path]
            else:
                self.held.pop(path, None)

    def published(self, of: list[str] | None) -> None:
        assert self.publication.publish(of)
        for path in PATHS if of is None else of:
            self.since_build[path] = self.held.get(path)
            self.show(self.seen, path, self.held.get(path))

    @staticmethod
    def show(seen: dict[str, FileToView], path: str, file: FileToView | None) -> None:
        if file is None:
            seen.pop(path, None)
        else:
            seen[path] = file

    def change(self, change: Change) -> None:
        saved, removed, of = change
        if saved:
            save(self.store, self.encoder, saved)
        if removed:
            self.store.commit(removed=removed)
        self.look([*saved, *removed])
        self.published(of)

    def carry_out(self, step: Step, meanwhile: list[Change]) -> None:
        """Build a segment while files are saved, some before the builder looks, most after."""
        built_of: dict[str, FileToView] = {}

        def building(task: BuildTask) -> BuiltSegment:
            for change in meanwhile[2:]:
                self.change(change)
            built = build(task)
            built_of.update(self.held)
            self.since_build = {}
            for change in meanwhile[:2]:
                self.change(change)
                self.the_live_generation_is_that_of_the_files_seen()
            return built

        generation = self.publication.carry_out(step, building if meanwhile else BUILD)
        self.store.sweep(generation.manifest.oldest)
        if not meanwhile:
            built_of, self.since_build = dict(self.held), {}
        self.seen = built_of
        for path, file in self.since_build.items():
            self.show(self.seen, path, file)


Histories.TestCase.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    # Making a failing history shorter takes longer than a test may.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestHistories: Callable[..., Any] = Histories.TestCase
