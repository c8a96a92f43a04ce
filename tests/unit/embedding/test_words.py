"""Identifiers are taken apart the way programmers join them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_ls.embedding import count_tokens, split_token, words_of


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("parseHTTPRequest_v2", ("parse", "http", "request", "v", "2")),
        ("XMLHttpRequest", ("xml", "http", "request")),
        ("snake_case_name", ("snake", "case", "name")),
        ("SCREAMING_CASE", ("screaming", "case")),
        ("__init__", ("init",)),
        ("utf8", ("utf", "8")),
        ("größeMax", ("größe", "max")),
        ("ABC", ("abc",)),
        ("_", ()),
    ],
)
def test_splits_identifiers(token: str, words: tuple[str, ...]) -> None:
    assert split_token(token) == words


def test_words_keep_their_order() -> None:
    assert words_of("def readFile(path_name):") == ["def", "read", "file", "path", "name"]


def test_keys_and_encoded_data_carry_no_words() -> None:
    assert count_tokens(f"token = {'a' * 101}") == {"token": 1}


@given(st.text())
def test_words_are_lower_case_and_without_separators(text: str) -> None:
    for word in words_of(text):
        assert word
        assert "_" not in word
        assert not any(letter.isspace() for letter in word)
        assert word == word.lower()
