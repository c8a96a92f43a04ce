"""Postings and BM25 against a plain computation."""

from collections import Counter
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.index.lexical import LexicalPostings, inverse_document_frequency
from codeintel_ls.index.terms import pack_terms, query_terms, unpack_terms

documents = st.lists(st.lists(st.integers(0, 30), max_size=12), min_size=1, max_size=20)


def build(texts: list[list[int]]) -> LexicalPostings:
    counts = [Counter(text) for text in texts]
    return LexicalPostings.build(
        np.array([term for count in counts for term in count], dtype=np.uint32),
        np.array([count[term] for count in counts for term in count], dtype=np.uint8),
        np.array([len(count) for count in counts], dtype=np.int64),
    )


@given(documents, st.sets(st.integers(0, 31), max_size=5))
def test_scores_are_those_of_the_formula(texts: list[list[int]], asked: set[int]) -> None:
    postings = build(texts)
    average = max(sum(map(len, texts)) / len(texts), 1.0)
    idf = {term: inverse_document_frequency(len(texts), 1) for term in asked}
    for text, score in zip(texts, postings.score(idf, average), strict=True):
        counts = Counter(text)
        expected = sum(
            idf[term]
            * counts[term]
            * 2.2
            / (counts[term] + 1.2 * (0.4 + 0.6 * len(text) / average))
            for term in asked
        )
        assert score == pytest.approx(expected, rel=1e-4, abs=1e-6)


@given(documents)
def test_forward_is_what_it_was_built_from(texts: list[list[int]]) -> None:
    terms, frequencies, counts = build(texts).forward()
    ends = np.cumsum(counts)
    for text, end, count in zip(texts, ends, counts, strict=True):
        part = slice(int(end - count), int(end))
        assert dict(zip(terms[part].tolist(), frequencies[part].tolist(), strict=True)) == Counter(
            text
        )


@given(documents, st.integers(0, 31))
def test_document_frequency(texts: list[list[int]], term: int) -> None:
    assert build(texts).document_frequency(term) == sum(term in text for text in texts)


def test_rare_terms_weigh_more() -> None:
    assert inverse_document_frequency(100, 1) > inverse_document_frequency(100, 90) > 0
    assert inverse_document_frequency(10, 10) == pytest.approx(log(1 + 0.5 / 10.5))


def terms_of(text: str, symbol: str | None = None, path: str = "x.py") -> set[int]:
    return set(unpack_terms(pack_terms(text, symbol, path)).terms.tolist())


def test_an_identifier_is_found_by_its_parts_and_whole() -> None:
    found = terms_of("parseHTTPRequest(x)")
    for question in ("parse", "http request", "parseHTTPRequest", "parsing requests"):
        assert set(query_terms(question)) <= found, question


def test_symbol_and_path_are_found_too() -> None:
    found = terms_of("pass", symbol="Session.close_all", path="net/connection_pool.py")
    assert set(query_terms("close session connection pool net")) <= found


def test_words_that_only_ask_are_left_out() -> None:
    assert query_terms("where is the function that does the retry") == query_terms("retry")
    assert query_terms("where is it"), "but a question of nothing else still asks something"


def test_frequencies_are_capped_not_wrapped() -> None:
    unpacked = unpack_terms(pack_terms("word " * 1000, None, ""))
    assert unpacked.frequencies.tolist() == [255]
