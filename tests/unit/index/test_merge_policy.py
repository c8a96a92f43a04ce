"""When something is written to disk and merged: by sizes, seldom, and never for ever."""

from random import Random

import numpy as np
import pytest
from attrs import evolve

from codeintel_ls.index.dense import DenseIndex
from codeintel_ls.index.generation import Generation, Tombstones
from codeintel_ls.index.ladder import Ladder, PrimaryKind
from codeintel_ls.index.lexical import LexicalPostings
from codeintel_ls.index.manifest import Manifest, SegmentEntry
from codeintel_ls.index.merge_policy import MergePolicy, Step
from codeintel_ls.index.rows import ChunkRows
from codeintel_ls.index.segment import Segment, starts_of

EMPTY = Generation(manifest=Manifest(store="s", dimension=1))
NO_POSTINGS = np.empty(0, dtype=np.uint64)


class FakeDense(DenseIndex):
    """Of a size and a kind, without any vector."""

    @classmethod
    def fake(cls, kind: PrimaryKind, size: int) -> DenseIndex:
        small = DenseIndex.build(PrimaryKind.FLAT, np.ones((1, 1), dtype=np.float32))
        return evolve(small, kind=kind, size=size)


def fake_segment(size: int, kind: PrimaryKind = PrimaryKind.FLAT, *, in_memory: bool) -> Segment:
    """One file of `size` chunks of which nothing is there but their number."""
    files, counts = np.array([1], dtype=np.int64), np.array([size], dtype=np.int64)
    vectors = np.broadcast_to(np.ones((1, 1), dtype=np.float32), (size, 1))
    return Segment(
        files=files,
        starts=starts_of(counts),
        postings=LexicalPostings.of(NO_POSTINGS, size),
        dense=FakeDense.fake(kind, size),
        rows=ChunkRows(files, counts, vectors, NO_POSTINGS) if in_memory else None,
    )


def generation_of(
    *on_disk: int, in_memory: int = 0, dead: int = 0, kind: PrimaryKind = PrimaryKind.FLAT
) -> Generation:
    """Segments of these sizes, the first of that `kind`, with so many `dead` in the first."""
    segments = [
        fake_segment(size, PrimaryKind.FLAT if n else kind, in_memory=False)
        for n, size in enumerate(on_disk)
    ]
    entries = [
        SegmentEntry(name=str(n), since=10 * n, upto=10 * (n + 1), chunks=size)
        for n, size in enumerate(on_disk)
    ]
    if in_memory:
        segments.append(fake_segment(in_memory, in_memory=True))
    marks = [Tombstones.none(len(segment)) for segment in segments]
    if dead:
        marks[0] = marks[0].and_dead([(0, dead)])
    manifest = Manifest(store="s", dimension=1, upto=10 * len(on_disk), segments=tuple(entries))
    return Generation(
        manifest=manifest, covered=99, segments=tuple(segments), tombstones=tuple(marks)
    )


@pytest.fixture
def policy() -> MergePolicy:
    return MergePolicy(Ladder())


def at_rest(policy: MergePolicy, generation: Generation, unpublished: int = 0) -> Step | None:
    return policy.at_rest(generation, unpublished, at_once=False)


MERGE = Step(0, PrimaryKind.FLAT)


# -- folds -----------------------------------------------------------------------------------------


def test_a_little_stays_in_memory(policy: MergePolicy) -> None:
    assert at_rest(policy, EMPTY) is None
    little = generation_of(20_000, in_memory=2_000, kind=PrimaryKind.RABITQ)
    assert at_rest(policy, little) is None
    assert policy.at_rest(little, 0, at_once=True) == Step(10, PrimaryKind.FLAT)
    very_little = generation_of(20_000, in_memory=256, kind=PrimaryKind.RABITQ)
    assert policy.at_rest(very_little, 0, at_once=True) is None


def test_what_is_on_no_disk_at_all_is_written(policy: MergePolicy) -> None:
    assert at_rest(policy, generation_of(in_memory=1)) == MERGE
    assert at_rest(policy, generation_of(in_memory=20_000)) == Step(0, PrimaryKind.RABITQ)


def test_much_in_memory_is_written(policy: MergePolicy) -> None:
    large = generation_of(20_000, in_memory=2_001, kind=PrimaryKind.RABITQ)
    assert at_rest(policy, large) == Step(10, PrimaryKind.FLAT)


