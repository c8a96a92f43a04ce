"""Fusion and the ranking layers, each seen on its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.index.schema import ChunkPlace
from codeintel_ls.search.candidates import NO_LETTERS, LexicalCandidates, RankedChunk, fuse
from codeintel_ls.search.ranking import Candidate, Question, rank

ids = st.lists(st.integers(1, 40), unique=True, max_size=20)


def ranked(chunk_ids: list[int]) -> list[RankedChunk]:
    return [RankedChunk(chunk_id, 1.0 / (n + 1)) for n, chunk_id in enumerate(chunk_ids)]


def letters(chunk_ids: list[int], highest: float = 1.0) -> LexicalCandidates:
    return LexicalCandidates.of(ranked(chunk_ids), highest)


@given(ids, ids, st.floats(1.0, 100.0))
def test_fusion_keeps_every_candidate_once_and_scores_within_bounds(
    dense: list[int], lexical: list[int], highest: float
) -> None:
    fused = fuse(ranked(dense), letters(lexical, highest))
    assert sorted(chunk.chunk_id for chunk in fused) == sorted({*dense, *lexical})
    assert all(0 < chunk.fused <= 1 for chunk in fused)
    assert [chunk.fused for chunk in fused] == sorted((c.fused for c in fused), reverse=True)


@given(ids.filter(bool), st.floats(1.0, 100.0))
def test_one_list_alone_keeps_its_order(one: list[int], highest: float) -> None:
    assert [chunk.chunk_id for chunk in fuse(ranked(one), NO_LETTERS)] == one
    assert [chunk.chunk_id for chunk in fuse([], letters(one, highest))] == one
    assert fuse(ranked(one), NO_LETTERS)[0].fused == 1.0
    assert fuse([], letters(one, highest))[0].fused == 1.0


def test_what_both_lists_know_stands_before_what_one_knows() -> None:
    near = [RankedChunk(1, 0.60), RankedChunk(2, 0.58), RankedChunk(3, 0.40)]
    spelled = [RankedChunk(9, 1.0), RankedChunk(2, 0.9)]
    assert fuse(near, LexicalCandidates.of(spelled, 1.0))[0].chunk_id == 2


def test_letters_say_little_where_they_share_little_with_the_question() -> None:
    near = [RankedChunk(1, 0.60), RankedChunk(2, 0.55)]
    spelled = [RankedChunk(2, 1.0), RankedChunk(1, 0.2)]
    assert fuse(near, LexicalCandidates.of(spelled, 1.2))[0].chunk_id == 2
    assert fuse(near, LexicalCandidates.of(spelled, 20.0))[0].chunk_id == 1


def test_what_points_away_from_the_question_is_not_near() -> None:
    away = [RankedChunk(1, -0.1), RankedChunk(2, -0.2)]
    assert [chunk.fused for chunk in fuse(away, NO_LETTERS)] == [0.0, 0.0]
    assert fuse(away, letters([2]))[0].chunk_id == 2


def candidate(
    number: int,
    path: str,
    symbol: str | None = None,
    score: float = 0.5,
    language: str = "python",
) -> Candidate:
    (chunk,) = fuse(ranked([number]), NO_LETTERS)
    place = ChunkPlace(
        chunk_id=number,
        file_id=hash(path),
        path=path,
        language=language,
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


def test_words_that_are_the_same_by_chance_lift_nothing() -> None:
    named = candidate(1, "a/retry.py", "retry_policy"), candidate(2, "b/misc.py", "backoff")
    found = {
        agreement: rank(Question.of("retry policy", agreement), named)[0].boosts
        for agreement in (1.0, 0.5, 0.0)
    }
    for layer in ("symbol", "fileName"):
        assert found[1.0][layer] > found[0.5][layer] > found[0.0][layer] == 1.0
    # A name that is spelled is no chance.
    (spelled, _) = rank(Question.of("where is retry_policy", 0.0), named)
    assert spelled.boosts["symbol"] > 1.0


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("Rack::Response", "Rack.Response"),
        ("how does Rack::Response begin", "Response"),
        ("Pool#close_all", "Pool.close_all"),
        ("pool->next", "next"),
        ("Http.Client", "Http.Client"),
        ("SdNotify.watchdog?", "SdNotify.watchdog?"),
        ("watchdog?", "SdNotify.watchdog?"),
        ("close()", "Pool.close"),
    ],
)
def test_qualified_names_are_names(text: str, symbol: str) -> None:
    other = candidate(1, "a.rb", "Rack.Request.other", score=0.55)
    assert first(text, other, candidate(2, "b.rb", symbol)) == "b.rb"


def test_a_full_stop_between_words_makes_no_name() -> None:
    assert Question.of("it is closed.then opened").identifiers == frozenset()


def test_documents_stand_behind_code_unless_they_are_asked_for() -> None:
    pair = (
        candidate(1, "README.md", score=0.6, language="markdown"),
        candidate(2, "src/cart.py", score=0.5),
    )
    assert first("price of goods", *pair) == "src/cart.py"
    assert first("installation guide", *pair) == "README.md"


@pytest.mark.parametrize(
    "path", ["_examples/a.go", "benches/a.rs", "src/cart_benchmark.cc", "src/cart.bench.ts"]
)
def test_examples_and_benchmarks_stand_back(path: str) -> None:
    (only,) = rank(Question.of("price"), [candidate(1, path)])
    assert only.boosts["aside"] < 1.0


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
    assert order.index("other.py") == 2


def test_a_chunk_that_spells_the_identifier_stands_before_what_only_sounds_like_it() -> None:
    loud = [candidate(n, "big.py", score=0.6) for n in range(1, 6)]
    (chunk,) = fuse(ranked([9]), NO_LETTERS, frozenset({9}))
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
