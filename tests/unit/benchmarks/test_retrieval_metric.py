"""NDCG@10 and recall as the split defines them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.benchmarks.retrieval.metric import (
    Place,
    Target,
    count_within,
    estimate,
    hit_ranks,
    is_hit,
    ndcg,
)

RANKS = some.lists(some.none() | some.integers(1, 30), min_size=1, max_size=15)
PATHS = some.sampled_from(["a.py", "lib/a.py", "lib/b.py", "src/lib/a.py", "c.py"])
PLACES = some.builds(
    lambda path, first, more: Place(path, first, first + more),
    PATHS,
    some.integers(1, 50),
    some.integers(0, 30),
)
TARGETS = some.builds(
    lambda path, lines, whole: Target(
        path=path,
        first_line=lines and lines[0],
        last_line=lines and lines[0] + lines[1],
        whole_path=whole,
    ),
    PATHS,
    some.none() | some.tuples(some.integers(1, 50), some.integers(0, 30)),
    some.booleans(),
)


@given(RANKS)
def test_a_score_lies_between_nothing_and_everything(ranks):
    assert 0.0 <= ndcg(ranks) <= 1.0 + 1e-12


@given(some.lists(PLACES, max_size=20), some.lists(TARGETS, min_size=1, max_size=12))
def test_no_list_of_results_scores_more_than_all(places, targets):
    assert 0.0 <= ndcg(hit_ranks(places, targets)) <= 1.0 + 1e-12


@given(some.integers(1, 25).flatmap(lambda n: some.permutations(range(n))))
def test_the_targets_first_and_in_any_order_is_perfect(order):
    targets = [Target(path=f"{number}.py") for number in range(len(order))]
    places = [Place(f"{number}.py", 1, 9) for number in order]
    assert ndcg(hit_ranks(places, targets)) == pytest.approx(1.0)


@given(some.lists(PLACES, max_size=20), some.lists(TARGETS, min_size=1, max_size=12), some.data())
def test_the_order_in_which_answers_are_written_down_is_irrelevant(places, targets, data):
    shuffled = data.draw(some.permutations(targets))
    assert ndcg(hit_ranks(places, shuffled)) == pytest.approx(ndcg(hit_ranks(places, targets)))


@given(some.lists(some.booleans(), min_size=2, max_size=20), some.data())
def test_results_that_are_alike_may_stand_in_any_order(hits, data):
    """Ties: whichever of equal results is put first, the score is the same."""
    targets = [Target(path=f"hit{number}") for number, hit in enumerate(hits) if hit]
    targets.append(Target(path="never"))
    kinds = {
        True: [f"hit{n}" for n, hit in enumerate(hits) if hit],
        False: [f"miss{n}" for n, hit in enumerate(hits) if not hit],
    }

    def drawn() -> list[Place]:
        left = {kind: list(data.draw(some.permutations(paths))) for kind, paths in kinds.items()}
        return [Place(left[hit].pop(), 1, 1) for hit in hits]

    first, second = (ndcg(hit_ranks(drawn(), targets)) for _ in range(2))
    assert first == pytest.approx(second)


@given(RANKS, some.integers(0, 14))
def test_a_target_that_moves_up_never_costs(ranks, which):
    which %= len(ranks)
    free = set(range(1, 31)) - set(ranks)
    better = [rank for rank in free if ranks[which] is None or rank < ranks[which]]
    if better:
        moved = [*ranks[:which], max(better), *ranks[which + 1 :]]
        # Others may have stood at the rank that is left, and then it still counts.
        assert ndcg(moved) >= ndcg(ranks) - 1e-12


def test_known_scores():
    assert ndcg([1]) == 1.0
    assert ndcg([2]) == pytest.approx(1 / math.log2(3))
    assert ndcg([11]) == ndcg([None]) == 0.0
    assert ndcg([1, None]) == pytest.approx(1 / (1 + 1 / math.log2(3)))
    # Two targets in one chunk are one hit, and the ideal still wants two.
    assert ndcg([1, 1]) == ndcg([1, None])
    assert ndcg([*range(1, 11), None, None]) == pytest.approx(1.0)


def test_a_question_without_answers_is_refused():
    with pytest.raises(ValueError, match="without answers"):
        ndcg([])


@pytest.mark.parametrize(
    ("place", "hit"),
    [
        (Place("src/lib/a.py", 1, 9), True),
        (Place("src/lib/a.py", 20, 30), True),
        (Place("src/lib/aa.py", 10, 20), False),
        (Place("src/otherlib/a.py", 10, 20), False),
        (Place("a.py", 10, 20), False),
    ],
)
def test_a_path_is_matched_by_its_end_but_by_whole_names(place, hit):
    assert is_hit(place, Target(path="lib/a.py")) is hit


def test_a_whole_path_is_not_matched_by_its_end():
    target = Target(path="a.py", first_line=1, last_line=9, whole_path=True)
    assert is_hit(Place("a.py", 1, 9), target)
    assert not is_hit(Place("lib/a.py", 1, 9), target)


@pytest.mark.parametrize(
    ("first", "last", "hit"), [(1, 9, False), (1, 10, True), (20, 30, True), (21, 30, False)]
)
def test_lines_have_to_overlap(first, last, hit):
    target = Target(path="a.py", first_line=10, last_line=20)
    assert is_hit(Place("a.py", first, last), target) is hit


def test_the_first_rank_counts_and_what_is_within_a_depth():
    places = [Place("x", 1, 1), Place("a", 1, 1), Place("a", 2, 2), Place("b", 1, 1)]
    ranks = hit_ranks(places, [Target(path="a"), Target(path="b"), Target(path="c")])
    assert ranks == (2, 4, None)
    assert [count_within(ranks, depth) for depth in (1, 2, 4)] == [0, 1, 2]


def test_the_error_of_a_mean():
    assert estimate([0.5]) == (0.5, None)
    mean, error = estimate([1.0, 2.0, 3.0, 4.0])
    assert mean == 2.5
    assert error == pytest.approx(math.sqrt(5 / 3) / 2)
