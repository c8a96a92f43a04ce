"""Postings and BM25 against a plain computation, however the postings came together."""

from collections import Counter
from itertools import pairwise
from math import log
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from codeintel_ls.index.errors import SegmentTooLargeError
from codeintel_ls.index.lexical import (
    LARGEST,
    LexicalPostings,
    documents_of,
    inverse_document_frequency,
    kept,
    merge_runs,
    moved,
    placed,
    posting_keys,
)
from codeintel_ls.index.terms import (
    TermCounts,
    pack_path_terms,
    pack_terms,
    query_terms,
    unpack_terms,
)

Text = list[int]
texts = st.lists(st.lists(st.integers(0, 30), max_size=12), min_size=1, max_size=20)
LARGEST_STEP = 2.2 / 255
PIVOT = 110.0


def keys_of(documents: list[Text]) -> NDArray[np.uint64]:
    counts = [Counter(text) for text in documents]
    terms = np.array([term for count in counts for term in count], dtype=np.uint32)
    frequencies = np.array([n for count in counts for n in count.values()], dtype=np.uint8)
    sizes = np.array([len(count) for count in counts], dtype=np.int64)
    return posting_keys(TermCounts(terms, frequencies), sizes)


def build(documents: list[Text]) -> LexicalPostings:
    return LexicalPostings.of(keys_of(documents), len(documents))


def bm25(text: Text, term: int) -> float:
    """The share of a term by the formula, with the pivot for the average length."""
    frequency = text.count(term)
    return frequency * 2.2 / (frequency + 1.2 * (0.4 + 0.6 * len(text) / PIVOT))


def same(one: LexicalPostings, other: LexicalPostings) -> bool:
    columns = ("terms", "offsets", "documents", "impacts")
    return one.size == other.size and all(
        getattr(one, name).dtype == getattr(other, name).dtype
        and np.array_equal(getattr(one, name), getattr(other, name))
        for name in columns
    )


# -- scores ----------------------------------------------------------------------------------------


@given(texts, st.dictionaries(st.integers(0, 31), st.floats(0.1, 9), max_size=5))
def test_scores_are_those_of_the_formula(documents: list[Text], asked: dict[int, float]) -> None:
    for text, score in zip(documents, build(documents).score(asked), strict=True):
        expected = sum(idf * bm25(text, term) for term, idf in asked.items())
        rounding = sum(idf for term, idf in asked.items() if term in text) * LARGEST_STEP / 2
        assert score == pytest.approx(expected, abs=rounding + 1e-4)


@given(texts, st.integers(0, 31))
def test_who_holds_a_term_scores_and_nobody_else(documents: list[Text], term: int) -> None:
    postings = build(documents)
    holders = [place for place, text in enumerate(documents) if term in text]
    assert postings.holders(term).tolist() == holders
    assert np.flatnonzero(postings.score({term: 1.0}) > 0).tolist() == holders


@pytest.mark.parametrize("length", [1, 100, 10_000])
def test_a_term_in_a_long_text_scores_still(length: int) -> None:
    text = [7, *(term for term in range(1_000, 1_000 + length))]
    assert build([text]).score({7: 1.0})[0] > 0


@given(texts, st.integers(0, 31), st.data())
def test_document_frequency_counts_the_living(
    documents: list[Text], term: int, data: st.DataObject
) -> None:
    postings = build(documents)
    flags = st.lists(st.booleans(), min_size=len(documents), max_size=len(documents))
    dead = np.array(data.draw(flags))
    holding = [term in text for text in documents]
    assert postings.document_frequency(term) == sum(holding)
    assert postings.document_frequency(term, dead) == sum(
        holds and not gone for holds, gone in zip(holding, dead, strict=True)
    )


def test_rare_terms_weigh_more() -> None:
    assert inverse_document_frequency(100, 1) > inverse_document_frequency(100, 90) > 0
    assert inverse_document_frequency(10, 10) == pytest.approx(log(1 + 0.5 / 10.5))


# -- however they came together --------------------------------------------------------------------


def test_a_term_that_is_there_twice_adds_up() -> None:
    text_and_path = TermCounts(
        np.array([5, 9, 5], dtype=np.uint32), np.array([200, 3, 200], dtype=np.uint8)
    )
    keys = posting_keys(text_and_path, np.array([3]))
    assert documents_of(keys).tolist() == [0, 0]
    score = LexicalPostings.of(keys, 1).score({5: 1.0})[0]
    assert score == pytest.approx(bm25([5] * 400 + [9] * 3, 5), abs=LARGEST_STEP)