def test_only_one_segment_of_the_right_kind_without_tombstones_is_merged(
    policy: MergePolicy,
) -> None:
    assert policy.is_merged(generation_of(9_000))
    assert policy.is_merged(generation_of(20_000, kind=PrimaryKind.RABITQ))
    for other in (
        EMPTY,
        generation_of(in_memory=5),
        generation_of(9_000, in_memory=5),
        generation_of(9_000, 5),
        generation_of(9_000, dead=1),
        generation_of(20_000),
    ):
        assert not policy.is_merged(other)


def test_what_no_search_sees_is_written_at_once(policy: MergePolicy) -> None:
    policy.took(1_000.0)
    assert at_rest(policy, EMPTY, 1) == MERGE
    assert at_rest(policy, EMPTY, 10_001) == Step(0, PrimaryKind.RABITQ)
    assert at_rest(policy, EMPTY, 100_001) == Step(0, PrimaryKind.IVF_SQ8)
    assert at_rest(policy, generation_of(9_000), 4_000) == Step(10, PrimaryKind.FLAT)


@pytest.mark.parametrize(
    ("on_disk", "unpublished", "since"),
    [
        ((100_000,), 3_000, 10),
        ((100_000, 5_999), 3_000, 10),
        ((100_000, 6_000), 3_000, 20),
        # What the smaller takes along makes it large enough for the next.
        ((100_000, 12_000, 5_000), 3_000, 10),
        ((100_000, 17_000, 5_000), 3_000, 20),
        ((30_000, 12_000, 5_000), 3_000, 0),
    ],
)
def test_a_fold_takes_along_what_is_not_much_larger(
    policy: MergePolicy, on_disk: tuple[int, ...], unpublished: int, since: int
) -> None:
    step = at_rest(policy, generation_of(*on_disk), unpublished)
    assert step is not None
    assert step.since == since
    assert (step.kind is PrimaryKind.FLAT) == (since > 0)


def test_while_indexing_the_more_there_is_the_more_is_waited_for(policy: MergePolicy) -> None:
    assert policy.while_indexing(EMPTY, 1_999) is None
    assert policy.while_indexing(EMPTY, 2_000) == MERGE
    assert policy.while_indexing(generation_of(20_000), 9_999) is None
    assert policy.while_indexing(generation_of(20_000), 10_001) == Step(0, PrimaryKind.SQ8)
    assert policy.while_indexing(generation_of(20_000, in_memory=5_000), 7_501) is not None
    assert policy.while_indexing(generation_of(60_000), 30_001) == Step(0, PrimaryKind.SQ8)
    assert policy.while_indexing(generation_of(900_000), 450_001) == Step(0, PrimaryKind.SQ8)
    assert policy.while_indexing(generation_of(1_000_000, 2_000), 501_001) == Step(
        0, PrimaryKind.SQ8
    )


def test_nothing_is_trained_for_long_while_indexing(policy: MergePolicy) -> None:
    for size in (10, 10_000, 10_001, 5_000_000):
        step = policy.while_indexing(EMPTY, size + 2_000)
        assert step is not None
        assert step.kind in {PrimaryKind.FLAT, PrimaryKind.SQ8}


# -- merges ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("generation", "due"),
    [
        (generation_of(9_000, 3_000), False),
        (generation_of(9_000, 4_001), True),
        (generation_of(9_000, 3_000, in_memory=1_001), True),
        (generation_of(9_000, dead=4_000), False),
        (generation_of(9_000, dead=4_001), True),
        (generation_of(40_000, 10_000, kind=PrimaryKind.RABITQ), False),
        (generation_of(40_000, 10_001, kind=PrimaryKind.RABITQ), True),
        (generation_of(40_000, dead=10_001, kind=PrimaryKind.RABITQ), True),
        (generation_of(40_000, *[10] * 11, kind=PrimaryKind.RABITQ), False),
        (generation_of(40_000, *[10] * 12, kind=PrimaryKind.RABITQ), True),
    ],
)
def test_a_merge_is_due_when_a_quarter_is_new_or_dead(
    policy: MergePolicy, generation: Generation, due: bool
) -> None:
    step = at_rest(policy, generation)
    assert (step is not None) == due
    if step is not None:
        assert step == policy.merge(generation)
        assert step.since == 0
        assert step.kind is policy.ladder.choose(generation.chunks)


