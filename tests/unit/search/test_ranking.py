"""Fusion and the ranking layers, each seen on its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.index.schema import ChunkPlace
from codeintel_ls.search.candidates import RankedChunk, fuse
from codeintel_ls.search.ranking import Candidate, Question, rank

ids = st.lists(st.integers(1, 40), unique=True, max_size=20)


def ranked(chunk_ids: list[int]) -> list[RankedChunk]:
    return [RankedChunk(chunk_id, 1.0 / (n + 1)) for n, chunk_id in enumerate(chunk_ids)]


@given(ids, ids)
def test_fusion_keeps_every_candidate_once_and_scores_within_bounds(
    dense: list[int], lexical: list[int]
) -> None:
    fused = fuse(ranked(dense), ranked(lexical))
    assert sorted(chunk.chunk_id for chunk in fused) == sorted({*dense, *lexical})
    assert all(0 < chunk.fused <= 1 for chunk in fused)
    assert [chunk.fused for chunk in fused] == sorted((c.fused for c in fused), reverse=True)


@given(ids.filter(bool))
def test_one_list_alone_keeps_its_order(dense: list[int]) -> None:
    assert [chunk.chunk_id for chunk in fuse(ranked(dense), [])] == dense


def test_what_both_lists_know_stands_before_what_one_knows() -> None:
    assert fuse(ranked([1, 2, 3]), ranked([9, 3, 8]))[0].chunk_id == 3


def candidate(number: int, path: str, symbol: str | None = None, score: float = 0.5) -> Candidate:
    (chunk,) = fuse(ranked([number]), [])
    place = ChunkPlace(
        chunk_id=number,
        file_id=hash(path),
        path=path,
        language="python",
        file_digest=b"",
        start_line=number,
        end_line=number + 1,
        symbol=symbol,
        kind=None,
        digest=b"",
    )
    return Candidate(chunk=chunk, place=place, score=score)


def first(text: str, *candidates: Candidate) -> str:
    return rank(Question.of(text), candidates)[0].place.path


def test_the_definition_asked_for_stands_first() -> None:
    user, definition = candidate(1, "a.py", "run"), candidate(2, "b.py", "Pool.close_all")
    assert first("close_all", user, definition) == "b.py"
    assert first("close all connections", user, definition) == "b.py"


def test_a_file_named_after_the_question_stands_first() -> None:
    assert first("retry policy", candidate(1, "a/misc.py"), candidate(2, "a/retry.py")) == (
        "a/retry.py"
    )


@pytest.mark.parametrize(
    "aside",
    ["tests/test_cart.py", "src/cart.test.ts", "pkg/cart_test.go", "spec/cart_spec.rb"],
)
def test_tests_stand_back_unless_asked_for(aside: str) -> None:
    pair = candidate(1, aside, score=0.6), candidate(2, "src/basket.py", score=0.5)
    assert first("price of goods", *pair) == "src/basket.py"
    assert first("test the price of goods", *pair) == aside


@pytest.mark.parametrize("path", ["src/latest.py", "src/contest/entry.py", "src/testament.py"])
def test_what_only_looks_like_a_test_does_not(path: str) -> None:
    (only,) = rank(Question.of("price"), [candidate(1, path)])
    assert only.boosts["aside"] == 1.0


def test_one_file_does_not_fill_the_list() -> None:
    many = [candidate(n, "big.py", score=0.6) for n in range(1, 6)]
    order = [
        found.place.path
        for found in rank(Question.of("x"), [*many, candidate(9, "other.py", score=0.5)])
    ]
    assert order.index("other.py") == 1


def test_a_chunk_that_spells_the_identifier_stands_before_what_only_sounds_like_it() -> None:
    loud = [candidate(n, "big.py", score=0.6) for n in range(1, 6)]
    (chunk,) = fuse(ranked([9]), [], frozenset({9}))
    spells = candidate(9, "other.py", score=0.5)._replace(chunk=chunk)
    assert first("quagga2zebra", *loud, spells) == "other.py"
    assert first("quaggas and zebras", *loud, spells) == "big.py"


def test_every_layer_says_what_it_did() -> None:
    (only,) = rank(Question.of("cart"), [candidate(1, "cart.py", "Cart")])
    product = 0.5
    for factor in only.boosts.values():
        product *= factor
    assert only.score == pytest.approx(product)


def test_a_question_knows_identifiers_from_words() -> None:
    question = Question.of("where is parseHeader and max_size set")
    assert question.identifiers == {"parseHeader", "max_size"}
    assert {"parse", "header", "max", "size"} <= question.words
