"""Blame of generated repositories equals git's own, line by line; see tests/equality."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.equality.answers import Tally
from tests.equality.buffers import prove_buffers
from tests.equality.generated import generate
from tests.equality.layouts import LAYOUTS
from tests.equality.moves import prove_moves
from tests.equality.subject import Subject
from tests.equality.triples import prove_triples

SEEDS = {"plain": 0, "linked": 1, "submodule": 2, "sparse": 3, "shallow": 4}


@pytest.fixture(scope="module", params=SEEDS)
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """One work tree and client for all tests, as an editor has it."""
    yield from _opened(request.param, SEEDS[request.param], tmp_path_factory.mktemp("equality"))


@pytest.fixture
def partial_clone(tmp_path: Path) -> Iterator[Subject]:
    yield from _opened("partial", 6, tmp_path)


def _opened(layout: str, seed: int, folder: Path) -> Iterator[Subject]:
    builder = generate(folder / "origin", seed)
    opened = LAYOUTS[layout](builder.root, folder)
    yield opened
    opened.close()


def assert_equal(tally: Tally, compared: int) -> None:
    assert tally.compared >= compared, "enough was compared to mean something"
    assert not tally.differences, "\n".join(tally.differences)


def test_blame_of_random_ranges_at_random_revisions(subject: Subject):
    assert_equal(prove_triples(subject, 40, 1), 40)


def test_blame_of_random_buffers(subject: Subject):
    assert_equal(prove_buffers(subject, 25, 2), 25)


def test_cached_blame_after_random_moves(subject: Subject):
    assert_equal(prove_moves(subject, 40, 0), 80)


def test_a_partial_clone_is_blamed_rightly_or_not_at_all(partial_clone: Subject):
    objects = partial_clone.root / ".git" / "objects"
    before = set(objects.rglob("*"))
    assert_equal(prove_triples(partial_clone, 20, 4), 20)
    assert set(objects.rglob("*")) == before, "nothing is fetched"