def test_another_ladder_changes_the_kind(policy: MergePolicy) -> None:
    generation = generation_of(9_000)
    assert at_rest(policy, generation) is None
    policy.ladder = Ladder(flat_up_to=5_000)
    assert at_rest(policy, generation) == Step(0, PrimaryKind.RABITQ)
    assert at_rest(policy, generation_of(9_000, kind=PrimaryKind.RABITQ)) is None
    policy.ladder = Ladder(kind=PrimaryKind.IVF_FLAT)
    assert at_rest(policy, generation) == Step(0, PrimaryKind.IVF_FLAT)
    assert at_rest(policy, generation_of(9_000, kind=PrimaryKind.IVF_FLAT)) is None


def test_a_kind_that_so_few_cannot_train_is_not_asked_for_for_ever(policy: MergePolicy) -> None:
    for kind in PrimaryKind:
        policy.ladder = Ladder(kind=kind)
        for size in (1, 300, 511, 512, 20_000):
            built = generation_of(size, kind=policy.ladder.choose(size))
            assert at_rest(policy, built) is None, (kind, size)


def test_after_a_step_others_wait_unless_somebody_asks(
    policy: MergePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr("codeintel_ls.index.merge_policy.time.monotonic", lambda: now)
    due = generation_of(9_000, 4_001)
    assert at_rest(policy, due) == Step(0, PrimaryKind.RABITQ)
    policy.took(3.0)
    assert at_rest(policy, due) is None
    assert at_rest(policy, generation_of(in_memory=5_000)) is None
    assert policy.at_rest(due, 0, at_once=True) is not None
    assert at_rest(policy, due, 10) is not None
    now += 29.0
    assert at_rest(policy, due) is None
    now += 2.0
    assert at_rest(policy, due) is not None


# -- over a long time ------------------------------------------------------------------------------


class Simulation:
    """Generations of sizes alone, moved on as a policy asks for it."""

    def __init__(self) -> None:
        self.policy = MergePolicy(Ladder())
        self.on_disk: list[int] = []
        self.kind = PrimaryKind.FLAT
        self.waiting = 0
        self.written = 0
        self.most = 0

    @property
    def generation(self) -> Generation:
        return generation_of(*self.on_disk, kind=self.kind)

    def carry_out(self, step: Step) -> None:
        kept = step.since // 10
        size = sum(self.on_disk[kept:]) + self.waiting
        self.on_disk = [*self.on_disk[:kept], size]
        if not kept:
            self.kind = step.kind
        self.waiting = 0
        self.written += size
        self.most = max(self.most, len(self.on_disk))


@pytest.mark.parametrize("seed", range(3))
def test_a_long_cold_index_has_few_segments_and_rewrites_little(seed: int) -> None:
    simulation, chance, total = Simulation(), Random(seed), 0
    while total < 1_000_000:
        batch = chance.choice([5, 300, 700, 2_500])
        simulation.waiting += batch
        total += batch
        step = simulation.policy.while_indexing(simulation.generation, simulation.waiting)
        if step is not None:
            simulation.carry_out(step)
    assert simulation.most <= 4
    assert simulation.written < 4 * total
    for _ in range(5):
        step = simulation.policy.at_rest(simulation.generation, simulation.waiting, at_once=True)
        if step is None:
            break
        simulation.carry_out(step)
    else:
        pytest.fail("the policy never comes to rest")
    assert simulation.kind is PrimaryKind.IVF_SQ8
    assert sum(simulation.on_disk) == total


def test_a_year_of_saves_rewrites_each_chunk_seldom() -> None:
    simulation, total = Simulation(), 100_000
    simulation.waiting = total
    step = simulation.policy.at_rest(simulation.generation, total, at_once=True)
    assert step is not None
    simulation.carry_out(step)
    simulation.written = 0
    for _ in range(300):
        simulation.waiting += 700
        generation = generation_of(
            *simulation.on_disk, in_memory=simulation.waiting, kind=simulation.kind
        )
        step = simulation.policy.at_rest(generation, 0, at_once=True)
        if step is not None:
            simulation.carry_out(step)
    assert simulation.most <= 8
    assert simulation.written < 12 * 300 * 700