@given(texts, st.lists(st.integers(0, 20), max_size=4))
def test_runs_merge_to_what_one_run_gives(documents: list[Text], cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(documents)) for cut in cuts), len(documents)]
    runs = [moved(keys_of(documents[first:end]), first) for first, end in pairwise(bounds)]
    assert same(merge_runs(runs, len(documents)), build(documents))


@given(texts, st.data())
def test_what_is_kept_is_as_if_the_others_had_never_been(
    documents: list[Text], data: st.DataObject
) -> None:
    flags = st.lists(st.booleans(), min_size=len(documents), max_size=len(documents))
    live = np.array(data.draw(flags))
    rest = [text for text, lives in zip(documents, live, strict=True) if lives]
    assert np.array_equal(kept(keys_of(documents), live), keys_of(rest))


@given(texts, st.integers(0, 1_000))
def test_what_is_moved_stands_behind_empty_documents(documents: list[Text], by: int) -> None:
    assert np.array_equal(moved(keys_of(documents), by), keys_of([[]] * by + documents))


@given(texts, st.randoms())
def test_what_is_placed_is_as_if_it_had_stood_there(documents: list[Text], random: Random) -> None:
    places = list(range(len(documents)))
    random.shuffle(places)
    other: list[Text] = [[]] * len(documents)
    for text, place in zip(documents, places, strict=True):
        other[place] = text
    assert np.array_equal(placed(keys_of(documents), np.array(places)), keys_of(other))


def test_no_documents_and_no_terms() -> None:
    for postings in (build([]), build([[]]), merge_runs([keys_of([]), keys_of([])], 0)):
        assert postings.score({1: 1.0}).tolist() == [0.0] * postings.size
        assert postings.document_frequency(1) == 0
        assert len(postings.holders(1)) == 0


# -- terms -----------------------------------------------------------------------------------------


def terms_of(text: str, symbol: str | None = None) -> set[int]:
    return set(unpack_terms(pack_terms(text, symbol)).terms.tolist())


def test_an_identifier_is_found_by_its_parts_and_whole() -> None:
    found = terms_of("parseHTTPRequest(x)")
    for question in ("parse", "http request", "parseHTTPRequest", "parsing requests"):
        assert set(query_terms(question)) <= found, question


def test_symbol_and_path_are_found_too() -> None:
    assert set(query_terms("close session")) <= terms_of("pass", symbol="Session.close_all")
    path = set(unpack_terms(pack_path_terms("net/deep/connection_pool.test.py")).terms.tolist())
    assert set(query_terms("net deep connection pool")) <= path
    assert not set(query_terms("py")) & path


def test_words_that_only_ask_are_left_out() -> None:
    assert query_terms("where is the function that does the retry") == query_terms("retry")
    assert query_terms("where is it"), "but a question of nothing else still asks something"


def test_frequencies_are_capped_not_wrapped() -> None:
    unpacked = unpack_terms(pack_terms("word " * 1000, None))
    assert unpacked.frequencies.tolist() == [255]
    keys = posting_keys(unpacked, np.array([1]))
    assert LexicalPostings.of(keys, 1).impacts.tolist() == [
        round(255 * 255 / (255 + 1.2 * (0.4 + 0.6 * 255 / PIVOT)))
    ]


@given(
    st.integers(0, 2**32),
    st.dictionaries(st.integers(0, 60), st.floats(0.0625, 9.0, width=32), min_size=1, max_size=6),
    st.integers(1, 40),
    st.booleans(),
)
def test_the_best_are_those_of_all_scores(
    seed: int, weights: dict[int, float], k: int, masked: bool
) -> None:
    chance = np.random.default_rng(seed)
    documents = [(chance.zipf(1.4, 8) % 60).tolist() for _ in range(400)]
    postings = build(documents)
    allowed = chance.random(400) < 0.7 if masked else None
    positions, scores = postings.best(weights, k, allowed)
    every = postings.score(weights)
    if allowed is not None:
        every = every * allowed
    assert scores.tolist() == every[positions].tolist()
    expected = sorted(every[every > 0].tolist(), reverse=True)[:k]
    assert sorted(scores.tolist(), reverse=True)[:k] == expected


def test_more_documents_than_a_key_can_tell_apart_are_refused() -> None:
    none = np.empty(0, dtype=np.uint64)
    counts = TermCounts(np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.uint8))
    with pytest.raises(SegmentTooLargeError, match="16,777,217 chunks"):
        merge_runs([none], LARGEST + 1)
    with pytest.raises(SegmentTooLargeError):
        LexicalPostings.of(none, LARGEST + 1)
    with pytest.raises(SegmentTooLargeError):
        posting_keys(counts, np.zeros(LARGEST + 1, dtype=np.int64))
    assert LexicalPostings.of(none, LARGEST).size == LARGEST
